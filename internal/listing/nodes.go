package listing

import (
	"cmp"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// NodeNames returns the names of the nodes, sorted.
func NodeNames(c *cib.CIB) []string {
	var names []string
	for _, n := range children(section(c, "nodes"), "node") {
		names = append(names, n.Attr("uname"))
	}
	slices.Sort(names)
	return names
}

// NodeAttributes shows the attributes of nodes: of all or of one, all attributes or the one of a name. Nodes without
// are left out.
func NodeAttributes(c *cib.CIB, node, name string) Lines {
	return perOwner("Node Attributes:", nodePairs(c, "instance_attributes", node, name))
}

// NodeUtilization shows the utilization attributes of nodes, as NodeAttributes does.
func NodeUtilization(c *cib.CIB, node, name string) Lines {
	return perOwner("Node Utilization:", nodePairs(c, "utilization", node, name))
}

func nodePairs(c *cib.CIB, kind, node, name string) []owner {
	var owners []owner
	for _, n := range children(section(c, "nodes"), "node") {
		o := owner{name: n.Attr("uname")}
		for _, p := range pairsOf(n.Child(kind)) {
			if name == "" || p.name == name {
				o.pairs = append(o.pairs, p)
			}
		}
		if (node == "" || node == o.name) && len(o.pairs) > 0 {
			owners = append(owners, o)
		}
	}
	slices.SortStableFunc(owners, func(a, b owner) int { return cmp.Compare(a.name, b.name) })
	return owners
}

// ResourceUtilization shows the utilization attributes of primitives: of all that have some, or of one.
func ResourceUtilization(c *cib.CIB, resource string) Lines {
	var owners []owner
	for _, e := range family(section(c, "resources")) {
		pairs := pairsOf(e.Child("utilization"))
		if kindOf(e) == "primitive" && (resource == e.ID() || resource == "" && len(pairs) > 0) {
			owners = append(owners, owner{e.ID(), pairs})
		}
	}
	return perOwner("Resource Utilization:", owners)
}

// Groups shows the groups, each with its members on one line.
func Groups(c *cib.CIB) Lines {
	var out Lines
	for _, e := range family(section(c, "resources")) {
		if kindOf(e) != "group" {
			continue
		}
		line := e.ID() + ":"
		for _, m := range members(e) {
			line += " " + m.ID()
		}
		out = append(out, line)
	}
	return out
}
