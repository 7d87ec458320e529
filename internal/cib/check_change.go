package cib

import (
	"strings"
)

// CheckChange returns the errors that a change has brought: those of after that before does not have. What is about the
// configuration as a whole is no error of the change: a first resource may well come before the first fence device.
func CheckChange(before, after *CIB) []Problem {
	var found []Problem
	for _, p := range check(after, true) {
		if p.Severity == Error && !p.Standing {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil
	}
	type key struct{ id, what string }
	had := make(map[key]bool)
	for _, p := range check(before, true) {
		had[key{p.ID, p.What}] = true
	}
	var fresh []Problem
	for _, p := range found {
		if !had[key{p.ID, p.What}] {
			fresh = append(fresh, p)
		}
	}
	return fresh
}

// Refuse returns a *CommandError with the errors that a change would bring, nil if it brings none. A long list is cut.
func Refuse(before, after *CIB) error {
	bad := CheckChange(before, after)
	if len(bad) == 0 {
		return nil
	}
	if len(bad) == 1 {
		one, fix := bad[0], bad[0].Fix
		one.Fix = ""
		return &CommandError{What: one.text(), Fix: fix}
	}
	var text []string
	for _, p := range bad[:min(len(bad), 10)] {
		text = append(text, p.text())
	}
	return &CommandError{What: strings.Join(text, "\n")}
}

// text is the problem as a refusal says it: a change has lines only where its author wrote some.
func (p Problem) text() string {
	s := strings.TrimPrefix(p.String(), "CIB:0: ")
	return strings.TrimPrefix(s, "error: ")
}
