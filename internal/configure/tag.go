package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// NewTag makes a tag of resources.
func NewTag(d *Draft, id string, refs []string) error {
	if slices.Contains(refs, id) {
		d.Fail("Tag cannot contain itself")
	}
	d.NewID(id, "id")
	d.taggable(refs, "add")
	if err := d.Refused(); err != nil {
		return err
	}
	d.Add(d.Section("tags"), cib.NewElement("tag", []cib.Attr{{Name: "id", Value: id}}, references(refs)...))
	return nil
}

func references(ids []string) []*cib.Element {
	var list []*cib.Element
	for _, id := range ids {
		list = append(list, cib.NewElement("obj_ref", []cib.Attr{{Name: "id", Value: id}}))
	}
	return list
}

// taggable notes ids that come twice, or are not those of resources.
func (d *Draft) taggable(ids []string, verb string) {
	d.unique(ids, verb)
	for _, id := range ids {
		switch {
		case d.Find(id, resourceTags()...) != nil:
		case d.Find(id) != nil:
			d.Fail("'%s' is not a bundle/clone/group/resource%s", id, d.otherThing(id))
		default:
			d.Fail("bundle/clone/group/resource '%s' does not exist", id)
		}
	}
}

func (d *Draft) unique(ids []string, verb string) {
	var twice []string
	for i, id := range ids {
		if slices.Contains(ids[:i], id) && !slices.Contains(twice, id) {
			twice = append(twice, id)
		}
	}
	if slices.Sort(twice); len(twice) > 0 {
		d.Fail("Ids to %s must be unique, duplicate ids: %s", verb, quoted(twice))
	}
}

// tag is the path to a tag, nil with a problem noted if there is none.
func (d *Draft) tag(id string) cib.Path {
	p := d.Find(id, "tag")
	switch {
	case p != nil:
	case d.Find(id) != nil:
		d.Fail("'%s' is not a tag%s", id, d.otherThing(id))
	default:
		d.Fail("tag '%s' does not exist", id)
	}
	return p
}

// RemoveTags takes tags out that no constraint needs.
func RemoveTags(d *Draft, ids []string) error {
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if d.tag(id) == nil {
			continue
		}
		if used := d.constraintsOn(id); len(used) > 0 {
			d.Fail("Tag '%s' cannot be removed because it is referenced in constraints %s", id, quoted(used))
			continue
		}
		d.Put(d.Find(id, "tag"), nil)
	}
	return d.Refused()
}

// constraintsOn are the ids of the constraints that name something.
func (d *Draft) constraintsOn(id string) []string {
	var ids []string
	for _, p := range d.Where(func(e *cib.Element) bool { return slices.Contains(constraintTags(), e.Name) }) {
		e := p.Last()
		named := slices.ContainsFunc([]string{"rsc", "with-rsc", "first", "then"}, func(a string) bool { return e.Attr(a) == id })
		for set := range e.Elements() {
			named = named || set.Name == "resource_set" && set.Find("resource_ref", id) != nil
		}
		if named {
			ids = append(ids, e.ID())
		}
	}
	slices.Sort(ids)
	return ids
}

// TagChange is a change of a tag: what is added, before or after something of it (or at the end), and what is
// taken out. What is in the tag already and is added with a place, moves there.
type TagChange struct {
	Add, Remove   []string
	Before, After string
}

// UpdateTag changes a tag.
func UpdateTag(d *Draft, id string, change TagChange) error {
	p := d.tag(id)
	d.taggable(change.Add, "add")
	d.unique(change.Remove, "remove")
	next := change.Before + change.After
	var have []string
	if p != nil {
		for ref := range p.Last().Elements() {
			have = append(have, ref.ID())
		}
		d.checkTagChange(id, change, have, next)
	}
	if both := common(change.Add, change.Remove); len(both) > 0 {
		d.Fail("Ids cannot be added and removed at the same time: %s", quoted(both))
	}
	if err := d.Refused(); err != nil {
		return err
	}
	gone := slices.Concat(change.Add, change.Remove)
	refs := slices.DeleteFunc(slices.Clone(have), func(r string) bool { return slices.Contains(gone, r) })
	at := len(refs)
	if next != "" {
		at = slices.Index(refs, next)
		if change.After != "" {
			at++
		}
	}
	d.Put(p, p.Last().WithChildren(references(slices.Insert(refs, at, change.Add...))))
	return nil
}

// checkTagChange notes what is wrong with a change of a tag that has these references.
func (d *Draft) checkTagChange(id string, change TagChange, have []string, next string) {
	if foreign := lacking(have, change.Remove); len(foreign) > 0 {
		d.Fail("Tag '%s' does not contain ids: %s", id, quoted(foreign))
	}
	if len(change.Add) == 0 && len(lacking(change.Remove, have)) == 0 {
		d.Fail("There would be no references left in the tag '%s', please remove the whole tag using the 'pcs tag remove %s' command", id, id)
	}
	if next == "" {
		if twice := common(have, change.Add); len(twice) > 0 {
			d.Fail("Cannot add reference ids already in the tag '%s': %s", id, quoted(twice))
		}
		return
	}
	switch {
	case !slices.Contains(have, next):
		d.Fail("There is no reference id '%s' in the tag '%s', cannot put reference ids next to it in the tag", next, id)
	case slices.Contains(change.Remove, next):
		d.Fail("Cannot remove id '%s' next to which ids are being added", next)
	case slices.Contains(change.Add, next):
		d.Fail("Cannot put id '%s' next to itself", next)
	}
	if len(change.Add) == 0 {
		d.Fail("Cannot specify adjacent id '%s' without ids to add", next)
	}
}

// common are the words that both lists have, sorted.
func common(a, b []string) []string {
	var list []string
	for _, s := range a {
		if slices.Contains(b, s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, strings.Compare)
	return slices.Compact(list)
}

// lacking are the wanted words that a list has not, sorted.
func lacking(have, wanted []string) []string {
	list := slices.DeleteFunc(slices.Clone(wanted), func(s string) bool { return slices.Contains(have, s) })
	slices.Sort(list)
	return slices.Compact(list)
}
