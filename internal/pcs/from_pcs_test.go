package pcs

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// knownCommand is a command of pcs, and the versions that have it.
type knownCommand struct {
	words    []string
	versions string
	internal bool // people do not type it
}

// knownCommands reads the list of them.
func knownCommands(t *testing.T) []knownCommand {
	t.Helper()
	data, err := os.ReadFile("testdata/pcs-commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []knownCommand
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		command, versions, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			t.Fatalf("testdata/pcs-commands.txt: %q has no versions", line)
		}
		versions, internal := strings.CutSuffix(versions, "+")
		list = append(list, knownCommand{strings.Fields(command), strings.ReplaceAll(versions, ",", ", "), internal})
	}
	return list
}

// made is what Cerco makes of a command: it is another one now, or what the tree says of it; empty: nothing.
func (k knownCommand) made() (now, what string) {
	for _, more := range []string{"", "A", "A B", "A b=c"} {
		typed := append(slices.Clone(k.words), strings.Fields(more)...)
		p := &parsed{words: slices.Clone(typed), options: map[string][]string{}}
		c := &call{Env: Env{Stderr: io.Discard}, program: "pcs"}
		if err := c.rewrite(p); err != nil || slices.Equal(p.words[:min(len(k.words), len(p.words))], k.words) {
			continue
		}
		words := slices.DeleteFunc(slices.Clone(p.words), func(w string) bool {
			return len(w) == 1 || strings.Contains(w, "=")
		})
		if what := said(words); what != "" {
			return strings.Join(words, " "), what
		}
	}
	return "", said(k.words)
}

// said is what the tree says of a command. Words behind a verb must stand in its usage.
func said(words []string) string {
	_, at, rest := route(words)
	if at == nil {
		return ""
	}
	usage, _ := tokens(at.args)
	for _, w := range rest {
		if !slices.Contains(usage, w) {
			return ""
		}
	}
	return at.what
}

// TestFromPCS holds docs/from-pcs.md: what it says of each command of pcs is what the tree says.
func TestFromPCS(t *testing.T) {
	const document, begin = "../../docs/from-pcs.md", "<!-- the table is made from the command tree: go test ./internal/pcs -run FromPCS -rewrite -->\n"
	data, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	text, _, ok := strings.Cut(string(data), begin)
	if !ok {
		t.Fatalf("%s: %q is missing", document, begin)
	}
	var b strings.Builder
	b.WriteString(text + begin)
	noun := ""
	for _, k := range knownCommands(t) {
		now, what := k.made()
		if k.words[0] != noun {
			noun = k.words[0]
			fmt.Fprintf(&b, "\n## %s\n\n| pcs | in | here |\n|---|---|---|\n", noun)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.Join(k.words, " "), k.versions, k.cell(now, what))
	}
	if *rewrite {
		if err := os.WriteFile(document, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if b.String() != string(data) {
		t.Errorf("%s does not show what the tree says: run with -rewrite and read the difference", document)
	}
}

// cell is what stands in the table.
func (k knownCommand) cell(now, what string) string {
	what = strings.ReplaceAll(firstSentence(what), "|", "\\|")
	answered, only := strings.CutPrefix(what, "Answered only: ")
	switch {
	case only:
		what = "not carried out: " + answered
	case what == "" && k.internal:
		what = "for pcs's own programs; none here"
	case what == "":
		what = "not there yet"
	}
	if now != "" {
		return "now `" + now + "`. " + what
	}
	return what
}
