package wire

import "github.com/cerco-ha/cerco/internal/cib"

// ListAttributes lists the node attributes of a CIB: permanent ones, utilization, transient ones. A node may be given by name or
// id; empty strings match everything.
func ListAttributes(c *cib.CIB, node, name string) []Attribute {
	list := []Attribute{}
	add := func(of, id string, sets []*cib.NVSet, permanent, utilized bool) {
		if node != "" && node != of && node != id {
			return
		}
		for _, set := range sets {
			for _, p := range set.Pairs {
				if name == "" || name == p.Name {
					list = append(list, Attribute{Node: of, NodeID: id, Name: p.Name, Value: p.Value,
						Set: set.ID, ID: p.ID, Permanent: permanent, Utilized: utilized})
				}
			}
		}
	}
	for _, n := range c.Nodes {
		add(n.Name, n.ID, n.Attrs, true, false)
		add(n.Name, n.ID, n.Utilization, true, true)
	}
	for _, n := range c.Status.Nodes {
		add(n.Name, n.ID, n.Attrs, false, false)
	}
	return list
}
