package scheduler

// What has to be done to one primitive: from its role now, where it is now, to its role next, where it
// was assigned. A resource that stays as it is gets the same actions, but optional: others may yet
// require them.

// primitiveActions makes all actions of a primitive, monitors and live migration included.
func (p *planner) primitiveActions(r *resource) {
	chosen := r.assigned
	if r.nextRole == roleUnknown {
		r.nextRole = roleStopped
		if chosen != nil {
			r.nextRole = roleStarted
		}
	}
	current := currentNode(r)
	m := p.judgeMove(r, current, chosen)
	if m.source != nil {
		current = m.source
	}
	if r.startPending && chosen != nil {
		p.op(r, taskStart, 0, chosen, true).flags |= actPrint
	}
	p.restartActions(r, current, chosen, m)
	p.transitionActions(r, current, chosen)
	if r.changed && r.managed && chosen == nil {
		p.op(r, taskStart, 0, nil, true).require(r.changeReason) // it would be restarted if it could stay
	}
	p.recurring(r)
	if m.live {
		p.migrate(r, current, chosen)
	}
}

// move is how a resource that runs somewhere gets to where it shall be.
type move struct {
	stop    bool  // it must stop
	promote bool  // it must be promoted anew
	live    bool  // it may be migrated
	source  *node // where a cut-short migration came from
}

// judgeMove decides whether a resource must stop, although it may be started again.
func (p *planner) judgeMove(r *resource, current, chosen *node) move {
	var m move
	for _, n := range r.dangling {
		a := p.op(r, taskStop, 0, n, false)
		a.flags |= actDangle
	}
	if r.partialTarget != nil && r.partialSource != nil && len(r.runningOn) == 2 &&
		(r.runningOn[0] == r.partialSource || r.runningOn[1] == r.partialSource) {
		m.source = r.partialSource
		current = m.source
		if chosen != r.partialTarget || !p.canMigrate(r, current) {
			// The migration cannot be finished: start from nothing.
			m.stop = true
			r.partialSource, r.partialTarget = nil, nil
			m.source = nil
			current = currentNode(r)
		}
	} else if r.partialTarget != nil {
		// It was stopped on the source before it arrived: there is no migration left to finish.
		m.stop = true
		r.partialSource, r.partialTarget, r.allowMigrate = nil, nil, false
	} else if p.activeCount(r) > 1 {
		switch r.multipleActive {
		case multiStopStart:
			m.stop = true
		case multiStopUnexpected:
			m.stop = true
			r.stopUnexpected = true
		}
	}
	moving := current != nil && chosen != nil && current != chosen && r.nextRole > roleStopped
	switch {
	case moving:
		m.stop = true
		m.live = p.canMigrate(r, current)
	case r.failed:
		m.stop = m.stop || r.lrmStop
		m.promote = r.nextRole == rolePromoted
	case r.blocked:
		m.stop = true
	case r.role > roleStarted && current != nil && chosen != nil:
		// A required start (changed parameters) is a restart.
		p.op(r, taskStart, 0, chosen, true)
		m.stop = m.stop || r.changed
	}
	return m
}

// activeCount counts the nodes a resource is active on; where fencing does not matter, only clean ones.
func (p *planner) activeCount(r *resource) int {
	if r.needsFencing {
		return len(r.runningOn)
	}
	c := 0
	for _, n := range r.runningOn {
		if n.online && !n.unclean {
			c++
		}
	}
	return c
}

// restartActions makes the way down to stopped and up again to the present role.
func (p *planner) restartActions(r *resource, current, chosen *node, m move) {
	if r.role <= roleStopped {
		return
	}
	if r.role == rolePromoted {
		p.demoteActions(r, !m.stop)
	}
	p.stopActions(r, !m.stop)
	if r.blocked || r.nextRole <= roleStopped {
		return
	}
	// Where the role falls, the start follows from the stop, and is not asked for itself.
	p.startAction(r, chosen, !m.stop || r.role > r.nextRole && r.role > roleStarted)
	if r.role == rolePromoted && r.nextRole == rolePromoted {
		p.promoteAction(r, chosen, !m.stop && !m.promote)
	}
}

