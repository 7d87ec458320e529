package cib

import (
	"cmp"
	"strconv"
	"strings"
)

// compareAttr compares two attribute values as the given type: negative, zero or positive.
func compareAttr(a, b, kind string) int {
	switch kind {
	case "integer":
		x, okX := leadingNumber(a)
		y, okY := leadingNumber(b)
		if okX && okY {
			return cmp.Compare(int64(x), int64(y))
		}
	case "number":
		x, okX := leadingNumber(a)
		y, okY := leadingNumber(b)
		if okX && okY {
			return cmp.Compare(x, y)
		}
	case "version":
		return CompareVersions(a, b)
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

func leadingNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return f, err == nil
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
