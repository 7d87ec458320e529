package cib

import (
	"fmt"
	"regexp"
)

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
	if !u.Permanent && !u.Utilized {
		a.transient(u, id, remote, wanted)
		return nil
	}
	return a.permanent(u, id, remote, wanted)
}

// edit is a block of attributes as the update changes it.
func (u *AttributeUpdate) edit(set *Element, wanted func(name string) bool, taken map[string]bool) *Element {
	if u.Delete {
		return withoutPairs(set, wanted)
	}
	if !u.Pattern {
		return setPair(set, u.Name, u.Value, taken)
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
func (a *applying) transient(u *AttributeUpdate, id string, remote bool, wanted func(name string) bool) {
	var n *NodeEdit
	if u.Delete || u.Pattern {
		if n = a.edit().Known(u.Node); n == nil || n.transientElement() == nil {
			return
		}
	} else {
		n = a.nodeState(u.Node, id, remote)
	}
	setID := u.Set
	if setID == "" {
		setID = transientSet(n)
	}
	n.editTransient(setID, u.Set, func(set *Element) *Element { return u.edit(set, wanted, nil) })
}

// permanent changes attributes in the configuration.
func (a *applying) permanent(u *AttributeUpdate, id string, remote bool, wanted func(name string) bool) error {
	onlyKnown := u.Delete || u.Pattern
	if a.cib.Node(id) == nil {
		if onlyKnown {
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
	element, setID := "instance_attributes", "nodes-"+id
	if u.Utilized {
		element, setID = "utilization", "nodes-"+id+"-utilization"
	}
	conf := a.cib.Root.Child("configuration")
	nodes := conf.Child("nodes")
	node := nodes.Find("node", id)
	set, taken := findSet(node, element, u.Set), map[string]bool(nil)
	if !onlyKnown {
		taken = idsOf(conf)
	}
	changed := node
	switch {
	case set != nil:
		if now := u.edit(set, wanted, taken); now != set {
			changed = node.Swap(set, now)
		}
	case onlyKnown:
	case u.Set != "" && taken[u.Set]:
		return fmt.Errorf("%w: no block for attributes of node %q can be called %q", ErrExists, u.Node, u.Set)
	default:
		if u.Set != "" {
			setID = u.Set
		}
		for setID = idText(setID); taken[setID]; {
			setID += "-2"
		}
		changed = node.WithChild(u.edit(NewElement(element, []Attr{{"id", setID}}), wanted, taken))
	}
	if changed == node {
		return nil
	}
	conf = conf.Swap(nodes, nodes.Swap(node, changed))
	return a.editConfiguration(func(*Element) *Element { return conf })
}

// idsOf are the ids that are taken in a configuration.
func idsOf(conf *Element) map[string]bool {
	taken := make(map[string]bool)
	for e := range conf.All() {
		if id, ok := e.Lookup("id"); ok {
			taken[id] = true
		}
	}
	return taken
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