// transitionActions makes the required steps from the present role to the next.
func (p *planner) transitionActions(r *resource, current, chosen *node) {
	from, to := r.role, r.nextRole
	if from <= roleStopped {
		if to > roleStopped {
			p.startAction(r, chosen, false)
		}
		if to == rolePromoted {
			p.promoteAction(r, chosen, false)
		}
		return
	}
	if from == rolePromoted && to != rolePromoted {
		p.demoteActions(r, false)
	}
	if to <= roleStopped {
		p.stopActions(r, false)
		return
	}
	if from != rolePromoted && to == rolePromoted {
		p.promoteAction(r, chosen, false)
	}
	if from > roleStarted && to == roleStarted && !r.collective().promotable {
		// It has a role that it should not know of: only a restart gets rid of that.
		p.stopActions(r, false)
		p.startAction(r, chosen, false)
	}
}

// startAction makes a start; one that cannot be run stays optional.
func (p *planner) startAction(r *resource, n *node, optional bool) {
	a := p.op(r, taskStart, 0, n, true)
	p.orderAfterUnfencing(r, n, a, ordImpliesThen)
	if r.changed && r.managed {
		why := r.changeReason
		if a.needs == needNothing {
			why = "" // Pacemaker tells none for a start that waits for nothing
		}
		a.require(why)
	}
	if a.runnable() && !optional {
		a.flags &^= actOptional
	}
	if p.expected(r, n) {
		a.flags |= actPseudo
	}
}

// expected reports whether a resource that is active in too many places is where it should be.
func (p *planner) expected(r *resource, n *node) bool {
	return n != nil && r.stopUnexpected && r.assigned == n && r.nextRole > roleStopped
}

// stopActions makes a stop on every node where the resource is active.
func (p *planner) stopActions(r *resource, optional bool) {
	for _, n := range r.runningOn {
		if p.expected(r, n) {
			continue
		}
		opt := optional
		if r.partialTarget != nil {
			if r.partialTarget == n && r.assigned == n {
				continue // being migrated to here: nothing to stop
			}
			opt = false
		}
		a := p.op(r, taskStop, 0, n, opt)
		if a.reason == "" {
			switch {
			case r.assigned == nil:
				a.reason = "node availability"
			case r.stopUnexpected:
				a.reason = "being multiply active"
			}
		}
		if !r.managed {
			a.flags &^= actRunnable
		}
		if p.cfg.removeAfterStop {
			p.deleteAction(r, n, opt)
		}
		if r.needsUnfencing {
			on := p.fenceAction(n, "on", true, "")
			p.order(a, on, ordImpliesFirst)
		}
	}
}

// promoteAction makes a promotion, if the start before it can be had.
func (p *planner) promoteAction(r *resource, n *node, optional bool) {
	for _, a := range r.actions {
		if a.task == taskStart && !a.runnable() {
			for _, b := range r.actions {
				if b.task == taskPromote && b.node == n {
					b.flags &^= actRunnable
				}
			}
			return
		}
	}
	a := p.op(r, taskPromote, 0, n, optional)
	if p.expected(r, n) {
		a.flags |= actPseudo
	}
}

func (p *planner) demoteActions(r *resource, optional bool) {
	for _, n := range r.runningOn {
		if !p.expected(r, n) {
			p.op(r, taskDemote, 0, n, optional)
		}
	}
}

// deleteAction makes the node forget the resource.
func (p *planner) deleteAction(r *resource, n *node, optional bool) {
	if r.failed || n == nil || n.unclean || !n.online {
		return
	}
	p.op(r, taskDelete, 0, n, optional)
	stop, start := ordOptional, ordImpliesThen
	if optional {
		stop = ordImpliesThen
	}
	p.orderTasks(r, taskStop, r, taskDelete, stop)
	p.orderTasks(r, taskDelete, r, taskStart, start)
}
