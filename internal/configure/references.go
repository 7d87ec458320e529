package configure

import (
	"maps"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// names reports whether a constraint is about an id, by an attribute of its own.
func names(constraint *cib.Element, id string) bool {
	return constraint.Attr("rsc") == id || constraint.Attr("with-rsc") == id || constraint.Attr("first") == id || constraint.Attr("then") == id
}

// constraints lists the ids of the constraints that pass.
func (d *Draft) constraints(pass func(e *cib.Element) bool) []string {
	var list []string
	for e := range d.root.Child("configuration").Child("constraints").Elements() {
		if pass(e) {
			list = append(list, e.ID())
		}
	}
	return list
}

// referenced reports whether a constraint, a set, a tag or a fencing level names an id.
func (d *Draft) referenced(id string) bool {
	found := false
	d.walk(func(p cib.Path) bool {
		e := p.Last()
		switch e.Name {
		case "obj_ref", "resource_ref":
			found = e.ID() == id
		default:
			found = strings.HasPrefix(e.Name, "rsc_") && names(e, id)
		}
		return !found
	})
	return found
}

// dropConstraints takes constraints out and says so.
func (d *Draft) dropConstraints(ids []string) {
	for _, id := range ids {
		if p := d.Find(id); p != nil {
			d.Info("Removing Constraint - %s", id)
			d.Put(p, nil)
		}
	}
}

// dropReferences takes out what names an id that is no more: constraints, places in sets and tags, and what that leaves empty.
func (d *Draft) dropReferences(id string) {
	for _, tag := range d.Where(func(e *cib.Element) bool { return e.Name == "tag" && e.Find("obj_ref", id) != nil }) {
		d.dropFromTag(tag.Last().ID(), id)
	}
	d.dropFromSets(id)
	for {
		list := d.Where(func(e *cib.Element) bool { return e.Name == "acl_permission" && e.Attr("reference") == id })
		if len(list) == 0 {
			break
		}
		d.Put(list[0], nil)
	}
	d.dropConstraints(d.constraints(func(e *cib.Element) bool { return names(e, id) }))
}

func (d *Draft) dropFromTag(tag, id string) {
	p := d.Find(tag, "tag")
	if n := len(p.Last().Children); n > 1 {
		d.Put(p, p.Last().Replace(p.Last().Index(p.Last().Find("obj_ref", id)), nil))
		return
	}
	all := p[:len(p)-1].Last()
	d.Put(p, nil)
	if len(all.Children) == 1 {
		d.Put(d.Section("tags"), nil)
	}
	d.dropReferences(tag)
}

// dropFromSets takes an id out of resource sets. A set that is left empty goes, and so does a constraint without sets.
func (d *Draft) dropFromSets(id string) {
	for {
		list := d.Where(func(e *cib.Element) bool { return e.Name == "resource_set" && e.Find("resource_ref", id) != nil })
		if len(list) == 0 {
			return
		}
		p := list[0]
		set, constraint := p.Last(), p[len(p)-2]
		d.Info("Removing %s from set %s", id, set.ID())
		if n := len(slices.Collect(set.Elements())); n > 1 {
			d.Put(p, set.Replace(set.Index(set.Find("resource_ref", id)), nil))
			continue
		}
		d.Info("Removing set %s", set.ID())
		sets := 0
		for s := range constraint.Elements() {
			if s.Name == "resource_set" {
				sets++
			}
		}
		if sets > 1 {
			d.Put(p, nil)
			continue
		}
		d.Info("Removing constraint %s", constraint.ID())
		d.Put(p[:len(p)-1], nil)
	}
}

// dropNode takes out what names a node that is no more.
func (d *Draft) dropNode(node string) {
	d.dropConstraints(d.constraints(func(e *cib.Element) bool { return e.Name == "rsc_location" && e.Attr("node") == node }))
}

// dropLevels takes a fence device out of the fencing levels.
func (d *Draft) dropLevels(device string) {
	for {
		list := d.Where(func(e *cib.Element) bool {
			return e.Name == "fencing-level" && slices.Contains(strings.Split(e.Attr("devices"), ","), device)
		})
		if len(list) == 0 {
			return
		}
		p := list[0]
		rest := slices.DeleteFunc(strings.Split(p.Last().Attr("devices"), ","), func(n string) bool { return n == device })
		if len(rest) == 0 {
			d.Put(p, nil)
			d.dropEmpty("fencing-topology")
		} else {
			d.Put(p, p.Last().With("devices", strings.Join(rest, ",")))
		}
	}
}

// dropEmpty takes a section out that has nothing in it.
func (d *Draft) dropEmpty(section string) {
	if e := d.root.Child("configuration").Child(section); e != nil && len(e.Children) == 0 {
		d.Put(d.Section(section), nil)
	}
}
