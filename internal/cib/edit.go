package cib

import (
	"fmt"
	"slices"
)

// Without returns the element without the attribute.
func (e *Element) Without(name string) *Element {
	if _, ok := e.Lookup(name); !ok {
		return e
	}
	return e.WithAttrs(slices.DeleteFunc(e.AttrList(), func(a Attr) bool { return a.Name == name }))
}

// WithChild returns the element with one more child at the end.
func (e *Element) WithChild(child *Element) *Element { return e.Insert(len(e.Children), child) }

// Insert returns the element with a child put in at position i.
func (e *Element) Insert(i int, child *Element) *Element {
	children := make([]*Element, 0, len(e.Children)+1)
	children = append(children, e.Children[:i]...)
	children = append(children, child)
	return e.WithChildren(append(children, e.Children[i:]...))
}

// Replace returns the element with child i replaced, or taken out if with is nil.
func (e *Element) Replace(i int, with *Element) *Element {
	children := slices.Clone(e.Children)
	if with == nil {
		children = slices.Delete(children, i, i+1)
	} else {
		children[i] = with
	}
	return e.WithChildren(children)
}

// Swap returns the element with one child replaced, or taken out if with is nil.
func (e *Element) Swap(child, with *Element) *Element { return e.Replace(e.Index(child), with) }

// Index returns the position of a child, -1 if it is none.
func (e *Element) Index(child *Element) int { return slices.Index(e.Children, child) }

// Find returns the first child element of that name with that id, or nil.
func (e *Element) Find(name, id string) *Element {
	for c := range e.Elements() {
		if c.Name == name && c.Attr("id") == id {
			return c
		}
	}
	return nil
}

// Path leads from a root element, first, down to an element, last.
type Path []*Element

// Last returns the element that the path leads to.
func (p Path) Last() *Element { return p[len(p)-1] }

// Replace returns the root of a document in which the last element is replaced, or taken out if with is
// nil. Only the elements on the path are new. The root itself cannot be taken out: the result is then nil.
func (p Path) Replace(with *Element) *Element {
	for i := len(p) - 2; i >= 0; i-- {
		at := p[i].Index(p[i+1])
		if at < 0 {
			panic(fmt.Sprintf("cib: <%s> on a path is not in <%s>", p[i+1].Name, p[i].Name))
		}
		with = p[i].Replace(at, with)
	}
	return with
}

// Map returns the element as f changes it and everything under it: f sees each element, children first,
// and returns what stands in its place (itself if nothing changes, nil to take it out). What f leaves alone
// is shared.
func (e *Element) Map(f func(*Element) *Element) *Element {
	var changed []*Element
	for i, c := range e.Children {
		m := c
		if c.Kind == KindElement {
			m = c.Map(f)
		}
		if m != c && changed == nil {
			changed = append(make([]*Element, 0, len(e.Children)), e.Children[:i]...)
		}
		if changed != nil && m != nil {
			changed = append(changed, m)
		}
	}
	if changed != nil {
		e = e.WithChildren(changed)
	}
	return f(e)
}
