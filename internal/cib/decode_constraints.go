package cib

import "strings"

func (d *decoder) constraints(section *Element) {
	c := d.cib
	for e := range section.Elements() {
		switch e.Name {
		case "rsc_location":
			l := d.location(e)
			c.Locations = append(c.Locations, l)
			c.Constraints = append(c.Constraints, l)
		case "rsc_colocation":
			l := d.colocation(e)
			c.Colocations = append(c.Colocations, l)
			c.Constraints = append(c.Constraints, l)
		case "rsc_order":
			o := d.order(e)
			c.Orders = append(c.Orders, o)
			c.Constraints = append(c.Constraints, o)
		case "rsc_ticket":
			t := d.ticket(e)
			c.Tickets = append(c.Tickets, t)
			c.Constraints = append(c.Constraints, t)
		}
	}
}

func (d *decoder) location(e *Element) *Location {
	l := &Location{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			l.ID = value
		case "rsc":
			l.Rsc = value
		case "rsc-pattern":
			l.RscPattern, l.Negate = strings.CutPrefix(value, "!")
		case "role":
			l.Role = value
		case "node":
			l.Node = value
		case "score":
			l.Score = value
		case "resource-discovery":
			l.Discovery = value
		}
	}
	for c := range e.Elements() {
		switch c.Name {
		case "rule":
			if r := d.rule(c); r != nil {
				l.Rules = append(l.Rules, r)
			}
		case "lifetime":
			l.Lifetime = append(l.Lifetime, d.rules(c)...)
		case "resource_set":
			if s := d.resourceSet(c); s != nil {
				l.Sets = append(l.Sets, s)
			}
		}
	}
	return l
}

func (d *decoder) colocation(e *Element) *Colocation {
	k := &Colocation{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			k.ID = value
		case "rsc":
			k.Rsc = value
		case "with-rsc":
			k.With = value
		case "rsc-role":
			k.RscRole = value
		case "with-rsc-role":
			k.WithRole = value
		case "rsc-instance":
			k.RscInstance = value
		case "with-rsc-instance":
			k.WithInstance = value
		case "node-attribute":
			k.NodeAttribute = value
		case "score":
			k.Score = value
		case "influence":
			k.Influence = value
		}
	}
	k.Sets, k.Lifetime = d.setsAndLifetime(e)
	return k
}

func (d *decoder) order(e *Element) *Order {
	o := &Order{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			o.ID = value
		case "first":
			o.First = value
		case "then":
			o.Then = value
		case "first-action":
			o.FirstAction = value
		case "then-action":
			o.ThenAction = value
		case "first-instance":
			o.FirstInstance = value
		case "then-instance":
			o.ThenInstance = value
		case "kind":
			o.Kind = value
		case "score":
			o.Score = value
		case "symmetrical":
			o.Symmetrical = value
		case "require-all":
			o.RequireAll = value
		}
	}
	o.Sets, o.Lifetime = d.setsAndLifetime(e)
	return o
}

func (d *decoder) ticket(e *Element) *TicketConstraint {
	t := &TicketConstraint{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			t.ID = value
		case "rsc":
			t.Rsc = value
		case "rsc-role":
			t.RscRole = value
		case "ticket":
			t.Ticket = value
		case "loss-policy":
			t.LossPolicy = value
		}
	}
	t.Sets, _ = d.setsAndLifetime(e)
	return t
}

func (d *decoder) setsAndLifetime(e *Element) (sets []*ResourceSet, lifetime []*Rule) {
	for c := range e.Elements() {
		switch c.Name {
		case "resource_set":
			if s := d.resourceSet(c); s != nil {
				sets = append(sets, s)
			}
		case "lifetime":
			lifetime = append(lifetime, d.rules(c)...)
		}
	}
	return sets, lifetime
}

func (d *decoder) resourceSet(e *Element) *ResourceSet {
	if e = d.resolve(e); e == nil {
		return nil
	}
	s := &ResourceSet{Sequential: true, RequireAll: true, El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			s.ID = value
		case "sequential":
			s.Sequential = boolOr(value, true)
		case "require-all":
			s.RequireAll = boolOr(value, true)
		case "action":
			s.Action = value
		case "role":
			s.Role = value
		case "score":
			s.Score = value
		case "kind":
			s.Kind = value
		case "ordering":
			s.Ordering = value
		}
	}
	for c := range e.Elements() {
		if c.Name == "resource_ref" {
			s.Refs = append(s.Refs, c.Attr("id"))
		}
	}
	return s
}
