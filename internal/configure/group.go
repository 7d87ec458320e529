package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// GroupAdd is what is put into a group, which is made if it is not there.
type GroupAdd struct {
	Group         string
	Resources     []string
	Before, After string // another member
}

// AddToGroup puts resources into a group. They leave the groups that they are in, and a group that is left empty goes.
func AddToGroup(d *Draft, spec GroupAdd) error {
	group := d.Find(spec.Group)
	if group != nil && group.Last().Name != "group" {
		d.Fail("'%s' is not a group: it is a <%s>", spec.Group, group.Last().Name)
		return d.Refused()
	}
	if group == nil {
		d.CheckID(spec.Group, "group name")
	}
	neighbour := spec.Before + spec.After
	d.checkNeighbour(group, spec.Group, neighbour)
	d.checkMembers(spec, group, neighbour)
	if err := d.Refused(); err != nil {
		return err
	}
	var members []*cib.Element
	for _, id := range spec.Resources {
		members = append(members, d.takeOut(id))
	}
	if group = d.Find(spec.Group, "group"); group == nil {
		d.Add(d.Section("resources"), cib.NewElement("group", []cib.Attr{{Name: "id", Value: spec.Group}}, members...))
		return nil
	}
	children := group.Last().Children
	at := len(children)
	for i, c := range children {
		switch {
		case spec.Before != "" && c.ID() == spec.Before:
			at = i
		case spec.After != "" && c.ID() == spec.After:
			at = i + 1
		}
	}
	if neighbour == "" { // members stand together, before what else the group has
		if last := lastMember(children); last >= 0 {
			at = last + 1
		}
	}
	d.Put(group, group.Last().WithChildren(slices.Concat(children[:at:at], members, children[at:])))
	return nil
}

func lastMember(children []*cib.Element) int {
	last := -1
	for i, c := range children {
		if c.Name == "primitive" {
			last = i
		}
	}
	return last
}

// checkMembers notes what cannot be put into the group.
func (d *Draft) checkMembers(spec GroupAdd, group cib.Path, neighbour string) {
	left := map[string][]string{} // by the group that they leave
	for i, id := range spec.Resources {
		p := d.Find(id)
		switch {
		case slices.Contains(spec.Resources[:i], id):
			d.Fail("Resources to add or remove must be unique, duplicate resources: '%s'", id)
			continue
		case p == nil || !slices.Contains(resourceTags(), p.Last().Name):
			d.Fail("resource '%s' does not exist%s", id, d.near(id))
			continue
		case p.Last().Name != "primitive":
			d.Fail("'%s' is a %s resource, %s resources cannot be put into a group", id, p.Last().Name, p.Last().Name)
			continue
		case id == neighbour:
			d.Fail("Cannot put resource '%s' next to itself", id)
			continue
		}
		if p.Last().Attr("class") == "stonith" {
			d.Deprecate("Ability of this command to accept stonith resource is deprecated and will be removed in a future release.")
		}
		switch around := p[len(p)-2]; {
		case around.Name == "group" && group != nil && around.ID() == spec.Group && neighbour == "":
			d.Fail("Cannot add resource '%s', it is already present in group '%s'", id, spec.Group)
		case around.Name == "group":
			left[around.ID()] = append(left[around.ID()], id)
		case around.Name != "resources":
			d.Fail("'%s' cannot be put into a group because its parent '%s' is a %s resource", id, around.ID(), around.Name)
		}
	}
	for _, g := range sortedKeys(left) {
		if g == spec.Group || len(left[g]) < members(d.Find(g, "group").Last()) {
			continue
		}
		if d.referenced(g) || d.cloneReferenced(g) {
			d.Fail("Unable to move resources %s as it would leave group '%s' empty. Please, use the 'pcs resource ungroup %s' command first.", quoted(left[g]), g, g)
		}
	}
}

func members(group *cib.Element) int {
	n := 0
	for c := range group.Elements() {
		if c.Name == "primitive" {
			n++
		}
	}
	return n
}

// cloneReferenced reports whether something names the clone that a group is in.
func (d *Draft) cloneReferenced(group string) bool {
	p := d.Find(group, "group")
	around := p[len(p)-2]
	return around.Name != "resources" && d.referenced(around.ID())
}

// takeOut takes a primitive from where it is, and a group or clone that is left empty with it.
func (d *Draft) takeOut(id string) *cib.Element {
	p := d.Find(id, "primitive")
	e := p.Last()
	for len(p) > 2 && p[len(p)-2].Name != "resources" && (p[len(p)-2].Name != "group" || members(p[len(p)-2]) < 2) {
		p = p[:len(p)-1]
	}
	d.Put(p, nil)
	d.learn(e)
	return e
}

// Ungroup takes resources out of a group, all of them if none is named; a group that is left empty goes.
func Ungroup(d *Draft, id string, resources []string) error {
	group := d.Find(id, "group")
	if group == nil {
		return d.refuse("Group '%s' does not exist", id)
	}
	in := group.Last()
	for _, r := range resources {
		if in.Find("primitive", r) == nil {
			d.Fail("Resource '%s' does not exist in group '%s'", r, id)
		}
	}
	var out, rest []*cib.Element
	for _, c := range in.Children {
		if c.Name == "primitive" && (len(resources) == 0 || slices.Contains(resources, c.ID())) {
			out = append(out, c)
		} else {
			rest = append(rest, c)
		}
	}
	around := group[len(group)-2]
	empty := !slices.ContainsFunc(rest, func(c *cib.Element) bool { return c.Name == "primitive" })
	if empty && around.Name != "resources" && len(out) > 1 {
		d.Fail("Cannot remove all resources from a cloned group: a clone has one resource inside; use 'pcs resource unclone' first")
	}
	if err := d.Refused(); err != nil {
		return err
	}
	switch {
	case empty && around.Name != "resources":
		d.Put(group, out[0])
		d.dropReferences(id)
		return nil
	case empty:
		d.Put(group, nil)
		d.dropReferences(id)
	default:
		d.Put(group, in.WithChildren(rest))
	}
	for _, e := range out {
		d.Add(d.Section("resources"), e)
	}
	return nil
}
