package cli

import "strings"

func when(cond bool, s string) string {
	if cond {
		return s
	}
	return ""
}

// words joins those that are not empty.
func words(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}
