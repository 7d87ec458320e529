package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// near is a hint at the resource that was probably meant by an id that nothing has, empty if none is near.
func (d *Draft) near(id string) string {
	var known []string
	for _, p := range d.Where(func(e *cib.Element) bool { return slices.Contains(resourceTags(), e.Name) }) {
		known = append(known, p.Last().ID())
	}
	if best := cib.Nearest(id, known); best != "" {
		return " (did you mean '" + best + "'?)"
	}
	return ""
}
