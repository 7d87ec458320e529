package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// references resolves the ids that constraints use: resources, tags and resource templates.
type references struct {
	tags      map[string][]string // resources that a tag names
	templates map[string][]string // resources made from a template
}

// constraintRefs returns the tags and templates, read once.
func (p *planner) constraintRefs() *references {
	if p.refs != nil {
		return p.refs
	}
	refs := &references{tags: map[string][]string{}, templates: map[string][]string{}}
	for _, t := range p.in.Tags {
		refs.tags[t.ID] = append(refs.tags[t.ID], t.Refs...)
	}
	for id := range p.in.Templates {
		refs.templates[id] = nil
	}
	var walk func(rs []*cib.Resource)
	walk = func(rs []*cib.Resource) {
		for _, r := range rs {
			if r.Template != "" {
				refs.templates[r.Template] = append(refs.templates[r.Template], r.ID)
			}
			walk(r.Children)
		}
	}
	walk(p.in.Resources)
	p.refs = refs
	return refs
}

// constraintTarget finds the resource that a constraint means by id; nil if there is none. The name of
// what is inside a clone means the whole clone, but only once history knows an instance by that name; a
// numbered instance means itself.
func (p *planner) constraintTarget(id string) *resource {
	r := p.find(id)
	if r == nil || r.id == id {
		return r
	}
	top := r.outer()
	if knownAs(top, id) {
		return top
	}
	return nil
}

// knownAs reports whether history knows something inside r by that name.
func knownAs(r *resource, name string) bool {
	if r.renamed && r.name == name {
		return true
	}
	for _, c := range r.children {
		if knownAs(c, name) {
			return true
		}
	}
	return false
}

// expand returns the ids that a reference stands for: those of a tag or template, or itself. set is
// true when it was a tag or template.
func (p *planner) expand(id string) (ids []string, set bool) {
	if p.constraintTarget(id) != nil {
		return []string{id}, false
	}
	refs := p.constraintRefs()
	if ids, ok := refs.templates[id]; ok {
		return ids, true
	}
	if ids, ok := refs.tags[id]; ok {
		return ids, true
	}
	return []string{id}, false
}

// expandAll expands each of the references of a resource set. One that is nothing at all spoils it for
// the others: then they are taken as they stand.
func (p *planner) expandAll(refs []string) []string {
	var out []string
	for _, id := range refs {
		ids, set := p.expand(id)
		if !set && p.constraintTarget(id) == nil {
			return refs
		}
		out = append(out, ids...)
	}
	return out
}

// setMembers returns the resources of a set up to the first that does not exist; ok is then false, and
// what follows in the constraint is ignored with a warning.
func (p *planner) setMembers(constraint string, set *cib.ResourceSet) (members []*resource, ok bool) {
	for _, id := range p.expandAll(set.Refs) {
		r := p.constraintTarget(id)
		if r == nil {
			p.warn("constraint " + constraint + ", set " + set.ID + ": no resource or tag '" + id +
				"': it and what follows is ignored")
			return members, false
		}
		members = append(members, r)
	}
	return members, true
}
