package scheduler

// placePrimitive assigns a primitive: first what it must go with, then with the wishes of what must go
// with it, to the best node left.
func (p *planner) placePrimitive(r *resource, prefer *node) *node {
	if r.parent != nil && !r.parent.assigning && !r.isAssigned {
		// A member or instance is never assigned on its own.
		p.place(r.parent, prefer)
	}
	if r.isAssigned {
		return r.assigned
	}
	if r.assigning {
		return nil // what it must go with must in turn go with it: the first of the loop decides
	}
	r.assigning = true
	for _, c := range r.colos {
		p.follow(r, c)
	}
	p.considerDependents(r, colocActive)
	p.limitRole(r)
	p.showScores("pcmk__primitive_assign", r)
	if p.cfg.fencing && !p.haveFencing && !p.cfg.haveWatchdog {
		r.managed = false
	}
	switch {
	case !r.managed:
		setNextRole(r, r.role, "unmanaged")
		p.explain(r, "%s is unmanaged: it is left as it is", r.id)
		p.assignTo(r, currentNode(r), true)
	case p.cfg.stopAll:
		p.explain(r, "%s is stopped with all others (stop-all-resources)", r.id)
		p.assignTo(r, nil, true)
	case !r.isAssigned:
		p.assignBest(r, prefer)
	}
	r.assigning = false
	if r.remote != nil {
		connectionAssigned(r)
	}
	return r.assigned
}

// follow assigns the primary of one of r's colocations and applies it to r. What only a role or a finite
// dislike asks for is dropped when it would leave no node.
func (p *planner) follow(r *resource, c *colocation) {
	soft := c.dependentRole >= rolePromoted || c.score < 0 && c.score > -infinity
	var before nodeTable
	if soft {
		before = p.borrow(r.allowed)
		defer p.giveBack(before)
	}
	p.place(c.primary, nil)
	p.pull(r, c.primary, c)
	if soft && !p.usable(r.allowed) {
		p.take(r, before, "colocation", c.id, "dropped: it leaves no node")
	}
}

// limitRole keeps a resource that is to be stopped from every node, and without quorum one that would be
// raised in the role it has.
func (p *planner) limitRole(r *resource) {
	switch {
	case r.nextRole == roleStopped:
		p.pinAll(r, banned, "role", "target-role", "is to be stopped")
	case r.nextRole > r.role && !p.cfg.quorate && p.cfg.noQuorum == noQuorumFreeze:
		setNextRole(r, r.role, "no-quorum-policy=freeze")
	}
}

// connectionAssigned makes a remote node available as soon as its connection has a place, and
// unavailable when it has none.
func connectionAssigned(r *resource) {
	n := r.remote
	if r.assigned != nil && r.nextRole != roleStopped {
		n.online = true
		if n.unseen {
			n.unclean = false
		}
		return
	}
	n.shutdown = true
}

// assignTo gives r and everything inside it a node, or nowhere. Unless forced, a node with a negative
// score or one that cannot run resources counts as nowhere, though a guest node is trusted to come up. It
// reports whether r has a node.
func (p *planner) assignTo(r *resource, n *node, force bool) bool {
	if len(r.children) > 0 {
		ok := false
		for _, c := range r.children {
			ok = p.assignTo(c, n, force) || ok
		}
		return ok
	}
	r.isAssigned = true
	if n != nil && !force && (r.allowed[n.idx].score < 0 || !n.canRun() && n.kind != guestNode) {
		setNextRole(r, roleStopped, "node availability")
		n = nil
	}
	p.unassign(r)
	r.isAssigned = true
	if n == nil {
		setNextRole(r, roleStopped, "unable to assign")
		halt(r)
		return false
	}
	r.assigned = n
	r.placeScore = n.score
	if !force {
		r.placeScore = int(r.allowed[n.idx].score)
	}
	n.assigned = append(n.assigned, r)
	p.consume(n, r)
	p.showUtilization(r, n)
	return true
}

// halt settles what history has asked of r so far, now that r will run nowhere: it is stopped for sure,
// and its recurring operations end with it.
func halt(r *resource) {
	for _, a := range r.actions {
		switch {
		case a.task == taskStop:
			a.flags &^= actOptional
		case a.task == taskStart, a.interval > 0:
			a.flags &^= actRunnable
		}
	}
}

// unassign takes r from the node it was assigned to.
func (p *planner) unassign(r *resource) {
	n := r.assigned
	if n == nil {
		return
	}
	r.assigned, r.isAssigned = nil, false
	for i := len(n.assigned) - 1; i >= 0; i-- {
		if n.assigned[i] == r {
			n.assigned = append(n.assigned[:i], n.assigned[i+1:]...)
			break
		}
	}
	p.release(n, r)
}
