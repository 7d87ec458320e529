package cib

import (
	"slices"
	"testing"
)

func TestMakeElement(t *testing.T) {
	attrs := []Attr{{"id", "a"}, {"value", "1 < 2 & \"3\"\n'4'\t>"}, {"empty", ""}}
	for _, list := range [][]Attr{attrs, attrs[:1], nil} {
		if got := NewElement("nvpair", list).AttrList(); !slices.Equal(got, list) {
			t.Errorf("attributes %v, want %v", got, list)
		}
	}
	e := NewElement("a", attrs, NewElement("b", nil))
	f := e.With("id", "z").With("more", "m")
	if e.Attr("id") != "a" || f.Attr("id") != "z" || f.Attr("more") != "m" || f.Attr("value") != attrs[1].Value {
		t.Errorf("With: %v became %v", e.AttrList(), f.AttrList())
	}
	if g := f.WithChildren(nil); len(g.Children) != 0 || len(f.Children) != 1 || g.Attr("id") != "z" {
		t.Error("WithChildren must change the copy only")
	}
}
