package cib

func (d *decoder) nodes(section *Element) {
	for e := range section.Elements() {
		if e.Name != "node" {
			continue
		}
		n := &Node{ID: e.Attr("id"), Name: e.Attr("uname"), Score: e.Attr("score"), El: e}
		if n.Name == "" {
			n.Name = n.ID
		}
		switch e.Attr("type") {
		case "", "normal", "member":
			n.Kind = NodeMember
		case "remote":
			n.Kind = NodeRemote
		default:
			n.Kind = NodePing
		}
		n.Attrs = d.sets(e, "instance_attributes")
		n.Utilization = d.sets(e, "utilization")
		d.cib.Nodes = append(d.cib.Nodes, n)
	}
}
