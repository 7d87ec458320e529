package cib

import "regexp"

// attribute sets or removes node attributes.
func (a *applying) attribute(u *AttributeUpdate) error {
	id, remote, ok := a.target(u.Node)
	switch {
	case !ok:
		return refuse("`cerco status` lists the nodes", "there is no node %q", u.Node)
	case u.Name == "":
		return refuse("give it one", "an attribute of node %q has no name", u.Node)
	}
	wanted := func(name string) bool { return name == u.Name }
	if u.Pattern {
		re, err := regexp.CompilePOSIX(u.Name)
		if err != nil {
			return refuse("write a POSIX extended regular expression", "%q: %v", u.Name, err)
		}
		wanted = re.MatchString
	}
	edit := func(set *Element) *Element { return u.edit(set, wanted) }
	if !u.Permanent && !u.Utilized {
		return a.transient(u, id, remote, edit)
	}
	return a.permanent(u, id, remote, edit)
}

// edit is a block of attributes as the update changes it.
func (u *AttributeUpdate) edit(set *Element, wanted func(name string) bool) *Element {
	if u.Delete {
		return withoutPairs(set, wanted)
	}
	if !u.Pattern {
		return WithPair(set, u.Name, u.Value)
	}
	for c := range set.Elements() {
		if name := c.Attr("name"); c.Name == "nvpair" && wanted(name) {
			set = WithPair(set, name, u.Value)
		}
	}
	return set
}

// transient changes attributes in the status section, which last until the node leaves. Attributes are not made
// by a pattern, nor by being deleted.
func (a *applying) transient(u *AttributeUpdate, id string, remote bool, edit func(*Element) *Element) error {
	var n *NodeEdit
	if u.Delete || u.Pattern {
		if n = a.edit().Known(u.Node); n == nil || n.transientElement() == nil {
			return nil
		}
	} else {
		n = a.nodeState(u.Node, id, remote)
	}
	setID := u.Set
	if setID == "" {
		setID = transientSet(n)
	}
	n.editTransient(setID, u.Set, edit)
	return nil
}

// permanent changes attributes in the configuration.
func (a *applying) permanent(u *AttributeUpdate, id string, remote bool, edit func(*Element) *Element) error {
	element, setID := "instance_attributes", "nodes-"+id
	if u.Utilized {
		element, setID = "utilization", "nodes-"+id+"-utilization"
	}
	if a.cib.Node(id) == nil {
		if u.Delete || u.Pattern {
			return nil
		}
		kind := ""
		if remote {
			kind = "remote"
		}
		if err := a.addNode(id, u.Node, kind); err != nil {
			return err
		}
	}
	return a.editConfiguration(func(conf *Element) *Element {
		return editSection(conf, "nodes", func(nodes *Element) *Element {
			node := nodes.Find("node", id)
			set := findSet(node, element, u.Set)
			if set == nil {
				if u.Delete || u.Pattern {
					return nodes
				}
				if u.Set != "" {
					setID = u.Set
				}
				set = NewElement(element, []Attr{{"id", idText(setID)}})
				return replaceChild(nodes, node, node.WithChild(edit(set)))
			}
			changed := edit(set)
			if changed == set {
				return nodes
			}
			return replaceChild(nodes, node, replaceChild(node, set, changed))
		})
	})
}

// findSet is the block of that id, the first one if the id is empty; nil if there is none.
func findSet(in *Element, name, id string) *Element {
	for c := range in.Elements() {
		if c.Name == name && (id == "" || c.Attr("id") == id) {
			return c
		}
	}
	return nil
}
