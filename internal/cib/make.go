package cib

import "strings"

// NewElement makes an element. It takes over the child list.
func NewElement(name string, attrs []Attr, children ...*Element) *Element {
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
	return e.WithAttrs(SetAttr(e.AttrList(), name, value))
}

// WithChildren returns a copy of the element that has these children instead of its own. It takes over the list.
func (e *Element) WithChildren(children []*Element) *Element {
	c := *e
	c.Children = children
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
		size += len(a.Name) + len(a.Value) + len(` =""`)
		plain = plain && !needsEscape(a.Value)
	}
	var b strings.Builder
	b.Grow(size)
	for _, a := range attrs {
		b.WriteByte(' ')
		b.WriteString(a.Name)
		b.WriteString(`="`)
		if plain {
			b.WriteString(a.Value)
		} else {
			escapeAttr(&b, a.Value)
		}
		b.WriteByte('"')
	}
	e.body, e.plain = b.String(), plain
}

func needsEscape(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '<' || c == '>' || c == '&' || c == '"' {
			return true
		}
	}
	return false
}

// escapeAttr writes an attribute value so that reading it gives it back, line breaks included. What
// XML 1.0 cannot hold at all (most control characters) is left out.
func escapeAttr(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '"':
			b.WriteString("&quot;")
		case '\n':
			b.WriteString("&#10;")
		case '\t':
			b.WriteString("&#9;")
		case '\r':
			b.WriteString("&#13;")
		default:
			if c >= ' ' {
				b.WriteByte(c)
			}
		}
	}
}
