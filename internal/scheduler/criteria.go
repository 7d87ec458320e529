package scheduler

// applyCriteria folds what is known about each node into the resources' scores: shutdown locks,
// locations, stickiness, failures, exclusive discovery.
func (p *planner) applyCriteria() {
	if p.cfg.shutdownLock {
		for _, r := range p.resources {
			p.lockToNode(r)
		}
	}
	// The latest constraint is applied first; with saturating scores that can be told apart.
	for i := len(p.locations) - 1; i >= 0; i-- {
		p.applyLocation(p.locations[i].rsc, p.locations[i], false)
	}
	for _, r := range p.resources {
		p.applyStickiness(r)
	}
	for i := range p.histories {
		p.forgetOldFailures(&p.histories[i])
	}
	for _, r := range p.resources {
		p.applyThreshold(r)
		p.applyExclusive(r)
	}
}

// applyLocation adds a location's scores to r. A group whose members stay together takes them on the
// group and its first member, the other members only learn which nodes are candidates; a clone's
// instances all take them; so do a bundle's containers and addresses.
func (p *planner) applyLocation(r *resource, loc *location, zero bool) {
	p.applyLocationTo(r, loc, zero)
	switch r.variant {
	case group:
		for i, c := range r.children {
			p.applyLocation(c, loc, zero || i > 0 && groupColocated(r))
		}
	case clone:
		for _, c := range r.children {
			p.applyLocation(c, loc, zero)
		}
	case bundle:
		for _, rep := range r.replicas {
			if rep.container != nil {
				p.applyLocation(rep.container, loc, zero)
			}
			if rep.ip != nil {
				p.applyLocation(rep.ip, loc, zero)
			}
		}
		if c := bundleClone(r); c != nil && (loc.role == rolePromoted || loc.role == roleUnpromoted) {
			p.applyLocation(c, loc, zero)
			c.locs = append(c.locs, loc)
		}
	}
}

// applyLocationTo adds a location's scores to r alone, unless it is about a role that r will not have.
func (p *planner) applyLocationTo(r *resource, loc *location, zero bool) {
	if loc.role != roleUnknown && loc.role != r.nextRole {
		return
	}
	kind := "location"
	if loc.id == p.cfg.nodeHealthStrategy {
		kind = "health"
	}
	for _, s := range loc.scores {
		score := s.score
		if zero {
			score = 0
		}
		cell := &r.allowed[s.node.idx]
		if !cell.in {
			stir(r)
			cell.in = true
			cell.score = int32(score)
			p.record(r, s.node, score, kind, loc.id, "")
		} else {
			p.addScore(r, s.node, score, kind, loc.id, "")
		}
		if cell.discover < loc.discover {
			if loc.discover == discoverExclusive {
				r.exclusive = true
			}
			cell.discover = loc.discover
		}
	}
}

// applyStickiness makes a resource prefer the one node it is active on. In an opt-in cluster that node
// must still be a candidate.
func (p *planner) applyStickiness(r *resource) {
	if len(r.children) > 0 {
		for _, c := range r.children {
			p.applyStickiness(c)
		}
		return
	}
	if !r.managed || r.stickiness < 1 || len(r.runningOn) != 1 {
		return
	}
	n := r.runningOn[0]
	if p.cfg.symmetric || r.allowed[n.idx].in {
		p.pin(r, n, r.stickiness, "stickiness", "", "active there")
	}
}

// applyThreshold bans the nodes where r failed as often as migration-threshold allows. The instances of
// an anonymous clone are banned together.
func (p *planner) applyThreshold(r *resource) {
	if len(r.children) > 0 {
		for _, c := range r.children {
			p.applyThreshold(c)
		}
		return
	}
	for _, n := range p.nodes {
		if p.clearingFailures(r, n) {
			continue
		}
		if target := p.thresholdReached(r, n); target != nil {
			p.pin(target, n, banned, "failure", "migration-threshold", "failed too often")
		}
	}
}

// thresholdReached returns what must leave n because r reached its migration threshold there, nil if
// nothing must.
func (p *planner) thresholdReached(r *resource, n *node) *resource {
	if r.migrationThreshold == 0 || r.failureIgnored {
		return nil
	}
	count := p.failCountWithin(r, n)
	if count <= 0 || count < r.migrationThreshold {
		return nil
	}
	if top := r.outer(); top != r && top.variant == clone && !top.unique {
		return top
	}
	return r
}

// clearingFailures reports whether r's failures on n are forgotten in this transition.
func (p *planner) clearingFailures(r *resource, n *node) bool {
	for i := range p.clearFailures {
		if c := &p.clearFailures[i]; c.rsc == r && c.node == n {
			return true
		}
	}
	return false
}

// applyExclusive bans every node that no location with exclusive discovery names, once there is one.
func (p *planner) applyExclusive(r *resource) {
	if !r.exclusive && !r.outer().exclusive {
		return
	}
	for _, c := range r.children {
		p.applyExclusive(c)
	}
	for i := range r.allowed {
		if cell := &r.allowed[i]; cell.in && cell.discover != discoverExclusive {
			p.setScore(r, p.nodes[i], banned, "discovery", "", "discovery is exclusive to other nodes")
		}
	}
}

// groupColocated reports whether the members of a group stay together.
func groupColocated(r *resource) bool {
	if v, ok := r.meta["collocated"]; ok {
		return isTrue(v)
	}
	return true
}

// bundleClone is the clone of a bundle's primitive on its guest nodes, nil if the bundle has none.
func bundleClone(r *resource) *resource {
	for _, c := range r.children {
		if c.variant == clone {
			return c
		}
	}
	return nil
}
