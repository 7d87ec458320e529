package scheduler

// placeClone assigns a clone's instances: first what the clone goes with, then with the wishes of what
// goes with it.
func (p *planner) placeClone(r *resource, prefer *node) {
	if r.isAssigned || r.assigning {
		return
	}
	if r.promotable {
		p.addPromotionScores(r)
	}
	r.assigning = true
	for _, c := range r.colos {
		p.place(c.primary, prefer)
	}
	p.considerDependents(r, colocActive|colocPositive)
	p.showScores("pcmk__clone_allocate", r)
	r.order = p.sortInstances(r, r.children)
	p.distribute(r, r.order, r.cloneMax, r.cloneNodeMax)
	if r.promotable {
		p.promoteInstances(r)
	}
	r.isAssigned = true
	r.assigning = false
}

// distribute assigns up to limit instances of a clone or bundle, at most perNode on a node: first those
// that may stay where they are, as long as the node has no more than its even share, then the others.
func (p *planner) distribute(parent *resource, list []*resource, limit, perNode int) {
	available := 0
	for i := range parent.allowed {
		if cell := &parent.allowed[i]; cell.in {
			cell.count = 0
			if p.nodes[i].canRun() {
				available++
			}
		}
	}
	share := 1
	if available > 0 {
		share = max(limit/available, 1)
	}
	everyWish := limit < available
	done := 0
	for _, r := range list {
		if done >= limit {
			break
		}
		if n := p.stayNode(parent, r, share); n != nil && p.placeInstance(parent, r, n, everyWish, perNode) != nil {
			done++
		}
	}
	for _, r := range list {
		switch {
		case r.isAssigned:
		case done >= limit:
			p.pinAll(r, banned, "clone", "", "there are enough instances")
		case p.placeInstance(parent, r, nil, everyWish, perNode) != nil:
			done++
		}
	}
}

// stayNode is the node that an active, healthy instance may stay on, nil if there is none.
func (p *planner) stayNode(parent, r *resource, share int) *node {
	if len(r.runningOn) == 0 || r.isAssigned || r.failed {
		return nil
	}
	n := currentNode(r)
	if !n.canRun() || n.score < 0 {
		return nil
	}
	if cell := parent.allowed[n.idx]; cell.in && int(cell.count) >= share {
		return nil
	}
	return n
}

// placeInstance assigns one instance, on the preferred node or not at all if one is given.
func (p *planner) placeInstance(parent, r *resource, prefer *node, everyWish bool, perNode int) *node {
	if r.isAssigned {
		return futureNode(r)
	}
	if r.assigning {
		return nil
	}
	inheritColocations(parent, r, everyWish)
	if prefer != nil {
		if cell := r.allowed[prefer.idx]; !cell.in || cell.score < 0 {
			return nil
		}
	}
	p.limitByParent(parent, r, perNode)
	before := p.borrow(r.allowed)
	defer p.giveBack(before)
	chosen := p.place(r, prefer)
	if chosen != nil && prefer != nil && chosen != prefer {
		// Tried again without a preference; a group, though, whose members went elsewhere, stays there
		// and is not counted, so that its node may get another instance.
		stir(r)
		copy(r.allowed, before)
		p.unassign(r)
		return nil
	}
	if chosen != nil {
		if cell := &parent.allowed[chosen.idx]; cell.in {
			cell.count++
		}
	}
	return chosen
}

// limitByParent bans r from the nodes that its clone or bundle may not use or has filled.
func (p *planner) limitByParent(parent, r *resource, perNode int) {
	for i, n := range p.nodes {
		if !r.allowed[i].in {
			continue
		}
		cell := parent.allowed[i]
		switch {
		case !n.canRun() || r.orphan || !cell.in:
			p.addAllowed(r, n, banned, "clone", "", "not available to "+parent.id)
		case cell.score < 0:
			p.addAllowed(r, n, banned, "clone", "", parent.id+" is kept away")
		case int(cell.count) >= perNode:
			p.addAllowed(r, n, banned, "clone", "", "no more instances of "+parent.id+" there")
		}
	}
}

// inheritColocations hands an instance its clone's colocations. Only when some node will go without an
// instance do finite wishes to be together count.
func inheritColocations(parent, r *resource, every bool) {
	for _, c := range parent.colos {
		if every || c.score < 0 || c.score >= infinity {
			r.colos = insertColocation(r.colos, c, (*colocation).primaryEnd)
		}
	}
	for _, c := range parent.withs {
		if (every || c.score < 0) && c.influences(r) {
			stir(r)
			r.withs = insertColocation(r.withs, c, (*colocation).dependentEnd)
		}
	}
}
