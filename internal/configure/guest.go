package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// guestOptions are the meta attributes that make a resource a guest node, besides the node's name.
func guestOptions() []string {
	return []string{"remote-addr", "remote-connect-timeout", "remote-port"}
}

// AddGuest makes a resource a guest node: what it starts is a node of the cluster.
func AddGuest(d *Draft, node, id string, options []Pair) error {
	for _, o := range options {
		if !slices.Contains(guestOptions(), o.Name) {
			d.Doubt("invalid guest option '%s', allowed options are: '%s'", o.Name, strings.Join(guestOptions(), "', '"))
		}
	}
	addr, _ := Lookup(options, "remote-addr")
	for r := range d.CIB().AllResources() {
		name := metaOf(r, "remote-node")
		switch {
		case r.ID == id && name != "":
			d.Fail("the resource '%s' is already a guest node", id)
		case name == node || r.ID == node || metaOf(r, "remote-addr") == node:
			d.Fail("'%s' already exists", node)
		case addr != "" && (name == addr || metaOf(r, "remote-addr") == addr):
			d.Fail("'%s' already exists", addr)
		}
	}
	if d.CIB().NodeByName(node) != nil {
		d.Fail("'%s' already exists: it is a node of the cluster", node)
	}
	if err := d.Refused(); err != nil {
		return err
	}
	if p := d.resource(id, "primitive"); p != nil {
		d.SetPairs(p, "meta_attributes", append([]Pair{{Name: "remote-node", Value: node}}, options...))
	}
	return d.Refused()
}

// RemoveGuest makes an ordinary resource of a guest node, which is named by its name, its address or its resource. It
// returns the names of the nodes.
func RemoveGuest(d *Draft, what string) ([]string, error) {
	var nodes, ids []string
	for r := range d.CIB().AllResources() {
		node := metaOf(r, "remote-node")
		if node == "" || what != node && what != r.ID && what != metaOf(r, "remote-addr") {
			continue
		}
		nodes, ids = append(nodes, node), append(ids, r.ID)
	}
	if len(ids) == 0 {
		return nil, d.refuse("guest node '%s' does not appear to exist in configuration", what)
	}
	if len(ids) > 1 && !d.Doubt("more than one resource for '%s' found: '%s'", what, strings.Join(ids, "', '")) {
		return nil, d.Refused()
	}
	off := []Pair{{Name: "remote-node"}}
	for _, o := range guestOptions() {
		off = append(off, Pair{Name: o})
	}
	for _, id := range ids {
		d.SetPairs(d.Find(id, "primitive"), "meta_attributes", off)
	}
	return nodes, nil
}

// metaOf is a meta attribute of a resource as it is written, empty if it is not.
func metaOf(r *cib.Resource, name string) string {
	for _, set := range r.Meta {
		for _, p := range set.Pairs {
			if p.Name == name {
				return p.Value
			}
		}
	}
	return ""
}
