package cib

import (
	"fmt"
	"slices"
)

// NewText makes character data.
func NewText(text string) *Element { return &Element{Kind: KindText, body: text} }

// NewComment makes a comment; "--" inside is taken apart, since XML does not allow it.
func NewComment(text string) *Element { return &Element{Kind: KindComment, body: commentText(text)} }

// NewElement makes an element. It takes over the child list. A name that XML does not allow is a mistake of
// the program: it panics, as all that set attributes do.
func NewElement(name string, attrs []Attr, children ...*Element) *Element {
	if !ValidName(name) {
		panic(fmt.Sprintf("cib: %q is not an element name", name))
	}
	e := &Element{Name: name, Children: children}
	e.setAttrs(attrs)
	return e
}

// WithAttrs returns a copy of the element that has these attributes instead of its own.
func (e *Element) WithAttrs(attrs []Attr) *Element {
	c := *e
	c.setAttrs(attrs)
	return &c
}

// With returns a copy of the element with one attribute set: in its place if it is there, else as the last.
func (e *Element) With(name, value string) *Element {
	if old, ok := e.Lookup(name); ok && old == value {
		return e
	}
	return e.WithAttrs(SetAttr(e.AttrList(), name, value))
}

// WithChildren returns a copy of the element that has these children instead of its own. It takes over the list.
func (e *Element) WithChildren(children []*Element) *Element {
	c := *e
	c.Children = slices.Clip(children)
	return &c
}

// SetAttr sets an attribute in a list: in its place if it is there, else as the last.
func SetAttr(attrs []Attr, name, value string) []Attr {
	for i := range attrs {
		if attrs[i].Name == name {
			attrs[i].Value = value
			return attrs
		}
	}
	return append(attrs, Attr{name, value})
}

// setAttrs writes the attributes down in the form that Element keeps them in.
func (e *Element) setAttrs(attrs []Attr) {
	size, plain := 0, true
	for _, a := range attrs {
		if !ValidName(a.Name) {
			panic(fmt.Sprintf("cib: %q is not an attribute name", a.Name))
		}
		size += len(a.Name) + len(a.Value) + len(` =""`)
		plain = plain && !needsEscape(a.Value)
	}
	b := make([]byte, 0, size)
	for _, a := range attrs {
		b = appendAttr(b, a.Name, a.Value)
	}
	e.body, e.plain = string(b), plain
}
