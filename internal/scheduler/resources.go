package scheduler

import (
	"sort"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackResources makes the configured resources and the implicit ones, and ties containers, guests
// and connections together.
func (p *planner) unpackResources() {
	p.findUnfencing()
	for _, list := range [][]*cib.Resource{p.in.Resources, p.guestConns} {
		for _, c := range list {
			if c.ID == "" {
				p.warn("a resource without id is ignored")
				continue
			}
			if r := p.build(c, nil, -1); r != nil {
				p.resources = append(p.resources, r)
			}
		}
	}
	for _, r := range p.resources {
		p.linkContainer(r)
		r.each(p.linkRemote)
	}
	sort.SliceStable(p.resources, func(i, j int) bool {
		return p.resources[i].priority > p.resources[j].priority
	})
	for _, r := range p.resources {
		r.each(func(r *resource) { p.haveFencing = p.haveFencing || r.isFenceDevice })
	}
}

// findUnfencing looks for devices that provide unfencing: with one configured, resources require it
// unless they say otherwise.
func (p *planner) findUnfencing() {
	for _, c := range p.in.Resources {
		if c.Class != "stonith" {
			continue
		}
		meta, _ := cib.Evaluate(c.Meta, &cib.RuleInput{Now: p.now}, "")
		if meta["provides"] == "unfencing" {
			p.haveUnfencing = true
		}
	}
}

// build makes a resource with all that is in it. instance is the number among the instances of the
// clone around it, -1 if there is none.
func (p *planner) build(c *cib.Resource, parent *resource, instance int) *resource {
	r := &resource{cfg: c, parent: parent, instance: instance, id: c.ID, name: c.ID,
		class: c.Class, provider: c.Provider, typ: c.Type, ops: c.Ops, spec: c.Bundle, role: roleStopped}
	switch c.Kind {
	case cib.Group:
		r.variant = group
	case cib.Clone:
		r.variant = clone
	case cib.Bundle:
		r.variant = bundle
	}
	p.readMeta(r)
	if r.variant == clone {
		p.readClone(r)
	}
	p.readSettings(r)
	r.unique = p.identity(r)
	if instance >= 0 {
		r.id += ":" + strconv.Itoa(instance)
		if r.unique && r.variant == primitive {
			r.name = r.id
		}
	}
	r.ordered = p.metaBool(r, "ordered", r.variant == group)
	if want, limited := p.targetRole(r); limited {
		r.nextRole, r.nextReason = want, "target-role"
	}
	p.fillAllowed(r)
	p.byID[r.id] = r
	switch r.variant {
	case group:
		for _, m := range c.Children {
			r.children = append(r.children, p.build(m, r, instance))
		}
	case clone:
		p.buildInstances(r)
	case bundle:
		p.buildBundle(r)
		p.fillAllowed(r) // its own guests are no candidates
	}
	return r
}

// identity reports whether each instance stands for itself: always outside of clones, below them where
// the meta attribute says so, which is the clone's own unless a part has its own.
func (p *planner) identity(r *resource) bool {
	if r.variant == clone {
		return r.unique
	}
	for at := r.parent; at != nil; at = at.parent {
		if at.variant == clone {
			return p.metaBool(r, "globally-unique", false)
		}
	}
	return true
}

// fillAllowed makes the table of candidates: in a symmetric cluster every node that may host resources
// and is known by now, at its own score; else none. A bundle's guests are for its own instances only. The
// connection to a guest may be anywhere: it is its container that must be allowed.
func (p *planner) fillAllowed(r *resource) {
	r.allowed = make(nodeTable, len(p.nodes), len(p.nodes)+p.guestRoom)
	guest := r.isConn && r.meta["container"] != ""
	if !p.cfg.symmetric && !guest {
		return
	}
	for i, n := range p.nodes {
		if n.kind != pingNode && (p.cfg.symmetric && !n.ofBundle || !p.cfg.symmetric) {
			r.allowed[i] = nodeScore{score: int32(n.score), in: true}
		}
	}
}

// growAllowed gives every table a place for the nodes that were found later; they are no candidates.
func (p *planner) growAllowed() {
	for _, r := range p.resources {
		r.each(func(r *resource) {
			for len(r.allowed) < len(p.nodes) {
				r.allowed = append(r.allowed, nodeScore{})
			}
		})
	}
}

// each calls f for r and everything in it.
func (r *resource) each(f func(*resource)) {
	f(r)
	for _, c := range r.children {
		c.each(f)
	}
}
