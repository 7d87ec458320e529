package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/doctor"
	"github.com/cerco-ha/cerco/internal/pcs"
)

var rewrite = flag.Bool("rewrite", false, "record the examples in the documents anew")

// TestDocumentsShowWhatIsPrinted runs each "$ cerco ..." of the documents' console blocks and compares what
// it prints. A line "..." in a document stands for any number of lines.
func TestDocumentsShowWhatIsPrinted(t *testing.T) {
	t.Chdir("../..")
	docs, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, doc := range append(docs, "README.md") {
		data, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(string(data), "```console\n")
		for i, b := range blocks[1:] {
			body, rest, ok := strings.Cut(b, "```")
			if !ok {
				t.Fatalf("%s: a console block does not end", doc)
			}
			examples := parseExamples(t, doc, body)
			for k := range examples {
				ran++
				examples[k].check(t, doc)
			}
			blocks[i+1] = joinExamples(examples) + "```" + rest
		}
		if text := strings.Join(blocks, "```console\n"); *rewrite && text != string(data) {
			if err := os.WriteFile(doc, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ran == 0 {
		t.Error("the documents show no command")
	}
}

// example is a command and what a document says it prints.
type example struct{ command, output string }

func parseExamples(t *testing.T, doc, body string) []example {
	t.Helper()
	var out []example
	for _, l := range strings.SplitAfter(body, "\n") {
		if command, ok := strings.CutPrefix(l, "$ "); ok {
			out = append(out, example{command: strings.TrimSpace(command)})
		} else if len(out) > 0 {
			out[len(out)-1].output += l
		} else if l != "" {
			t.Fatalf("%s: a console block must begin with a command, not %q", doc, l)
		}
	}
	return out
}

func joinExamples(examples []example) string {
	var b strings.Builder
	for _, e := range examples {
		b.WriteString("$ " + e.command + "\n" + e.output)
	}
	return b.String()
}

func (e *example) check(t *testing.T, doc string) {
	t.Helper()
	args := strings.Fields(e.command)
	if args[0] != "cerco" {
		t.Fatalf("%s: %q is no call of cerco", doc, e.command)
	}
	var out bytes.Buffer
	now := func() time.Time { return time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC) }
	others := []cli.Command{{Name: "doctor", Run: func(args []string) int {
		return doctor.Command(t.Context(), args, strings.NewReader(""), &out, &out)
	}}}
	if name, words, ok := treeCommand(args); ok {
		pcs.Main(pcs.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: now, Getenv: func(string) string { return "" }, Context: t.Context(),
			Preview: func(w io.Writer, before, after *cib.CIB) error { return cli.WhatIf(w, before, after, now()) }}, name, words)
	} else {
		cli.Main(cli.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: now, Others: others}, args)
	}
	got := trimLines(out.String())
	if matches(strings.Split(e.output, "\n"), strings.Split(got, "\n")) {
		return
	}
	if *rewrite {
		e.output = got
		return
	}
	t.Errorf("%s: %s prints\n%s\nand not\n%s", doc, e.command, got, e.output)
}

// trimLines drops blanks at the end of lines, which editors do not keep.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// matches compares line by line; "..." stands for any lines.
func matches(want, got []string) bool {
	for i, w := range want {
		if strings.TrimSpace(w) == "..." {
			for k := i; k <= len(got); k++ {
				if matches(want[i+1:], got[k:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || strings.TrimRight(w, " \t") != got[i] {
			return false
		}
	}
	return len(want) == len(got)
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"a b", "a b", true}, {"a b", "a", false}, {"a", "a b", false}, {"a ... d", "a b c d", true},
		{"a ... d", "a d", true}, {"a ... d", "a b", false}, {"... d", "a b d", true}, {"a ...", "a b", true},
	} {
		if got := matches(strings.Fields(c.want), strings.Fields(c.got)); got != c.ok {
			t.Errorf("%q against %q: %v", c.want, c.got, got)
		}
	}
}
