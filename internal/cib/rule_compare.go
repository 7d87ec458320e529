package cib

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// compareAttr compares two attribute values as the given type: negative, zero or positive. Numbers may
// be followed by anything; values of which one does not begin with a number are compared as strings,
// without regard to case. All values of an unknown type are equal.
func compareAttr(a, b, kind string) int {
	switch kind {
	case "integer":
		x, _, okX := leadingInt(a)
		y, _, okY := leadingInt(b)
		if okX && okY {
			return cmp.Compare(x, y)
		}
	case "number":
		x, okX := leadingNumber(a)
		y, okY := leadingNumber(b)
		if okX && okY {
			return cmp.Compare(x, y)
		}
	case "version":
		return CompareVersions(a, b)
	case "string":
	default:
		return 0
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// leadingNumber reads the decimal number that s begins with, after blanks.
func leadingNumber(s string) (float64, bool) {
	s = strings.TrimLeft(s, " \t\r\n")
	for end := numberLength(s); end > 0; end-- {
		if f, err := strconv.ParseFloat(s[:end], 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return f, true
		}
	}
	return 0, false
}

// numberLength tells how many bytes of s can belong to a decimal number, or to "inf" or "infinity".
func numberLength(s string) int {
	for _, word := range [...]string{"infinity", "inf"} {
		if n := len(strings.TrimLeft(s, "+-")) - len(word); n >= 0 {
			if end := len(s) - n; strings.EqualFold(strings.TrimLeft(s[:end], "+-"), word) {
				return end
			}
		}
	}
	n := 0
	for n < len(s) && n < 64 && strings.IndexByte("+-.eE0123456789", s[n]) >= 0 {
		n++
	}
	return n
}

// CompareVersions compares dotted version numbers part by part; a missing part counts as zero.
func CompareVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := cmp.Compare(parseInt(x, 0), parseInt(y, 0)); c != 0 {
			return c
		}
	}
	return 0
}
