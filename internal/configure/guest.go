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
	p := d.resource(id, "primitive")
	if p != nil && guestName(p.Last()) != "" {
		return d.refuse("the resource '%s' is already a guest node", id)
	}
	have := d.remotes("")
	if slices.Contains(have, node) || d.Taken(node) {
		d.Fail("'%s' already exists: choose another name for the guest node", node)
	}
	if addr != "" && addr != node && slices.Contains(have, addr) {
		d.Fail("'%s' already exists: another node has that name or address", addr)
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.SetPairs(p, "meta_attributes", append([]Pair{{Name: "remote-node", Value: node}}, options...))
	return nil
}

// guestName is the name of the node that a resource makes, empty if it makes none.
func guestName(e *cib.Element) string {
	name, _ := Lookup(pairsOf(e, "meta_attributes"), "remote-node")
	return name
}

// RemoveGuest makes an ordinary resource of a guest node, which is named by its name, its address or its resource. It
// returns the names of the nodes.
func RemoveGuest(d *Draft, what string) ([]string, error) {
	var nodes, ids []string
	for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "primitive" && guestName(e) != "" }) {
		e := p.Last()
		if addr, _ := Lookup(pairsOf(e, "meta_attributes"), "remote-addr"); what == guestName(e) || what == e.ID() || what == addr {
			nodes, ids = append(nodes, guestName(e)), append(ids, e.ID())
		}
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
