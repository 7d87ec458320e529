package listing

import (
	"github.com/cerco-ha/cerco/internal/cib"
)

// Tags shows the tags of those names, or all, with what they stand for, and returns the names that there is no tag of.
func Tags(c *cib.CIB, names ...string) (out Lines, missing []string) {
	tags := section(c, "tags")
	if len(names) == 0 {
		for _, t := range children(tags, "tag") {
			names = append(names, t.ID())
		}
	}
	for _, name := range names {
		t := tags.Find("tag", name)
		if t == nil {
			missing = append(missing, name)
			continue
		}
		out = append(out, name)
		for _, ref := range children(t, "obj_ref") {
			out = append(out, "  "+ref.ID())
		}
	}
	return out, missing
}
