package compat_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/compat"
)

var rewrite = flag.Bool("rewrite", false, "with the tag host: record the transcripts anew from Pacemaker's own tools")

// step is one call in a transcript: a line "$ NAME=VALUE... COMMAND", what it prints (lines of standard error begin with
// "! "), and "? CODE".
type step struct {
	command string
	output  string
	code    int
}

// transcript is a file of testdata/file: a first line "cib: NAME" says which CIB the calls work on, one after the other.
type transcript struct {
	head  string
	cib   string
	steps []step
}

func readTranscript(t *testing.T, path string) *transcript {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tr := &transcript{}
	for _, l := range strings.SplitAfter(string(data), "\n") {
		switch {
		case strings.HasPrefix(l, "$ "):
			tr.steps = append(tr.steps, step{command: strings.TrimSuffix(l[2:], "\n")})
		case len(tr.steps) == 0:
			tr.head += l
			if name, ok := strings.CutPrefix(l, "cib: "); ok {
				tr.cib = strings.TrimSpace(name)
			}
		case strings.HasPrefix(l, "? "):
			if tr.steps[len(tr.steps)-1].code, err = strconv.Atoi(strings.TrimSpace(l[2:])); err != nil {
				t.Fatal(path, err)
			}
		default:
			tr.steps[len(tr.steps)-1].output += l
		}
	}
	return tr
}

func (tr *transcript) String() string {
	var b strings.Builder
	b.WriteString(tr.head)
	for _, s := range tr.steps {
		b.WriteString("$ " + s.command + "\n" + s.output + "? " + strconv.Itoa(s.code) + "\n")
	}
	return b.String()
}

// words splits a command as a shell does, as far as quotes go.
func words(t *testing.T, s string) []string {
	t.Helper()
	var list []string
	word, quote, in := "", rune(0), false
	for _, c := range s {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word += string(c)
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ':
			if in {
				list = append(list, word)
			}
			word, in = "", false
		default:
			word, in = word+string(c), true
		}
	}
	if quote != 0 {
		t.Fatalf("%s: a quote does not end", s)
	}
	if in {
		list = append(list, word)
	}
	return list
}

// environment takes the assignments before a command off its words.
func environment(args []string) (map[string]string, []string) {
	env := map[string]string{}
	for len(args) > 0 {
		name, value, ok := strings.Cut(args[0], "=")
		if !ok || strings.HasPrefix(name, "-") {
			break
		}
		env[name] = value
		args = args[1:]
	}
	return env, args
}

var changing = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^(  \* Last updated: ).*$`),
	regexp.MustCompile(`(<last_update time=")[^"]*`),
	regexp.MustCompile(`(until: |end=")2[0-9-]+ [0-9:]+Z?`),
	regexp.MustCompile(`(Written by ).*`),
}

var numbered = regexp.MustCompile(`^ *[0-9]+( |\n)`)

// steady blots out what differs from run to run, and marks what went to standard error. Pacemaker prints a document that is
// not valid there, line by line, with numbers: that is left out.
func steady(out, errs string) string {
	for _, re := range changing {
		out = re.ReplaceAllString(out, "${1}TIME")
	}
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	for _, l := range strings.SplitAfter(errs, "\n") {
		if l != "" && !numbered.MatchString(l) {
			out += "! " + l
		}
	}
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	return out
}

// ours runs a call of ours.
func ours(t *testing.T, s *step, env map[string]string) (string, int) {
	t.Helper()
	set, args := environment(words(t, s.command))
	for name, value := range env {
		set[name] = value
	}
	var out, errs bytes.Buffer
	code, known := compat.Main(compat.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Now:      func() time.Time { return time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC) },
		Hostname: func() (string, error) { return "n1", nil }, Getenv: func(name string) string { return set[name] }}, args)
	if !known {
		t.Fatalf("%s: no such tool", s.command)
	}
	return steady(out.String(), errs.String()), code
}

// TestFile holds the tools, on a file, against what Pacemaker 2.1.5's tools said to the same calls.
func TestFile(t *testing.T) {
	each(t, func(t *testing.T, tr *transcript, file string) {
		for i := range tr.steps {
			s := &tr.steps[i]
			got, code := ours(t, s, map[string]string{"CIB_file": file})
			if code != s.code || withoutOwn(got) != withoutOwn(s.output) {
				t.Errorf("$ %s\nwant:\n%s? %d\ngot:\n%s? %d", s.command, s.output, s.code, got, code)
			}
		}
	})
}

// withoutOwn drops lines of standard error that say more about an error than Pacemaker's tools do.
func withoutOwn(out string) string {
	var b strings.Builder
	for _, l := range strings.SplitAfter(out, "\n") {
		if !strings.HasPrefix(l, "! cibadmin: ") && !strings.HasPrefix(l, "! crm_resource: edit") {
			b.WriteString(l)
		}
	}
	return b.String()
}

func each(t *testing.T, f func(t *testing.T, tr *transcript, file string)) {
	t.Helper()
	paths, err := filepath.Glob("testdata/file/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			tr := readTranscript(t, path)
			data, err := os.ReadFile(filepath.Join("testdata", tr.cib))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "cib.xml")
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			f(t, tr, file)
			if *rewrite {
				if err := os.WriteFile(path, []byte(tr.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
