package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// OrderEnd is an action of a resource in an ordering; no action stands for start.
type OrderEnd struct{ Action, Resource string }

func (e OrderEnd) action() string {
	if e.Action == "" {
		return "start"
	}
	return e.Action
}

// Order makes an ordering constraint between actions of two resources.
func Order(d *Draft, first, then OrderEnd, options []Pair) error {
	for i, o := range options {
		switch {
		case o.Value == "":
			d.Fail("value of '%s' option is empty", o.Name)
		case o.Name == "kind":
			options[i].Value = capital(o.Value)
		case o.Name == "symmetrical":
			options[i].Value = strings.ToLower(o.Value)
			if options[i].Value != "true" && options[i].Value != "false" {
				d.Fail("invalid symmetrical value '%s', allowed values are: true, false", o.Value)
			}
		}
	}
	d.constrainable(first.Resource)
	d.constrainable(then.Resource)
	if g := d.groupOf(first.Resource); g != "" && g == d.groupOf(then.Resource) {
		d.Fail("Cannot create an order constraint for resources in the same group: '%s' orders them already", g)
	}
	kind, _ := Lookup(options, "kind")
	score, _ := Lookup(options, "score")
	suffix := slices.DeleteFunc([]string{kind, score, "mandatory"}, func(s string) bool { return s == "" })[0]
	id := d.constraintID(options, "order-"+first.Resource+"-"+then.Resource+"-"+suffix)
	d.duplicate(d.Where(func(e *cib.Element) bool {
		return e.Name == "rsc_order" && e.Attr("first") == first.Resource && e.Attr("then") == then.Resource &&
			OrderEnd{Action: e.Attr("first-action")}.action() == first.action() && OrderEnd{Action: e.Attr("then-action")}.action() == then.action()
	}))
	if err := d.Refused(); err != nil {
		return err
	}
	attrs := []cib.Attr{{Name: "id", Value: id}, {Name: "first", Value: first.Resource}, {Name: "then", Value: then.Resource}}
	attrs = append(attrs, attrList(without(options, "id"))...)
	attrs = cib.SetAttr(attrs, "first-action", first.action())
	d.addConstraint("rsc_order", cib.SetAttr(attrs, "then-action", then.action()))
	return nil
}

// groupOf is the group that a primitive is in, if any.
func (d *Draft) groupOf(resource string) string {
	p := d.Find(resource, "primitive")
	if len(p) > 1 && p[len(p)-2].Name == "group" {
		return p[len(p)-2].ID()
	}
	return ""
}

// RemoveFromOrders takes resources out of every ordering constraint; constraints that order nothing any more go.
func RemoveFromOrders(d *Draft, resources []string) error {
	found := false
	for _, r := range resources {
		for {
			p := firstOf(d.Where(func(e *cib.Element) bool {
				return e.Name == "rsc_order" && (e.Attr("first") == r || e.Attr("then") == r)
			}))
			if p == nil {
				break
			}
			d.Put(p, nil)
			found = true
		}
		found = d.removeFromSets(r, func(e *cib.Element) bool { return e.Name == "rsc_order" }) || found
	}
	if !found {
		return d.refuse("No matching resources found in ordering list")
	}
	return nil
}

// removeFromSets takes a resource out of the sets of constraints; empty sets go, and constraints without sets.
func (d *Draft) removeFromSets(resource string, of func(constraint *cib.Element) bool) bool {
	found := false
	for {
		p := firstOf(d.Where(func(e *cib.Element) bool {
			return of(e) && slices.ContainsFunc(slices.Collect(e.Elements()), func(set *cib.Element) bool {
				return set.Name == "resource_set" && set.Find("resource_ref", resource) != nil
			})
		}))
		if p == nil {
			return found
		}
		found = true
		d.Put(p, p.Last().Map(func(e *cib.Element) *cib.Element {
			switch {
			case e.Name == "resource_ref" && e.ID() == resource, e.Name == "resource_set" && e.Child("resource_ref") == nil:
				return nil
			case of(e) && e.Child("resource_set") == nil:
				return nil
			}
			return e
		}))
	}
}

func firstOf(list []cib.Path) cib.Path {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}
