package scheduler

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// pull applies a colocation to its dependent once the primary is assigned, where r is the dependent or
// an instance or member of it, and primary is the colocation's primary or something inside it.
func (p *planner) pull(r, primary *resource, c *colocation) {
	if r.variant == group {
		p.pullGroup(r, primary, c)
		return
	}
	switch primary.variant {
	case group:
		p.pullToGroup(r, primary, c)
	case clone:
		p.pullToClone(r, primary, c)
	case bundle:
		p.pullToBundle(r, primary, c)
	default:
		switch colocationEffect(r, primary, c, false) {
		case effectRole:
			p.pullPriority(r, primary, c)
		case effectPlace:
			p.pullScores(r, primary, c)
		}
	}
}

// pullGroup applies it to the first member, which the others follow; to each member of a group that does
// not stay together.
func (p *planner) pullGroup(g, primary *resource, c *colocation) {
	if groupColocated(g) {
		if len(g.children) > 0 {
			p.pull(g.children[0], primary, c)
		}
		return
	}
	if c.score >= infinity {
		p.warn("colocation " + c.id + ": group " + g.id + " does not stay together, so it cannot follow " + primary.id)
		return
	}
	for _, m := range g.children {
		p.pull(m, primary, c)
	}
}

// pullToGroup applies it to the last member when the whole group must be there, else to the first.
func (p *planner) pullToGroup(r, g *resource, c *colocation) {
	if !g.isAssigned || len(g.children) == 0 {
		return
	}
	if groupColocated(g) {
		member := g.children[0]
		if c.score >= infinity {
			member = g.children[len(g.children)-1]
		}
		p.pull(r, member, c)
		return
	}
	if c.score >= infinity {
		p.warn("colocation " + c.id + ": group " + g.id + " does not stay together, so " + r.id + " cannot follow it")
		return
	}
	for _, m := range g.children {
		p.pull(r, m, c)
	}
}

// effect is what a colocation has a say in.
type effect uint8

const (
	effectNone  effect = iota
	effectPlace        // where the dependent goes
	effectRole         // which instance of a promotable clone is promoted
)

// colocationEffect tells what a colocation decides. With preview, the decisions still to come are
// assumed to be open.
func colocationEffect(dependent, primary *resource, c *colocation, preview bool) effect {
	if !preview && !primary.isAssigned {
		return effectNone
	}
	if c.dependentRole >= roleUnpromoted && dependent.parent != nil && dependent.parent.promotable && dependent.isAssigned {
		return effectRole
	}
	if !preview && dependent.isAssigned {
		return effectNone
	}
	if c.score > 0 {
		if c.dependentRole != roleUnknown && c.dependentRole != dependent.nextRole ||
			c.primaryRole != roleUnknown && c.primaryRole != primary.nextRole {
			return effectNone
		}
		return effectPlace
	}
	if c.dependentRole != roleUnknown && c.dependentRole == dependent.nextRole ||
		c.primaryRole != roleUnknown && c.primaryRole == primary.nextRole {
		return effectNone
	}
	return effectPlace
}

// pullScores changes the dependent's scores: the colocation's score where the nodes match; for a
// mandatory one -infinity where they do not. Without a place for the primary the score is taken off
// everywhere. An optional one that would leave no node is dropped.
func (p *planner) pullScores(dependent, primary *resource, c *colocation) {
	if primary.assigned == nil && c.score < 0 {
		return
	}
	work := p.borrow(dependent.allowed)
	defer p.giveBack(work)
	note := "with " + primary.id
	if c.score < 0 {
		note = "away from " + primary.id
	}
	if primary.assigned == nil {
		note += ", which is nowhere"
		for i := range work {
			work.add(i, -c.score)
		}
	} else {
		p.scoreMatching(work, primary.assigned, c)
	}
	if c.score <= -infinity || c.score >= infinity || p.usable(work) {
		p.take(dependent, work, "colocation", c.id, note)
	}
}

func (p *planner) scoreMatching(t nodeTable, at *node, c *colocation) {
	for i := range t {
		switch {
		case !t[i].in:
		case p.sameAttr(p.nodes[i], at, c.attr):
			if c.score < infinity {
				t.add(i, c.score)
			}
		case c.score >= infinity:
			t.add(i, -infinity)
		}
	}
}

// sameAttr reports whether two nodes have the same value of an attribute; having none is a value too.
func (p *planner) sameAttr(a, b *node, attr string) bool {
	if attr == "#uname" && (a == b || !p.nameless) {
		return a == b
	}
	va, oka := a.attrs[attr]
	vb, okb := b.attrs[attr]
	return oka == okb && strings.EqualFold(va, vb)
}

// pullPriority changes how eagerly an assigned instance of a promotable clone is promoted.
func (p *planner) pullPriority(dependent, primary *resource, c *colocation) {
	if primary.assigned == nil || dependent.assigned == nil {
		return
	}
	if !p.sameAttr(dependent.assigned, primary.assigned, c.attr) {
		if c.score >= infinity && c.dependentRole == rolePromoted {
			dependent.priority = banned
		}
		return
	}
	if c.primaryRole != roleUnknown && c.primaryRole != primary.nextRole {
		return
	}
	score := c.score
	if c.dependentRole == roleUnpromoted {
		score = -score
	}
	dependent.priority = cib.AddScores(score, dependent.priority)
}
