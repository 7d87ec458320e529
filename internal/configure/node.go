package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// nodeNames are the names of all nodes, remote and guest nodes too.
func (d *Draft) nodeNames() []string {
	var names []string
	for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "node" || e.Name == "primitive" }) {
		e := p.Last()
		switch {
		case e.Name == "node":
			names = append(names, e.Attr("uname"))
		case e.Attr("class") == "ocf" && e.Attr("provider") == "pacemaker" && e.Attr("type") == "remote":
			names = append(names, e.ID())
		}
		for nv := range e.Child("meta_attributes").Elements() {
			if nv.Attr("name") == "remote-node" {
				names = append(names, nv.Attr("value"))
			}
		}
	}
	return names
}

// CheckNode notes a name that no node has.
func CheckNode(d *Draft, name string) bool {
	if slices.Contains(d.nodeNames(), name) {
		return true
	}
	return d.Doubt("Node '%s' does not appear to exist in configuration", name)
}
