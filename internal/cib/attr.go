package cib

import "strings"

// nextAttr takes the first attribute off a checked attribute list. The value is as written; name is
// empty at the end.
func nextAttr(s string) (name, value, rest string) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	start := i
	for i < len(s) && s[i] != '=' && !isSpace(s[i]) {
		i++
	}
	name = s[start:i]
	for i < len(s) && s[i] != '"' && s[i] != '\'' {
		i++
	}
	if i >= len(s) {
		return "", "", ""
	}
	end := strings.IndexByte(s[i+1:], s[i])
	if end < 0 {
		return "", "", ""
	}
	return name, s[i+1 : i+1+end], s[i+end+2:]
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// unescape resolves references. In attribute values it also turns white space as written into blanks,
// as XML 1.0 (section 3.3.3) asks; elsewhere it only normalises line ends.
func unescape(s string, attribute bool) string {
	if attribute && !strings.ContainsAny(s, "&\n\t\r") || !attribute && !strings.ContainsAny(s, "&\r") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '&':
			text, n := reference(s[i:])
			if n == 0 { // cannot be: the parser checked
				text, n = "&", 1
			}
			b.WriteString(text)
			i += n
			continue
		case c == '\r':
			if i+1 < len(s) && s[i+1] == '\n' {
				i++
			}
			c = '\n'
		}
		if attribute && (c == '\n' || c == '\t') {
			c = ' '
		}
		b.WriteByte(c)
		i++
	}
	return b.String()
}

// reference reads the reference that s begins with: its text and its length, 0 if it is not one.
func reference(s string) (string, int) {
	end := strings.IndexByte(s[:min(len(s), 16)], ';')
	if end < 2 {
		return "", 0
	}
	switch name := s[1:end]; name {
	case "amp":
		return "&", end + 1
	case "lt":
		return "<", end + 1
	case "gt":
		return ">", end + 1
	case "quot":
		return `"`, end + 1
	case "apos":
		return "'", end + 1
	default:
		if r, ok := characterReference(name); ok {
			return string(r), end + 1
		}
	}
	return "", 0
}

// characterReference reads "#10" or "#xA".
func characterReference(s string) (rune, bool) {
	if len(s) < 2 || s[0] != '#' {
		return 0, false
	}
	base, digits := rune(10), s[1:]
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	if digits == "" {
		return 0, false
	}
	var r rune
	for i := 0; i < len(digits); i++ {
		d, ok := hexDigit(digits[i])
		if !ok || d >= base {
			return 0, false
		}
		if r = r*base + d; r > 0x10FFFF {
			return 0, false
		}
	}
	return r, isXMLChar(r)
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0'), true
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

// isXMLChar reports whether XML 1.0 (section 2.2) allows the character.
func isXMLChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}
