package configure

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// ErrNoAttribute says that a node has no attribute that could be taken out.
var ErrNoAttribute = errors.New("no such attribute")

// NodeNames are the names of all nodes, remote and guest nodes too, in the order of the document.
func NodeNames(d *Draft) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "node" || e.Name == "primitive" }) {
		e := p.Last()
		switch {
		case e.Name == "node":
			add(e.Attr("uname"))
		case e.Attr("class") == "ocf" && e.Attr("provider") == "pacemaker" && e.Attr("type") == "remote":
			add(e.ID())
		}
		for nv := range e.Child("meta_attributes").Elements() {
			if nv.Attr("name") == "remote-node" {
				add(nv.Attr("value"))
			}
		}
	}
	return names
}

// CheckNode notes a name that no node has. What is said of such a node can be meant for one to come.
func CheckNode(d *Draft, name string) bool {
	if slices.Contains(NodeNames(d), name) {
		return true
	}
	return d.Doubt("Node '%s' does not appear to exist in configuration", name)
}

// node is the path to the element of a node. A remote or guest node gets one when it needs it.
func (d *Draft) node(name string) cib.Path {
	find := func() cib.Path {
		return firstOf(d.Where(func(e *cib.Element) bool { return e.Name == "node" && e.Attr("uname") == name }))
	}
	if p := find(); p != nil {
		return p
	}
	if !slices.Contains(NodeNames(d), name) {
		d.Fail("Node '%s' does not appear to exist in configuration", name)
		return nil
	}
	attrs := []cib.Attr{{Name: "id", Value: name}, {Name: "type", Value: "remote"}, {Name: "uname", Value: name}}
	return d.Add(d.Section("nodes"), cib.NewElement("node", attrs))
}

// SetNodeAttributes sets attributes of a node; empty values take them out. It fails with ErrNoAttribute where there
// is nothing to take out and that is not forced.
func SetNodeAttributes(d *Draft, name string, pairs []Pair) error {
	p := d.node(name)
	if p == nil {
		return d.Refused()
	}
	for _, pair := range pairs {
		if pair.Value == "" && !d.Force && !hasPair(p.Last().Child("instance_attributes"), pair.Name) {
			return fmt.Errorf("%w: attribute: '%s' doesn't exist for node: '%s'", ErrNoAttribute, pair.Name, name)
		}
	}
	d.setNodePairs(p, pairs)
	return nil
}

// setNodePairs is SetPairs of a node's attributes, whose set is called nodes-ID.
func (d *Draft) setNodePairs(p cib.Path, pairs []Pair) {
	if Child(p, "instance_attributes") == nil && slices.ContainsFunc(pairs, func(p Pair) bool { return p.Value != "" }) {
		p = d.Add(p, d.NewSet("instance_attributes", d.Free("nodes-"+p.Last().ID()), nil))
		p = p[:len(p)-1]
	}
	d.SetPairs(p, "instance_attributes", pairs)
}

// MarkNodes sets an attribute, such as standby, of nodes to on, or takes it out.
func MarkNodes(d *Draft, names []string, attribute string, on bool) error {
	value := ""
	if on {
		value = "on"
	}
	for _, name := range names {
		if p := d.node(name); p != nil {
			d.setNodePairs(p, []Pair{{attribute, value}})
		}
	}
	return d.Refused()
}

// SetNodeUtilization sets utilization attributes of a node; empty values take them out.
func SetNodeUtilization(d *Draft, name string, pairs []Pair) error {
	p := firstOf(d.Where(func(e *cib.Element) bool { return e.Name == "node" && e.Attr("uname") == name }))
	if p == nil {
		return d.refuse("Unable to find a node: %s", name)
	}
	if d.checkUtilization(pairs); len(d.problems) > 0 {
		return d.Refused()
	}
	if Child(p, "utilization") == nil && slices.ContainsFunc(pairs, func(p Pair) bool { return p.Value != "" }) {
		p = d.Add(p, d.NewSet("utilization", d.Free("nodes-"+p.Last().ID()+"-utilization"), nil))
		p = p[:len(p)-1]
	}
	d.SetPairs(p, "utilization", Sorted(pairs))
	return nil
}

// checkUtilization notes values that are no integers.
func (d *Draft) checkUtilization(pairs []Pair) {
	for _, p := range pairs {
		if _, err := strconv.Atoi(p.Value); p.Value != "" && err != nil {
			d.Fail("Value of utilization attribute must be integer: '%s=%s'", p.Name, p.Value)
		}
	}
}
