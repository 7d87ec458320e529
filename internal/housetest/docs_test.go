package housetest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func document(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(top(), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// documents are all the texts for people.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		names, err := filepath.Glob(filepath.Join(top(), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			rel, err := filepath.Rel(top(), n)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rel)
		}
	}
	return out
}

func TestArchitectureTellsOfEveryPackage(t *testing.T) {
	text := document(t, "docs/architecture.md")
	for _, p := range house(t) {
		if strings.HasPrefix(p.rel, "tools/") {
			continue
		}
		if !strings.Contains(text, "`"+p.rel+"`") {
			t.Errorf("docs/architecture.md does not mention `%s`", p.rel)
		}
	}
}

// unmentioned lists files of a package that a text does not name.
func unmentioned(text string, files []string) []string {
	var out []string
	for _, f := range files {
		name := filepath.Base(f)
		if !strings.HasSuffix(name, "_test.go") && !strings.Contains(text, "`"+name+"`") {
			out = append(out, name)
		}
	}
	return out
}

func TestArchitectureTellsWhereEachRuleIs(t *testing.T) {
	text := document(t, "docs/architecture.md")
	for _, p := range house(t) {
		if p.rel != "internal/scheduler" {
			continue
		}
		for _, name := range unmentioned(text, p.GoFiles) {
			t.Errorf("docs/architecture.md does not tell what is in internal/scheduler/%s; add it to the table of rules", name)
		}
	}
	if got := unmentioned("`a.go`", []string{"x/a.go", "x/b.go", "x/c_test.go"}); !slices.Equal(got, []string{"b.go"}) {
		t.Errorf("a planted file is not missed: %v", got)
	}
}

var (
	quotedPath = regexp.MustCompile("`((?:internal|tools|docs|cmd|examples)/[\\w./-]*)`")
	link       = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	goFile     = regexp.MustCompile("`(\\w+\\.go)`")
)

// deadPaths lists what a text refers to and is not there.
func deadPaths(doc, text string) []string {
	var out []string
	missing := func(path string) {
		if _, err := os.Stat(path); err != nil {
			out = append(out, fmt.Sprintf("%s refers to %s, which does not exist", doc, path))
		}
	}
	for _, m := range quotedPath.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(m[1], "RULE") {
			missing(filepath.Join(top(), m[1]))
		}
	}
	for _, m := range link.FindAllStringSubmatch(text, -1) {
		missing(filepath.Join(top(), filepath.Dir(doc), m[1]))
	}
	if doc == "docs/architecture.md" {
		for _, m := range goFile.FindAllStringSubmatch(text, -1) {
			missing(filepath.Join(top(), "internal/scheduler", m[1]))
		}
	}
	return out
}

func TestDocumentsReferToWhatExists(t *testing.T) {
	for _, doc := range documents(t) {
		for _, d := range deadPaths(doc, document(t, doc)) {
			t.Error(d)
		}
	}
	planted := "`internal/nowhere` and [a link](nowhere.md) and `no_such_rule.go` and `internal/cib`"
	if got := deadPaths("docs/architecture.md", planted); len(got) != 3 {
		t.Errorf("planted dead references: %q", got)
	}
}

var term = regexp.MustCompile(`(?m)^\*\*([^*]+)\*\* — `)

// badTerms lists what is wrong with a glossary: terms out of order, or twice.
func badTerms(text string) []string {
	var out []string
	last := ""
	for _, m := range term.FindAllStringSubmatch(text, -1) {
		if strings.ToLower(m[1]) <= strings.ToLower(last) {
			out = append(out, fmt.Sprintf("%q comes after %q", m[1], last))
		}
		last = m[1]
	}
	return out
}

func TestGlossaryIsInOrder(t *testing.T) {
	text := document(t, "docs/glossary.md")
	if n := len(term.FindAllString(text, -1)); n < 50 {
		t.Errorf("only %d terms found", n)
	}
	for _, b := range badTerms(text) {
		t.Error(b)
	}
	if got := badTerms("**b** — x\n**a** — y\n**a** — z\n"); len(got) != 2 {
		t.Errorf("planted terms: %q", got)
	}
}

// TestGlossaryHasTheWordsOfTheModel wants a term for each kind of resource, constraint and state.
func TestGlossaryHasTheWordsOfTheModel(t *testing.T) {
	text := document(t, "docs/glossary.md")
	for _, w := range []string{"primitive", "group", "clone", "bundle", "location", "colocation", "order", "ticket", "fencing",
		"standby", "unclean", "pending", "CIB", "plan", "transition", "probe", "promote", "stickiness", "rule", "utilization"} {
		if !strings.Contains(text, "**"+w+"** — ") {
			t.Errorf("docs/glossary.md has no term %q", w)
		}
	}
}
