package cib

import "iter"

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
//
// The attributes of an element are kept as they were written, one string for all of them, and are taken
// apart when asked for: a status section holds millions of attributes of which few are ever looked at.
type Element struct {
	Name     string     // element name, or the target of a processing instruction
	body     string     // an element's attributes as written (checked by the parser); what a text or comment says
	Children []*Element // never changed in place
	Line     int32      // 1 is the first line; 0: made here, not read from a file
	Kind     Kind
	plain    bool // body is canonical: one blank before each attribute, double quotes, nothing escaped
}

// Attr is one attribute of an element.
type Attr struct{ Name, Value string }

// Text returns the character data of a text, comment or processing instruction.
func (e *Element) Text() string {
	if e == nil || e.Kind == KindElement {
		return ""
	}
	return e.body
}

// Attrs ranges over the attributes in document order.
func (e *Element) Attrs() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		if e == nil || e.Kind != KindElement {
			return
		}
		for rest := e.body; ; {
			var name, value string
			name, value, rest = nextAttr(rest)
			if name == "" {
				return
			}
			if !e.plain {
				value = unescape(value, true)
			}
			if !yield(name, value) {
				return
			}
		}
	}
}

// AttrList returns the attributes in document order, in a slice that is the caller's.
func (e *Element) AttrList() []Attr {
	var list []Attr
	for name, value := range e.Attrs() {
		list = append(list, Attr{name, value})
	}
	return list
}

// Lookup returns the value of an attribute and whether it is there.
func (e *Element) Lookup(name string) (string, bool) {
	if e == nil || e.Kind != KindElement {
		return "", false
	}
	for rest := e.body; ; {
		var n, value string
		n, value, rest = nextAttr(rest)
		switch n {
		case "":
			return "", false
		case name:
			if !e.plain {
				value = unescape(value, true)
			}
			return value, true
		}
	}
}

// Attr returns the value of an attribute, empty when it is absent.
func (e *Element) Attr(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// ID returns the id attribute, empty when it is absent.
func (e *Element) ID() string { return e.Attr("id") }

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

// Elements ranges over the child elements: no text, no comments.
func (e *Element) Elements() iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if e == nil {
			return
		}
		for _, c := range e.Children {
			if c.Kind == KindElement && !yield(c) {
				return
			}
		}
	}
}

// All ranges over the element and everything under it that is an element, in document order.
func (e *Element) All() iter.Seq[*Element] {
	return func(yield func(*Element) bool) { e.walk(yield) }
}

func (e *Element) walk(yield func(*Element) bool) bool {
	if e == nil || e.Kind != KindElement {
		return true
	}
	if !yield(e) {
		return false
	}
	for _, c := range e.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}
