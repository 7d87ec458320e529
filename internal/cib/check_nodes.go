package cib

// nodes checks that nodes can be told apart.
func (k *checker) nodes() {
	byID, byName := make(map[string]*Element), make(map[string]*Element)
	for _, n := range k.c.Nodes {
		if other := byID[n.ID]; other != nil && n.ID != "" {
			k.errorAt(n.El, "take one of them out", "two nodes have the id %q; the other is on line %d", n.ID, other.Line)
		} else {
			byID[n.ID] = n.El
		}
		if other := byName[n.Name]; other != nil && n.Name != "" {
			k.errorAt(n.El, "take one of them out", "two nodes have the name %q; the other is on line %d", n.Name, other.Line)
		} else {
			byName[n.Name] = n.El
		}
		if n.El.Attr("type") == "ping" {
			k.warnAt(n.El, "take the node out", "nodes of type ping never run anything and are a thing of the past")
		}
	}
}
