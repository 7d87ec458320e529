package cib

// Kind tells what an Element is.
type Kind uint8

const (
	KindElement Kind = iota
	KindText         // character data that is not only white space
	KindComment
	KindInstruction // processing instruction
)

// Element is one element of an XML document, or a text or comment between elements. It is immutable:
// every change returns new elements along the path and shares the rest.
type Element struct {
	Name     string // element name, or the target of a processing instruction
	Text     string // text and comments
	Attrs    []Attr // document order
	Children []*Element
	Line     int32
	Kind     Kind
}

// Attr is one attribute of an element.
type Attr struct{ Name, Value string }

// Lookup returns the value of an attribute and whether it is there.
func (e *Element) Lookup(name string) (string, bool) {
	if e == nil {
		return "", false
	}
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			return e.Attrs[i].Value, true
		}
	}
	return "", false
}

// Attr returns the value of an attribute, empty when it is absent.
func (e *Element) Attr(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// Child returns the first child element of that name, or nil.
func (e *Element) Child(name string) *Element {
	if e == nil {
		return nil
	}
	for _, c := range e.Children {
		if c.Kind == KindElement && c.Name == name {
			return c
		}
	}
	return nil
}
