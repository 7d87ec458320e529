package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// cloned puts a resource into a new clone, and returns its id.
func (d *Draft) cloned(p cib.Path, id string, meta []Pair, promotable bool) string {
	inside := p.Last()
	if id == "" {
		id = d.Free(inside.ID() + "-clone")
	}
	if promotable {
		meta = append([]Pair{{"promotable", "true"}}, meta...)
	}
	clone := cib.NewElement("clone", []cib.Attr{{Name: "id", Value: id}}, inside)
	if len(meta) > 0 {
		clone = clone.WithChild(d.newMeta(d.Free(id+"-meta_attributes"), Sorted(meta)))
	}
	d.Put(p, clone)
	return id
}

// remotes are the names and addresses of the nodes that resources make: remote and guest nodes.
func (d *Draft) remotes(except string) []string {
	var list []string
	for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "primitive" && e.ID() != except }) {
		e := p.Last()
		if AgentOf(e) == remoteAgent() {
			list = append(list, e.ID())
			if server, ok := Lookup(pairsOf(e, "instance_attributes"), "server"); ok {
				list = append(list, server)
			}
		}
		meta := pairsOf(e, "meta_attributes")
		if node, ok := Lookup(meta, "remote-node"); ok {
			list = append(list, node)
			if addr, ok := Lookup(meta, "remote-addr"); ok {
				list = append(list, addr)
			}
		}
	}
	for _, n := range d.Where(func(e *cib.Element) bool { return e.Name == "node" }) {
		list = append(list, n.Last().Attr("uname"))
	}
	return list
}

func remoteAgent() AgentName { return AgentName{"ocf", "pacemaker", "remote"} }

// checkRemote notes that a resource would make a node of the cluster, for which there are commands of its own.
func (d *Draft) checkRemote(name AgentName, params, meta []Pair, id string) {
	var named []string
	if name == remoteAgent() {
		if !d.Doubt("this command is not sufficient for creating a remote connection, use 'pcs cluster node add-remote'") {
			return
		}
		named = append(named, id)
		if server, ok := Lookup(params, "server"); ok {
			named = append(named, server)
		}
	}
	named = append(named, d.checkGuest(meta)...)
	have := d.remotes(id)
	for _, n := range named {
		if n != "" && (slices.Contains(have, n) || n != id && d.Taken(n)) {
			d.Fail("'%s' already exists: a node or a resource has that name or address", n)
		}
	}
}

// checkGuest notes that meta attributes make a resource a guest node, or no longer one. It returns the names that the guest
// node would have.
func (d *Draft) checkGuest(meta []Pair) []string {
	node, ok := Lookup(meta, "remote-node")
	switch {
	case !ok:
		return nil
	case node == "":
		d.Doubt("this command is not sufficient for removing a guest node, use 'pcs cluster node remove-guest'")
		return nil
	}
	if !d.Doubt("this command is not sufficient for creating a guest node, use 'pcs cluster node add-guest'") {
		return nil
	}
	names := []string{node}
	if addr, ok := Lookup(meta, "remote-addr"); ok {
		names = append(names, addr)
	}
	return names
}

// Clone makes a resource or a group a clone. Where it was in a group it leaves it.
func Clone(d *Draft, agents Agents, id string, o *CloneOptions) error {
	p := d.Find(id, "primitive", "group")
	if p == nil {
		if b := d.Find(id, "bundle"); b != nil {
			return d.refuse("cannot clone bundle resource")
		}
		return d.refuse("unable to find group or resource: %s%s", id, d.clonedHint(id))
	}
	e, around := p.Last(), p[len(p)-2]
	switch around.Name {
	case "bundle":
		return d.refuse("cannot clone bundle resource")
	case "clone", "master":
		return d.refuse("%s is already a clone resource: it is in the clone %s", id, around.ID())
	case "group":
		if c := p[len(p)-3]; c.Name != "resources" {
			return d.refuse("cannot clone a group that has already been cloned: %s is in the clone %s", around.ID(), c.ID())
		}
	}
	if e.Attr("class") == "stonith" {
		d.Deprecate("Ability of this command to accept stonith resources is deprecated and will be removed in a future release.")
		d.Doubt("No need to clone stonith resource '%s', any node can use a stonith resource (unless specifically banned) regardless of whether the stonith resource is running on that node or not", id)
	}
	if o.ID != "" {
		d.NewID(o.ID, "clone id")
	}
	promotable, _ := Lookup(o.Meta, "promotable")
	if o.Promotable || isTrue(promotable) {
		d.checkPromotable(agents, e)
	}
	d.checkUnique(agents, e, o.Meta)
	d.checkInstalled(agents, e)
	if err := d.Refused(); err != nil {
		return err
	}
	if around.Name == "group" {
		d.takeOut(id)
	} else {
		d.Put(p, nil)
	}
	clone := d.cloned(d.Add(d.Section("resources"), e), o.ID, slices.DeleteFunc(slices.Clone(o.Meta), func(p Pair) bool { return p.Value == "" }), o.Promotable)
	d.rename(id, clone)
	return nil
}

