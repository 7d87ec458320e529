package configure

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// CoLocated is a resource of a colocation and the role in which it counts; empty: any.
type CoLocated struct{ Role, Resource string }

// Colocate makes a colocation constraint: first where with is. An empty score stands for INFINITY.
func Colocate(d *Draft, first, with CoLocated, score string, options []Pair) error {
	for _, o := range options {
		if o.Value == "" {
			d.Fail("value of '%s' option is empty", o.Name)
		}
	}
	if score == "" {
		score = "INFINITY"
	}
	d.checkScore(score)
	first.Role, with.Role = d.colocationRole(first.Role), d.colocationRole(with.Role)
	d.constrainable(first.Resource)
	d.constrainable(with.Resource)
	id := d.constraintID(options, "colocation-"+first.Resource+"-"+with.Resource+"-"+score)
	d.duplicate(d.Where(func(e *cib.Element) bool {
		return e.Name == "rsc_colocation" && e.Attr("rsc") == first.Resource && e.Attr("with-rsc") == with.Resource &&
			d.startedOr(e.Attr("rsc-role")) == d.startedOr(first.Role) && d.startedOr(e.Attr("with-rsc-role")) == d.startedOr(with.Role)
	}))
	if err := d.Refused(); err != nil {
		return err
	}
	attrs := []cib.Attr{{Name: "id", Value: id}, {Name: "rsc", Value: first.Resource}, {Name: "with-rsc", Value: with.Resource}, {Name: "score", Value: score}}
	if first.Role != "" || with.Role != "" {
		attrs = append(attrs, cib.Attr{Name: "rsc-role", Value: d.startedOr(first.Role)}, cib.Attr{Name: "with-rsc-role", Value: d.startedOr(with.Role)})
	}
	for _, o := range without(options, "id") {
		attrs = cib.SetAttr(attrs, o.Name, o.Value)
	}
	d.addConstraint("rsc_colocation", attrs)
	return nil
}

// startedOr is a role by its name in this document; no role stands for Started.
func (d *Draft) startedOr(role string) string {
	if role == "" {
		return "Started"
	}
	return d.Role(role)
}

func (d *Draft) colocationRole(role string) string {
	switch strings.ToLower(role) {
	case "", "started", "stopped", "promoted", "unpromoted", "master", "slave":
		return d.oldRole(role)
	}
	d.Fail("invalid role value '%s', allowed values are: 'Master', 'Promoted', 'Slave', 'Started', 'Stopped', 'Unpromoted'", role)
	return role
}

// RemoveColocations takes out the colocations between two resources, whichever comes first.
func RemoveColocations(d *Draft, a, b string) error {
	between := func(e *cib.Element) bool {
		return e.Name == "rsc_colocation" && (e.Attr("rsc") == a && e.Attr("with-rsc") == b || e.Attr("rsc") == b && e.Attr("with-rsc") == a)
	}
	if d.Where(between) == nil {
		return d.refuse("No matching resources found in colocation list: nothing places '%s' with '%s'", a, b)
	}
	for p := firstOf(d.Where(between)); p != nil; p = firstOf(d.Where(between)) {
		d.Put(p, nil)
	}
	return nil
}
