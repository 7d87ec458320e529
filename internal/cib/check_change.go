package cib

// CheckChange returns the errors that a change has brought: those of after that before does not have.
func CheckChange(before, after *CIB) []Problem {
	var found []Problem
	for _, p := range Check(after) {
		if p.Severity == Error {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil
	}
	type key struct{ id, what string }
	had := make(map[key]bool)
	for _, p := range Check(before) {
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
