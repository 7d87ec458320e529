package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// constraintTags are the elements that are constraints.
func constraintTags() []string {
	return []string{"rsc_location", "rsc_order", "rsc_colocation", "rsc_ticket"}
}

// constrainable notes what is wrong with a resource as that of a constraint: it must exist, and constraints are
// for the clone or the bundle that it is in.
func (d *Draft) constrainable(id string) bool {
	p := d.Find(id, resourceTags()...)
	if p == nil {
		return d.Fail("Resource '%s' does not exist%s", id, d.otherThing(id))
	}
	for _, outer := range slices.Backward(p[:len(p)-1]) {
		kind := map[string]string{"clone": "clone", "master": "clone", "bundle": "bundle"}[outer.Name]
		if kind != "" {
			return d.Doubt("%s is a %s resource, you should use the %s id: %s when adding constraints", id, kind, kind, outer.ID())
		}
	}
	return true
}

// otherThing says what has an id instead of a resource.
func (d *Draft) otherThing(id string) string {
	if p := d.Find(id); p != nil {
		return ": that is the id of a <" + p.Last().Name + ">"
	}
	return ""
}

// checkScore notes a text that is no score.
func (d *Draft) checkScore(score string) bool {
	if isScore(score) {
		return true
	}
	return d.Fail("invalid score '%s', use integer or INFINITY or -INFINITY", score)
}

func isScore(score string) bool {
	_, ok := cib.ParseScore(score)
	return ok && score != ""
}

// duplicate notes constraints that say already what a new one would; --force makes another one.
func (d *Draft) duplicate(same []cib.Path) bool {
	if len(same) == 0 {
		return true
	}
	var ids []string
	for _, p := range same {
		ids = append(ids, p.Last().ID())
	}
	return d.Doubt("duplicate constraint already exists: %s", strings.Join(ids, ", "))
}

// addConstraint puts a constraint behind the others.
func (d *Draft) addConstraint(name string, attrs []cib.Attr, children ...*cib.Element) {
	d.Add(d.Section("constraints"), cib.NewElement(name, attrs, children...))
}

// attrList makes attributes of pairs.
func attrList(pairs []Pair) []cib.Attr {
	var attrs []cib.Attr
	for _, p := range pairs {
		attrs = cib.SetAttr(attrs, p.Name, p.Value)
	}
	return attrs
}

// without are the pairs but those of a name.
func without(pairs []Pair, name string) []Pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p Pair) bool { return p.Name == name })
}

// constraintID is the id that was asked for, checked, or one made of the text.
func (d *Draft) constraintID(options []Pair, text string) string {
	if id, ok := Lookup(options, "id"); ok {
		d.NewID(id, "constraint id")
		return id
	}
	return d.Free(text)
}

// RemoveConstraints takes constraints, or rules of constraints, out. A constraint whose last rule goes, goes with it.
func RemoveConstraints(d *Draft, ids []string) error {
	for _, id := range ids {
		switch {
		case d.Find(id, constraintTags()...) != nil:
			d.Put(d.Find(id, constraintTags()...), nil)
		case d.constraintRule(id) != nil:
			d.removeRule(d.constraintRule(id))
		default:
			d.Fail("Unable to find constraint - '%s'%s", id, d.otherThing(id))
		}
	}
	return d.Refused()
}

// constraintRule is the path to a rule directly in a constraint, nil if there is none of that id.
func (d *Draft) constraintRule(id string) cib.Path {
	p := d.Find(id, "rule")
	if len(p) < 2 || !slices.Contains(constraintTags(), p[len(p)-2].Name) {
		return nil
	}
	return p
}

func (d *Draft) removeRule(p cib.Path) {
	constraint := p[:len(p)-1]
	if len(slices.Collect(constraint.Last().Elements())) == 1 {
		d.Info("Removing Constraint: %s", constraint.Last().ID())
		d.Put(constraint, nil)
		return
	}
	d.Info("Removing Rule: %s", p.Last().ID())
	d.Put(p, nil)
}

// RemoveRule takes a rule of a constraint out.
func RemoveRule(d *Draft, id string) error {
	p := d.constraintRule(id)
	if p == nil {
		return d.refuse("unable to find rule with id: %s%s", id, d.otherThing(id))
	}
	d.removeRule(p)
	return nil
}
