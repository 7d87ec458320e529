package cibgen

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// Element is an XML element. Unlike the CIB's own it may be changed, which is what shrinking does.
type Element struct {
	Name  string
	Attrs []Attr
	Kids  []*Element
}

// Attr is an attribute.
type Attr struct{ Name, Value string }

// newElement makes an element from name, value, name, value and so on; empty values are left out.
func newElement(name string, attrs ...string) *Element {
	e := &Element{Name: name}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.set(attrs[i], attrs[i+1])
	}
	return e
}

func (e *Element) set(name, value string) {
	if value != "" {
		e.Attrs = append(e.Attrs, Attr{name, value})
	}
}

// add appends a child and returns it.
func (e *Element) add(name string, attrs ...string) *Element {
	c := newElement(name, attrs...)
	e.Kids = append(e.Kids, c)
	return c
}

// nvset adds a block of name/value pairs, given as name, value and so on. No pairs, no block.
func (e *Element) nvset(kind, id string, pairs ...string) *Element {
	if len(pairs) == 0 {
		return nil
	}
	s := e.add(kind, "id", id)
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Kids = append(s.Kids, newElement("nvpair", "id", id+"-"+idSafe(pairs[i]), "name", pairs[i], "value", pairs[i+1]))
	}
	return s
}

// idSafe makes a name fit to be part of an XML id.
func idSafe(s string) string { return strings.NewReplacer("#", "_", ":", "_").Replace(s) }

// Attr returns an attribute's value, empty if it is absent.
func (e *Element) Attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// Walk calls f for e and everything below it, parents first.
func (e *Element) Walk(f func(*Element)) {
	f(e)
	for _, k := range e.Kids {
		k.Walk(f)
	}
}

// Without returns a copy of the tree that lacks the given elements.
func (e *Element) Without(drop map[*Element]bool) *Element {
	out := &Element{Name: e.Name, Attrs: slices.Clone(e.Attrs)}
	for _, k := range e.Kids {
		if !drop[k] {
			out.Kids = append(out.Kids, k.Without(drop))
		}
	}
	return out
}

// String writes the document.
func (e *Element) String() string {
	var b strings.Builder
	e.write(&b, "")
	return b.String()
}

func (e *Element) write(b *strings.Builder, indent string) {
	b.WriteString(indent + "<" + e.Name)
	for _, a := range e.Attrs {
		b.WriteString(" " + a.Name + `="`)
		xml.EscapeText(b, []byte(a.Value))
		b.WriteString(`"`)
	}
	if len(e.Kids) == 0 {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">\n")
	for _, k := range e.Kids {
		k.write(b, indent+"  ")
	}
	b.WriteString(indent + "</" + e.Name + ">\n")
}

// Parse reads a document; text and comments are dropped.
func Parse(data []byte) (*Element, error) {
	top := &Element{}
	stack := []*Element{top}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			c := stack[len(stack)-1].add(t.Name.Local)
			for _, a := range t.Attr {
				c.Attrs = append(c.Attrs, Attr{a.Name.Local, a.Value})
			}
			stack = append(stack, c)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	if len(top.Kids) != 1 {
		return nil, errors.New("want one root element")
	}
	return top.Kids[0], nil
}
