package listing

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// elementJSON is an element of the document as JSON.
type elementJSON struct {
	Element    string        `json:"element"`
	Attributes object        `json:"attributes"`
	Children   []elementJSON `json:"children"`
}

// SectionJSON shows a section of the configuration as it is, as JSON; if kinds are named, only those of its elements.
func SectionJSON(c *cib.CIB, name string, kinds ...string) Lines {
	list := []elementJSON{}
	for e := range section(c, name).Elements() {
		if len(kinds) == 0 || slices.Contains(kinds, e.Name) {
			list = append(list, treeOf(e))
		}
	}
	return toJSON(list)
}

func treeOf(e *cib.Element) elementJSON {
	t := elementJSON{e.Name, attributesBut(e), []elementJSON{}}
	for c := range e.Elements() {
		t.Children = append(t.Children, treeOf(c))
	}
	return t
}
