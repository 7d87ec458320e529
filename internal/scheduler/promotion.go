package scheduler

import (
	"sort"

	"github.com/cerco-ha/cerco/internal/cib"
)

// promoteInstances decides which of a promotable clone's instances are promoted: the best promotion
// scores first, up to promoted-max, and promoted-node-max a node.
func (p *planner) promoteInstances(r *resource) {
	for i := range r.allowed {
		r.allowed[i].count = 0
	}
	for _, i := range r.order {
		p.setPromotionPriority(r, i)
	}
	p.sortPromotion(r)
	promoted := 0
	for _, i := range r.order {
		p.showPromotion(i, futureNode(i))
		var at *node
		if i.sortIndex >= 0 && (promoted < r.promotedMax || !r.managed) {
			at = p.promotableOn(r, i)
		}
		if at == nil || i.role < rolePromoted && !p.cfg.quorate && p.cfg.noQuorum == noQuorumFreeze {
			setUnpromoted(i)
			continue
		}
		r.allowed[at.idx].count++
		setPromoted(i)
		promoted++
	}
}

// setPromotionPriority gives an assigned instance its priority for promotion: the promotion score of its
// node, -1 if there is none, with locations and colocations of the promoted role.
func (p *planner) setPromotionPriority(parent, r *resource) {
	startedIsUnpromoted(r)
	at := futureNode(r)
	if at == nil {
		return
	}
	next := r.state(false)
	switch next {
	case roleStarted, roleUnknown:
		score, ok := p.promotionScore(r, at)
		if !ok {
			score = -1
		}
		r.priority = score
	case roleUnpromoted, roleStopped:
		r.priority = banned
	}
	addRoleLocations(r, r.locs, at)
	addRoleLocations(r, parent.locs, at)
	for _, c := range r.colos {
		p.pull(r, c.primary, c)
	}
	r.sortIndex = r.priority
	if next == rolePromoted {
		r.sortIndex = infinity
	}
}

// startedIsUnpromoted names the role of what is active but was never promoted or demoted.
func startedIsUnpromoted(r *resource) {
	if r.state(true) != roleStarted {
		return
	}
	if r.role == roleStarted {
		r.role = roleUnpromoted
	}
	for _, c := range r.children {
		startedIsUnpromoted(c)
	}
}

// addRoleLocations adds to r's priority what locations of the promoted role say of its node.
func addRoleLocations(r *resource, locs []*location, at *node) {
	for _, loc := range locs {
		if loc.role != rolePromoted {
			continue
		}
		for _, s := range loc.scores {
			if s.node == at {
				r.priority = cib.AddScores(r.priority, s.score)
			}
		}
	}
}

// sortPromotion orders the instances for promotion: by promotion priority together with the wishes of
// what is colocated with the promoted role on the instance's node, then by the role they have.
func (p *planner) sortPromotion(r *resource) {
	if r.promotionDone {
		return
	}
	r.promotionDone = true
	r.merging = true
	work := p.borrow(r.allowed)
	for _, i := range r.order {
		if at := futureNode(i); at != nil && i.sortIndex >= 0 {
			work.add(at.idx, i.sortIndex)
		}
	}
	for _, c := range r.colos {
		if c.dependentRole == rolePromoted {
			flags := colocFlags(0)
			if c.score < infinity {
				flags = colocActive
			}
			p.addColocated(c.primary, work, c.attr, c.factor(), flags)
		}
	}
	for _, c := range r.withs {
		if c.primaryRole == rolePromoted && c.influences(nil) {
			p.addColocated(c.dependent, work, c.attr, c.factor(), colocActive|colocPositive)
		}
	}
	noTicket := promotionTicketMissing(r)
	for _, i := range r.order {
		at := futureNode(i)
		switch {
		case !i.managed && i.nextRole == rolePromoted:
			i.sortIndex = infinity
		case at == nil || i.sortIndex < 0:
		case noTicket:
			i.sortIndex = banned
		default:
			i.sortIndex = int(work[at.idx].score)
		}
	}
	stir(r)
	copy(r.allowed, work)
	p.giveBack(work)
	sort.SliceStable(r.order, func(i, j int) bool { return p.comparePromotion(r, r.order[i], r.order[j]) < 0 })
	r.merging = false
}

func (p *planner) comparePromotion(parent, a, b *resource) int {
	if a.sortIndex != b.sortIndex {
		return b.sortIndex - a.sortIndex
	}
	if ra, rb := a.state(true), b.state(true); ra != rb {
		return int(rb) - int(ra)
	}
	return p.compareInstances(parent, a, b)
}

// promotableOn is the node that r can be promoted on, nil if it cannot.
func (p *planner) promotableOn(parent, r *resource) *node {
	for _, c := range r.children {
		if p.promotableOn(parent, c) == nil {
			return nil
		}
	}
	at := futureNode(r)
	switch {
	case at == nil:
		return nil
	case !r.managed:
		if r.state(true) != rolePromoted {
			return nil
		}
	case r.priority < 0 || !p.canHost(at):
		return nil
	}
	cell := parent.allowed[at.idx]
	if cell.in && (int(cell.count) < parent.promotedNodeMax || !r.managed) {
		return at
	}
	return nil
}

// setPromoted and setUnpromoted decide the role of an instance and of everything inside it.
func setPromoted(r *resource) {
	if r.nextRole == roleUnknown {
		setNextRole(r, rolePromoted, "promoted instance")
	}
	for _, c := range r.children {
		setPromoted(c)
	}
}

func setUnpromoted(r *resource) {
	to := roleStopped
	eachFutureNode(r, func(*node) { to = roleUnpromoted })
	setNextRole(r, to, "unpromoted instance")
	for _, c := range r.children {
		setUnpromoted(c)
	}
}