// rename has the constraints about one id be about another.
func (d *Draft) rename(from, to string) {
	for _, c := range d.constraints(func(e *cib.Element) bool { return e.Name != "rsc_ticket" && names(e, from) }) {
		p := d.Find(c)
		e := p.Last()
		for _, name := range []string{"rsc", "with-rsc", "first", "then"} {
			if e.Attr(name) == from {
				e = e.With(name, to)
			}
		}
		d.Put(p, e)
	}
}

// asClone makes a clone of a promotable resource that is written the older way.
func (d *Draft) asClone(p cib.Path) cib.Path {
	if p.Last().Name != "master" {
		return p
	}
	old := p.Last()
	p = d.Put(p, cib.NewElement("clone", old.AttrList(), old.Children...))
	return d.SetPairs(p, "meta_attributes", []Pair{{"promotable", "true"}})
}

// clonedHint recognises "NAME-clone NAME" of which a book has lost the middle.
func (d *Draft) clonedHint(id string) string {
	for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "primitive" || e.Name == "group" }) {
		if have := p.Last().ID(); id == have+"-"+have {
			return ": was '" + have + "-clone " + have + "' meant? Then it is: pcs resource promotable " + have + " " + have + "-clone, with the same options"
		}
	}
	return d.near(id)
}

// checkPromotable notes agents inside of a resource that cannot be promoted.
func (d *Draft) checkPromotable(agents Agents, e *cib.Element) {
	for m := range e.All() {
		if m.Name != "primitive" {
			continue
		}
		where := ""
		if e.Name == "group" {
			where = " in group '" + e.ID() + "'"
		}
		name := AgentOf(m)
		if name.Class != "ocf" {
			d.Fail("Clone option 'promotable' is not compatible with '%s' resource agent of resource '%s'%s", name, m.ID(), where)
			continue
		}
		if a, err := agents.Metadata(name.Class, name.Provider, name.Type); err != nil {
			d.Doubt("Agent '%s' is not installed or does not provide valid metadata: %v", name, err)
		} else if a.Modern && (!a.has("promote") || !a.has("demote")) {
			d.Fail("Clone option 'promotable' is not compatible with '%s' resource agent of resource '%s'%s", name, m.ID(), where)
		}
	}
}

// checkInstalled notes agents of resources that nobody knows.
func (d *Draft) checkInstalled(agents Agents, e *cib.Element) {
	for m := range e.All() {
		if m.Name == "primitive" && m.Attr("class") == "ocf" {
			d.metadata(agents, AgentOf(m))
		}
	}
}

// checkUnique notes that an agent of which a node can have one only is to run several times.
func (d *Draft) checkUnique(_ Agents, e *cib.Element, meta []Pair) {
	if v, _ := Lookup(meta, "globally-unique"); !isTrue(v) {
		return
	}
	for m := range e.All() {
		if m.Name == "primitive" && m.Attr("class") != "ocf" {
			where := ""
			if e.Name == "group" {
				where = " in group '" + e.ID() + "'"
			}
			d.Fail("Clone option 'globally-unique' is not compatible with '%s' resource agent of resource '%s'%s", AgentOf(m), m.ID(), where)
		}
	}
}

func (a *Agent) has(action string) bool {
	return slices.ContainsFunc(a.Actions, func(x []cib.Attr) bool { return attr(x, "name") == action })
}

// Unclone takes a clone away from around its resource.
func Unclone(d *Draft, id string) error {
	p := d.Find(id, resourceTags()...)
	if p == nil {
		return d.refuse("could not find resource: %s%s", id, d.near(id))
	}
	for len(p) > 3 && p.Last().Name != "clone" && p.Last().Name != "master" {
		p = p[:len(p)-1]
	}
	clone := p.Last()
	if clone.Name != "clone" && clone.Name != "master" {
		return d.refuse("'%s' is not a clone resource", id)
	}
	inside := clone.Child("primitive")
	if inside == nil {
		inside = clone.Child("group")
	}
	d.dropReferences(clone.ID())
	d.Put(d.Find(clone.ID(), "clone", "master"), nil)
	if inside != nil {
		d.Add(d.Section("resources"), inside)
	}
	return d.Refused()
}
