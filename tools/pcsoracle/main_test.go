package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Each template of the grammar must be sayable about any configuration: no name in it is unknown.
func TestGrammarCanBeSaid(t *testing.T) {
	g, err := parseGrammar(grammarText)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{emptyCIB, ""} {
		s := slotsOf(rand.New(rand.NewPCG(1, 2)), parse([]byte(text)))
		for range 20000 {
			args := (&speaker{Rand: s.Rand, grammar: g, slots: s.of}).call()
			if len(args) == 0 || strings.ContainsAny(strings.Join(args, " "), "<>\x00") {
				t.Fatalf("a call of the grammar is %q", args)
			}
		}
	}
}

func TestGrammarOfTemplates(t *testing.T) {
	g, err := parseGrammar("word = (a|b)\n# a remark\n1: x [y] {<word>=1} \\( <new>\n")
	if err != nil {
		t.Fatal(err)
	}
	s := slotsOf(rand.New(rand.NewPCG(1, 2)), nil)
	seen := map[string]bool{}
	for range 1000 {
		args := (&speaker{Rand: s.Rand, grammar: g, slots: s.of}).call()
		seen[strings.Join(args[:len(args)-1], " ")] = true
	}
	for _, want := range []string{"x a=1 (", "x y b=1 (", "x a=1 b=1 a=1 ("} {
		if !seen[want] {
			t.Errorf("%q is never said", want)
		}
	}
	for _, bad := range []string{"1: (a", "1: a]", "1: <a", "a b"} {
		if _, err := parseGrammar(bad); err == nil {
			t.Errorf("%q is a grammar", bad)
		}
	}
}

func TestSlotsKnowKinds(t *testing.T) {
	root := parse([]byte(`<cib><configuration><resources><clone id="C"><group id="G"><primitive id="P" class="ocf"><operations><op id="O"/></operations>` +
		`</primitive></group></clone><primitive id="S" class="stonith"/></resources><constraints><rsc_location id="L"><rule id="LR"/></rsc_location></constraints>` +
		`<acls><acl_role id="A"/></acls></configuration></cib>`))
	s := slotsOf(rand.New(rand.NewPCG(1, 2)), root)
	for kind, want := range map[string]string{"prim": "P", "member": "P", "group": "G", "clone": "C", "stonith": "S", "location": "L", "rule": "LR",
		"opelement": "O", "aclrole": "A", "rsc": "C G P", "any": "C G P O S L LR A"} {
		if got := strings.Join(s.kinds[kind], " "); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

// A planted difference of each sort must be told, and what does not matter must not.
func TestDifference(t *testing.T) {
	want := outcome{Stdout: "Last updated: Monday\nx\n", After: state{CIB: []byte(`<cib epoch="1" a="1"><x b="1" c="2"/></cib>`), Corosync: []byte("a: 1 \n")}}
	got := outcome{Stdout: "Last updated: Friday\nx\n", After: state{CIB: []byte("<cib a='1' epoch='7'>\n <x c='2' b='1'/>\n</cib>"), Corosync: []byte("a: 1\n\n")}}
	if in := difference(want, got); len(in) > 0 {
		t.Error("what does not matter makes a difference:", in)
	}
	for part, plant := range map[string]func(o *outcome){
		"status":   func(o *outcome) { o.Code = 1 },
		"stdout":   func(o *outcome) { o.Stdout += "y\n" },
		"cib":      func(o *outcome) { o.After.CIB = []byte(`<cib a="1"><x b="1" c="3"/></cib>`) },
		"corosync": func(o *outcome) { o.After.Corosync = nil },
	} {
		other := got
		plant(&other)
		if in := difference(want, other); !slices.Equal(in, []string{part}) {
			t.Errorf("a planted difference in %s is seen in %v", part, in)
		}
	}
}

func TestVaryLeavesTheCallAlone(t *testing.T) {
	args := []string{"resource", "delete", "P"}
	s := slotsOf(rand.New(rand.NewPCG(1, 2)), nil)
	changed := false
	for range 100 {
		changed = !slices.Equal(vary(s.Rand, args, s, [][]string{{"resource", "create", "x", "y"}}), args) || changed
	}
	if !changed || !slices.Equal(args, []string{"resource", "delete", "P"}) {
		t.Error("varied:", changed, args)
	}
}

// What is known is about its own commands alone.
func TestKnownDifferences(t *testing.T) {
	refused, done := outcome{Code: 1}, outcome{}
	for _, c := range []struct {
		words     string
		want, got outcome
		known     bool
	}{
		{"cluster standby n1", refused, outcome{Stderr: "'pcs cluster standby n1' is now: pcs node standby n1"}, true},
		{"constraint remove a b", refused, refused, true},
		{"resource delete a", refused, refused, false},
		{"resource delete a", refused, done, false},
		{"constraint remove a", done, refused, false},
	} {
		if why := known(call{Args: strings.Fields(c.words)}, c.want, c.got); (why != "") != c.known {
			t.Errorf("%s: %q", c.words, why)
		}
	}
}
