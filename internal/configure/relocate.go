package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// relocatePrefix begins the ids of the constraints that Prefers writes.
const relocatePrefix = "pcs-relocate-"

// Preferred is where a resource is to go.
type Preferred struct {
	Resource, Node string
	Promoted       bool // be promoted there
}

// ID is that of its constraint.
func (p Preferred) ID() string { return relocatePrefix + p.Resource }

// Unstick has resources forget that they had rather stay where they are: those named with what is in them, or all.
func Unstick(d *Draft, ids []string) error {
	for _, id := range ids {
		if d.Find(id, resourceTags()...) == nil {
			d.Fail("unable to find a resource/clone/group/bundle: %s%s", id, d.near(id))
		}
	}
	if err := d.Refused(); err != nil {
		return err
	}
	const name = "resource-stickiness"
	if len(ids) == 0 {
		for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "nvpair" && e.Attr("name") == name }) {
			if p := d.Find(p.Last().ID(), "nvpair"); p != nil {
				d.Put(p, p.Last().With("value", "0"))
			}
		}
		set := d.NewSet("meta_attributes", d.Free("relocate"), []Pair{{name, "0"}})
		d.Add(d.Section("rsc_defaults"), set)
		return nil
	}
	for _, id := range ids {
		var all []string
		for e := range d.Find(id, resourceTags()...).Last().All() {
			if slices.Contains(resourceTags(), e.Name) {
				all = append(all, e.ID())
			}
		}
		for _, one := range all {
			d.SetPairs(d.Find(one, resourceTags()...), "meta_attributes", []Pair{{name, "0"}})
		}
	}
	return nil
}

// Prefers has resources go to nodes, by constraints that DropPrefers takes back.
func Prefers(d *Draft, list []Preferred) error {
	for _, x := range list {
		if p := d.Find(x.ID(), "rsc_location"); p != nil {
			d.Put(p, nil)
		}
		attrs := []cib.Attr{{Name: "id", Value: x.ID()}, {Name: "rsc", Value: x.Resource}, {Name: "score", Value: "INFINITY"}, {Name: "node", Value: x.Node}}
		if x.Promoted {
			attrs = append(attrs, cib.Attr{Name: "role", Value: d.Role("Promoted")})
		}
		d.Add(d.Section("constraints"), cib.NewElement("rsc_location", attrs))
	}
	return nil
}

// DropPrefers takes the constraints of Prefers out, and returns their ids.
func DropPrefers(d *Draft) []string {
	ids := d.constraints(func(e *cib.Element) bool { return strings.HasPrefix(e.ID(), relocatePrefix) })
	for _, id := range ids {
		if p := d.Find(id); p != nil {
			d.Put(p, nil)
		}
	}
	return ids
}
