package scheduler

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackColocation expands one colocation constraint to pairs of resources.
func (p *planner) unpackColocation(c *cib.Colocation) {
	score, _ := cib.ParseScore(c.Score)
	if len(c.Sets) > 0 {
		p.unpackColocationSets(c, c.Sets, score)
		return
	}
	if sets, ok := p.colocationTags(c); sets != nil || !ok {
		p.unpackColocationSets(c, sets, score)
		return
	}
	dependent, primary := p.colocationEnd(c.ID, c.Rsc, c.RscInstance), p.colocationEnd(c.ID, c.With, c.WithInstance)
	if dependent == nil || primary == nil {
		return
	}
	p.colocate(c, c.ID, score, dependent, primary, c.RscRole, c.WithRole)
}

// colocationEnd finds one end of a plain colocation; instance is the number of a clone's instance.
func (p *planner) colocationEnd(id, rsc, instance string) *resource {
	r := p.constraintTarget(rsc)
	if r != nil && instance != "" && r.variant == clone {
		for _, c := range r.children {
			if strings.HasSuffix(c.id, ":"+instance) {
				return c
			}
		}
		r = nil
	}
	if r == nil {
		p.warn("constraint " + id + ": no resource '" + rsc + "': the constraint is ignored")
	}
	return r
}

// colocationTags turns an end that is a tag or template into a set whose members have nothing to do with
// each other; nil when neither end is one. Both at once make no sense: then ok is false.
func (p *planner) colocationTags(c *cib.Colocation) (sets []*cib.ResourceSet, ok bool) {
	dependents, set1 := p.expand(c.Rsc)
	primaries, set2 := p.expand(c.With)
	if set1 && set2 {
		p.warn("constraint " + c.ID + ": two templates or tags cannot be colocated: the constraint is ignored")
		return nil, false
	}
	if !set1 && !set2 {
		return nil, true
	}
	return []*cib.ResourceSet{
		{ID: c.Rsc, Refs: dependents, Role: c.RscRole},
		{ID: c.With, Refs: primaries, Role: c.WithRole},
	}, true
}

// colocate adds one colocation, unless its score says nothing.
func (p *planner) colocate(c *cib.Colocation, id string, score int, dependent, primary *resource, role1, role2 string) {
	influence := dependent.critical
	if v, ok := cib.ParseBool(c.Influence); ok {
		influence = v
	}
	col := &colocation{id: id, dependent: dependent, primary: primary, attr: c.NodeAttribute, score: score,
		influence: influence}
	col.dependentRole, _ = constraintRole(role1)
	col.primaryRole, _ = constraintRole(role2)
	p.addColocation(col)
}

// addColocation files a colocation with both ends. Colocations of score 0 and of a resource with itself
// say nothing. "Started" is every role.
func (p *planner) addColocation(c *colocation) {
	if c.score == 0 || c.dependent == c.primary {
		return
	}
	if c.attr == "" {
		c.attr = "#uname"
	}
	if c.dependentRole == roleStarted {
		c.dependentRole = roleUnknown
	}
	if c.primaryRole == roleStarted {
		c.primaryRole = roleUnknown
	}
	stir(c.primary)
	c.dependent.colos = insertColocation(c.dependent.colos, c, (*colocation).primaryEnd)
	c.primary.withs = insertColocation(c.primary.withs, c, (*colocation).dependentEnd)
	p.colocations = append(p.colocations, c)
}

// insertColocation keeps a list sorted by the other end: higher priority first, then bundles, clones,
// groups and primitives, then by id. A newer one goes before its equals.
func insertColocation(list []*colocation, c *colocation, end func(*colocation) *resource) []*colocation {
	at := 0
	for at < len(list) && compareEnds(end(c), end(list[at])) > 0 {
		at++
	}
	list = append(list, nil)
	copy(list[at+1:], list[at:])
	list[at] = c
	return list
}

func (c *colocation) primaryEnd() *resource   { return c.primary }
func (c *colocation) dependentEnd() *resource { return c.dependent }

func compareEnds(a, b *resource) int {
	if a.priority != b.priority {
		return b.priority - a.priority
	}
	if a.variant != b.variant {
		return int(b.variant) - int(a.variant)
	}
	if a.variant == clone && a.promotable != b.promotable {
		if a.promotable {
			return -1
		}
		return 1
	}
	return strings.Compare(a.id, b.id)
}

// influences reports whether the dependent of a colocation may move the primary, or r in its place: when
// it is said to, or while the primary is not active yet. The connection of a container's guest node
// never moves a container that is well.
func (c *colocation) influences(r *resource) bool {
	if r == nil {
		r = c.primary
	}
	if c.dependent.nestedRemote() && !r.failed && len(r.runningOn) == 1 {
		return false
	}
	return c.influence || len(r.runningOn) == 0
}

// nestedRemote reports whether r is the connection of a guest node whose container may itself run on a
// remote node: that of a bundle's replica.
func (r *resource) nestedRemote() bool {
	return r.remote != nil && r.container != nil && r.bundleOf != nil
}
