package cib

import (
	"strings"
	"unicode/utf8"
)

// AppendXML appends the element as XML text that ends in a line break: children are indented by two
// blanks, attributes keep their order. An element with text inside stays on one line, since blanks would
// add to the text. Characters that XML cannot hold become U+FFFD.
func (e *Element) AppendXML(b []byte) []byte {
	return append(e.appendXML(b, 0), '\n')
}

// String is the element as AppendXML writes it.
func (e *Element) String() string { return string(e.AppendXML(nil)) }

// appendXML writes the element; a negative depth asks for a single line.
func (e *Element) appendXML(b []byte, depth int) []byte {
	switch e.Kind {
	case KindText:
		return appendEscaped(b, e.body, false)
	case KindComment:
		b = append(b, "<!--"...)
		return append(append(b, e.body...), "-->"...)
	case KindInstruction:
		b = append(append(b, "<?"...), e.Name...)
		if e.body != "" {
			b = append(append(b, ' '), e.body...)
		}
		return append(b, "?>"...)
	}
	b = append(append(b, '<'), e.Name...)
	b = e.appendAttrs(b)
	if len(e.Children) == 0 {
		return append(b, "/>"...)
	}
	b = append(b, '>')
	inline := depth < 0 || e.hasText()
	for _, c := range e.Children {
		if inline {
			b = c.appendXML(b, -1)
		} else {
			b = c.appendXML(appendIndent(b, depth+1), depth+1)
		}
	}
	if !inline {
		b = appendIndent(b, depth)
	}
	b = append(append(b, "</"...), e.Name...)
	return append(b, '>')
}

func (e *Element) appendAttrs(b []byte) []byte {
	if e.plain {
		return append(b, e.body...)
	}
	for name, value := range e.Attrs() {
		b = appendAttr(b, name, value)
	}
	return b
}

func (e *Element) hasText() bool {
	for _, c := range e.Children {
		if c.Kind == KindText {
			return true
		}
	}
	return false
}

func appendIndent(b []byte, depth int) []byte {
	b = append(b, '\n')
	for range depth {
		b = append(b, "  "...)
	}
	return b
}

func appendAttr(b []byte, name, value string) []byte {
	b = append(append(append(b, ' '), name...), `="`...)
	return append(appendEscaped(b, value, true), '"')
}

// appendEscaped writes text so that reading it gives the same text again.
func appendEscaped(b []byte, s string, attribute bool) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:]) // U+FFFD for what is not UTF-8
			if !isXMLChar(r) {
				r = utf8.RuneError
			}
			b = utf8.AppendRune(b, r)
			i += n
			continue
		}
		i++
		switch {
		case c == '&':
			b = append(b, "&amp;"...)
		case c == '<':
			b = append(b, "&lt;"...)
		case c == '>':
			b = append(b, "&gt;"...)
		case c == '"' && attribute:
			b = append(b, "&quot;"...)
		case c == '\r':
			b = append(b, "&#13;"...)
		case c == '\n' && attribute:
			b = append(b, "&#10;"...)
		case c == '\t' && attribute:
			b = append(b, "&#9;"...)
		case c < ' ' && c != '\n' && c != '\t':
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = append(b, c)
		}
	}
	return b
}

// needsEscape reports whether an attribute value is written other than as it is.
func needsEscape(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '&' || c == '<' || c == '>' || c == '"' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// Equal reports whether two elements say the same: names, attributes in order, text and children. The
// lines they came from do not count.
func Equal(a, b *Element) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || a.Name != b.Name || len(a.Children) != len(b.Children) || !sameBody(a, b) {
		return false
	}
	for i := range a.Children {
		if !Equal(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}

// sameBody reports whether two elements have the same attributes, or the same text.
func sameBody(a, b *Element) bool {
	if a.body == b.body {
		return true
	}
	if a.Kind != KindElement || a.plain && b.plain {
		return false
	}
	return string(a.appendAttrs(nil)) == string(b.appendAttrs(nil))
}

// ValidName reports whether s can be the name of an element or attribute.
func ValidName(s string) bool { return s != "" && nameAt(s, 0) == s && utf8.ValidString(s) }

// commentText makes text fit for a comment, which cannot hold "--" or end in "-".
func commentText(s string) string {
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "- -")
	}
	if strings.HasSuffix(s, "-") {
		s += " "
	}
	return s
}
