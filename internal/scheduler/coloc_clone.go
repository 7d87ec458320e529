package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// pullToClone applies a colocation with a clone. Of a promotable clone with a role, only the instances
// that will have the role count. An interleaved clone's instance is paired with one on its own node.
// Else a mandatory dependent may go wherever there is an instance, and an optional one is drawn to each.
func (p *planner) pullToClone(r, primary *resource, c *colocation) {
	if !primary.isAssigned {
		return
	}
	if primary.promotable && c.primaryRole != roleUnknown {
		switch {
		case !r.isAssigned:
			p.pullToRole(r, primary, c)
			return
		case c.dependentRole == rolePromoted:
			p.pullPromotion(r, primary, c)
			return
		}
	}
	if p.interleaves(c.dependent, r, primary) {
		p.pairInstance(r, primary, c)
		return
	}
	if c.score >= infinity {
		at := map[*node]int{}
		for _, i := range instances(primary) {
			if n := futureNode(i); n != nil && !anyBlocked(i) {
				at[n] = 0
			}
		}
		p.keepTo(r, at, c, primary)
		return
	}
	for _, i := range instances(primary) {
		p.pull(r, i, c)
	}
}

// keepTo bans r from every node that is not among the keys, and adds their values on those that are. A
// key that was no candidate becomes a banned one.
func (p *planner) keepTo(r *resource, at map[*node]int, c *colocation, primary *resource) {
	work := p.borrow(r.allowed)
	for i := range work {
		switch score, ok := at[p.nodes[i]]; {
		case !ok:
			work.set(i, banned)
		case work[i].in:
			work.add(i, score)
		default:
			work[i] = nodeScore{in: true, score: banned}
		}
	}
	p.take(r, work, "colocation", c.id, "with "+primary.id)
	p.giveBack(work)
}

// set gives a candidate a score.
func (t nodeTable) set(i, score int) {
	if t[i].in {
		t[i].score = int32(score)
	}
}

// interleaves reports whether the dependent is an instance of an interleaved clone that can be paired
// with the primary's instances.
func (p *planner) interleaves(dependent, r, primary *resource) bool {
	if dependent.variant != clone && dependent.variant != bundle || !dependent.interleave || r == dependent {
		return false
	}
	if p.askedNodeMax(dependent) != p.askedNodeMax(primary) {
		p.warn("cannot interleave " + dependent.id + " and " + primary.id +
			": they allow different numbers of instances on a node")
		return false
	}
	return true
}

// askedNodeMax is how many instances a clone or bundle is configured to have on a node, although an
// anonymous clone has no more than one.
func (p *planner) askedNodeMax(r *resource) int {
	if r.variant == clone {
		return p.metaInt(r, 1, "clone-node-max")
	}
	return r.cloneNodeMax
}

// pairInstance pulls an instance to the primary's instance on the same node; without one, a mandatory
// colocation leaves it nowhere.
func (p *planner) pairInstance(r, primary *resource, c *colocation) {
	if pair := p.compatible(r, primary, roleUnknown); pair != nil {
		p.pull(r, pair, c)
	} else if c.score >= infinity {
		p.assignTo(r, nil, true)
	}
}

// compatible finds the instance of a clone that is, or will be, on the node that r goes to; before r has
// one, on the best of its nodes that has one. limit is the role that the instance must be given.
func (p *planner) compatible(r, primary *resource, limit role) *resource {
	if n := futureNode(r); n != nil {
		return p.instanceOn(primary, n, limit)
	}
	for _, n := range p.rankedNodes(r) {
		if i := p.instanceOn(primary, n, limit); i != nil {
			return i
		}
	}
	return nil
}

func (p *planner) instanceOn(primary *resource, n *node, limit role) *resource {
	for _, i := range instances(primary) {
		if !anyBlocked(i) && futureNode(i) == n && (limit == roleUnknown || i.state(false) == limit) {
			return i
		}
	}
	return nil
}

// pullToRole draws a dependent to the nodes where the primary's instances will have the role.
func (p *planner) pullToRole(r, primary *resource, c *colocation) {
	work := p.borrow(r.allowed)
	defer p.giveBack(work)
	drawn := map[*node]int{}
	for _, i := range instances(primary) {
		n := futureNode(i)
		if n == nil || i.state(false) != c.primaryRole {
			continue
		}
		if _, have := drawn[n]; !have {
			drawn[n] = assignedScore(i)
		}
		if c.score < infinity {
			p.addMatching(work, n, c)
		}
	}
	p.take(r, work, "colocation", c.id, "with "+primary.id)
	// Promoted with promoted is a matter of promotion: the instances that stay unpromoted may be anywhere.
	if c.score >= infinity && (c.dependentRole != rolePromoted || c.primaryRole != rolePromoted) {
		p.keepTo(r, drawn, c, primary)
	}
}

// assignedScore is the score that an instance's node had for it when it was assigned.
func assignedScore(r *resource) int {
	for len(r.children) > 0 {
		r = r.children[0]
	}
	return r.placeScore
}

// addMatching adds the colocation's score on the nodes that match n.
func (p *planner) addMatching(t nodeTable, n *node, c *colocation) {
	for i := range t {
		if t[i].in && p.sameAttr(p.nodes[i], n, c.attr) {
			t.add(i, c.score)
		}
	}
}

// pullPromotion makes an assigned instance more eager to be promoted where the primary's instance has
// the role, and with a mandatory colocation keeps it from it elsewhere.
func (p *planner) pullPromotion(r, primary *resource, c *colocation) {
	if p.compatible(r, primary, c.primaryRole) != nil {
		r.priority = cib.AddScores(r.priority, c.score)
	} else if c.score >= infinity {
		r.priority = banned
	}
}
