package cib

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawElement draws an element as a CIB may have it, with ids that repeat now and then.
func drawElement(t *rapid.T, depth int) *Element {
	name := rapid.SampledFrom([]string{"primitive", "op", "nvpair", "x:unknown"}).Draw(t, "name")
	var attrs []Attr
	if rapid.IntRange(0, 3).Draw(t, "hasID") > 0 {
		attrs = append(attrs, Attr{"id", rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "it's", "a/b", "x]"}).Draw(t, "id")})
	}
	if rapid.Bool().Draw(t, "hasValue") {
		attrs = append(attrs, Attr{"value", rapid.SampledFrom([]string{"", "1", "<&>\"'", "a\n\tb", "ü"}).Draw(t, "value")})
	}
	var children []*Element
	if depth > 0 {
		for range rapid.IntRange(0, 5).Draw(t, "children") {
			children = append(children, drawNode(t, depth-1))
		}
	}
	return NewElement(name, attrs, withoutTextPairs(children)...)
}

func drawNode(t *rapid.T, depth int) *Element {
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return NewComment(rapid.SampledFrom([]string{"one", "two", "--", ""}).Draw(t, "comment"))
	case 1:
		return NewText(rapid.SampledFrom([]string{"text", " <&> ", "x\ny"}).Draw(t, "text"))
	}
	return drawElement(t, depth)
}

// withoutTextPairs drops texts that follow a text: read again they would be one.
func withoutTextPairs(list []*Element) []*Element {
	return slices.CompactFunc(list, func(a, b *Element) bool { return a.Kind == KindText && b.Kind == KindText })
}

// edit draws a document that differs from e here and there.
func edit(t *rapid.T, e *Element) *Element {
	if e.Kind != KindElement {
		return e
	}
	if rapid.IntRange(0, 5).Draw(t, "attr") == 0 {
		e = e.With(rapid.SampledFrom([]string{"id", "value", "extra"}).Draw(t, "which"), rapid.SampledFrom([]string{"a", "b", "z"}).Draw(t, "to"))
	}
	children := slices.Clone(e.Children)
	switch n := len(children); rapid.IntRange(0, 6).Draw(t, "edit") {
	case 0:
		children = slices.Insert(children, rapid.IntRange(0, n).Draw(t, "at"), drawNode(t, 1))
	case 1:
		if n > 0 {
			i := rapid.IntRange(0, n-1).Draw(t, "gone")
			children = slices.Delete(children, i, i+1)
		}
	case 2:
		children = rapid.Permutation(children).Draw(t, "order")
	case 3:
		if n > 1 {
			children = append(children[1:], children[0])
		}
	}
	for i := range children {
		if rapid.Bool().Draw(t, "deeper") {
			children[i] = edit(t, children[i])
		}
	}
	return e.WithChildren(withoutTextPairs(children))
}

func drawDocument(t *rapid.T) *Element {
	root := NewElement("cib", Version{0, 1, 2}.attrs())
	for range rapid.IntRange(0, 4).Draw(t, "sections") {
		root = root.WithChild(drawElement(t, 3))
	}
	return root
}

func TestPatchMakesTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawDocument(t)
		b := Succeed(a, edit(t, edit(t, a)))
		before := a.String()
		checkPatch(t, a, b)
		if a.String() != before {
			t.Fatal("the original has changed")
		}
	})
}

type fataler interface{ Fatalf(string, ...any) }

// checkPatch checks that the patch from a to b makes b of a, also after a trip as XML.
func checkPatch(t fataler, a, b *Element) {
	p := Diff(a, b)
	got, err := p.Apply(a)
	if err != nil {
		t.Fatalf("%v\n%s\nfor\n%s", err, p.Element(), a)
	}
	if !Equal(got, b) {
		t.Fatalf("%s\nmakes of\n%s\nthis\n%s\nwhich should be\n%s", p.Element(), a, got, b)
	}
	e, err := Parse("patch", []byte(p.Element().String()))
	if err != nil {
		t.Fatalf("%v", err)
	}
	again, err := ReadPatch(e)
	if err != nil {
		t.Fatalf("%v\n%s", err, e)
	}
	if got, err = again.Apply(a); err != nil || !Equal(got, b) {
		t.Fatalf("read again: %v\n%s\nmakes\n%s", err, e, got)
	}
}

func TestWriteRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawDocument(t)
		got, err := Parse("random", []byte(e.String()))
		if err != nil || !Equal(got, e) {
			t.Fatalf("%v\n%s\nbecame\n%s", err, e, got)
		}
	})
}

func TestPatchBetweenCases(t *testing.T) {
	var last *Element
	for _, file := range corpusFiles(t)[:120] {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		root, err := Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		if last != nil {
			checkPatch(t, last, root)
		}
		last = root
	}
}

func TestPatchIsSmall(t *testing.T) {
	a, err := Parse("a", generate(1, 50))
	if err != nil {
		t.Fatal(err)
	}
	configuration := a.Child("configuration")
	resources := configuration.Child("resources")
	children := slices.Clone(resources.Children)
	children = append(children[1:], children[0]) // the first goes to the end
	children = slices.Delete(children, 20, 21)
	children[3] = children[3].With("type", "Other")
	b := Succeed(a, Path{a, configuration, resources}.Replace(resources.WithChildren(children)))
	p := Diff(a, b)
	want := []string{
		"modify /cib 0",
		"delete /cib/configuration/resources/primitive[@id='rsc21'] 0",
		"move /cib/configuration/resources/primitive[@id='rsc0'] 48",
		"modify /cib/configuration/resources/primitive[@id='rsc4'] 0",
	}
	var got []string
	for _, c := range p.Changes {
		got = append(got, fmt.Sprintf("%s %s %d", c.Op, c.Path, c.Position))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if p.Source.String() != "0.1.1" || p.Target.String() != "0.2.0" {
		t.Errorf("from %v to %v", p.Source, p.Target)
	}
	after, err := p.Apply(a)
	if err != nil || !Equal(after, b) {
		t.Errorf("%v", err)
	}
	if _, err := p.Apply(after); !errors.Is(err, ErrVersion) {
		t.Errorf("applied to the wrong version: %v", err)
	}
	if after.Child("status") != a.Child("status") {
		t.Error("what has not changed is not shared")
	}
}

func TestPatchRefuses(t *testing.T) {
	root := NewElement("cib", nil, NewElement("a", nil))
	for _, c := range []Change{
		{Op: Delete, Path: "/cib"},
		{Op: Delete, Path: "/cib/b"},
		{Op: Delete, Path: "/cib/a[2]"},
		{Op: Delete, Path: "/cib/a[x]"},
		{Op: Create, Path: "/cib/a", Position: 1, Element: NewText("x")},
		{Op: Create, Path: "/cib/a", Position: -1, Element: NewText("x")},
		{Op: Create, Path: "/cib/a"},
		{Op: Move, Path: "/cib/a", Position: 1},
		{Op: Modify, Path: "/cib/a", Element: NewElement("b", nil)},
		{Op: Modify, Path: "/cib/a"},
		{Op: Create, Path: ""},
		{Op: Modify, Path: "a"},
	} {
		if _, err := (&Patch{Changes: []Change{c}}).Apply(root); err == nil {
			t.Errorf("%s %q is done", c.Op, c.Path)
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add([]byte(`<cib><a id="1"/><a id="1"/>t<b/></cib>`), []byte(`<cib><b/><a id="1" x=""/><!-- c --></cib>`))
	f.Add([]byte(`<cib epoch="1"/>`), []byte(`<diff format="2"><change operation="delete" path="/cib/a"/></diff>`))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		a, err := Parse("a", one)
		if err != nil {
			return
		}
		b, err := Parse("b", other)
		if err != nil {
			return
		}
		checkPatch(t, a, b)
		if p, err := ReadPatch(b); err == nil {
			p.Source = VersionOf(a)
			_, _ = p.Apply(a)
		}
	})
}
