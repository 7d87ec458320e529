package listing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// toJSON writes a value on one line in the way that scripts know: a blank after each comma and colon, nothing but
// ASCII.
func toJSON(v any) Lines {
	var out []byte
	inString := false
	for b := encode(v); len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		switch {
		case inString && r == '\\':
			n = 2
			out = append(out, b[:n]...)
		case r >= utf8.RuneSelf:
			out = appendEscape(out, r)
		default:
			inString = inString != (r == '"')
			out = append(out, byte(r))
			if !inString && (r == ',' || r == ':') {
				out = append(out, ' ')
			}
		}
		b = b[n:]
	}
	return Lines{string(out)}
}

// encode writes a value as JSON without blanks; <, > and & stay as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("listing: %T cannot be written as JSON: %v", v, err)) // it is made of strings and numbers
	}
	return bytes.TrimSpace(b.Bytes())
}

// appendEscape writes a rune as \u and its code, or a pair of them.
func appendEscape(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}
