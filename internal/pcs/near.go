package pcs

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// nearest is the known name that a word was probably meant to be, empty if none is near: one that it begins, or is a slip away from.
func nearest(word string, known []string) string {
	for _, k := range known {
		if len(word) > 2 && strings.HasPrefix(k, strings.ToLower(word)) {
			return k
		}
	}
	return cib.Nearest(word, known)
}

// didYouMean is a hint at the nearest name, empty if none is near.
func didYouMean(word string, known []string) string {
	if n := nearest(word, known); n != "" {
		return " (did you mean '" + n + "'?)"
	}
	return ""
}
