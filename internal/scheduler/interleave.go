package scheduler

// interleavable reports whether an edge between two clones holds instance by instance.
func interleavable(first, then *action) bool {
	a, b := first.rsc, then.rsc
	if a == nil || b == nil || a == b || !a.instanced() || !b.instanced() {
		return false
	}
	// The order of the stops is the order of the starts backwards: it is the dependent's word that counts.
	if downwards(first) {
		return a.interleave
	}
	return b.interleave
}

// instanceTask is the task that a clone's action stands for among its instances: its own, or the one that
// a notification comes before or after.
func (a *action) instanceTask() string {
	if task, ok := a.get("CRM_meta_notify_key_operation"); ok {
		return task
	}
	return a.task
}

// downwards reports whether an action is about a stop or a demotion, which find instances where they are
// now; starts and promotions find them where they will be.
func downwards(a *action) bool {
	task := baseTask(a.instanceTask())
	return task == taskStop || task == taskDemote
}

// interleave orders instances that are on the same node, and lets one meaning of the edge bear on each pair.
func (p *planner) interleave(first, then *action, n *node, kind ordFlags) (ch changed) {
	current := downwards(first)
	for _, ti := range then.rsc.instances() {
		fi := p.compatibleInstance(ti, first.rsc, current)
		if fi == nil {
			if !current && then.task != taskStop && then.task != taskDemote && kind&(ordRunnable|ordImpliesThen) != 0 &&
				p.inhibit(ti) {
				ch |= changedThen
			}
			continue
		}
		fa, ta := fi.instanceAction(first.instanceTask(), nil), ti.instanceAction(then.instanceTask(), nil)
		if fa == nil || ta == nil {
			continue
		}
		if p.order(fa, ta, kind) {
			ch |= changedFirst | changedThen // by what is between their instances now
		}
		ch |= p.affect(fa, ta, n, p.flagsOn(fa, nil), kind)
	}
	return ch
}

// inhibit takes an instance off its node that has no instance of the other clone beside it. One that is
// not managed stays, but nothing recurring is changed about it.
func (p *planner) inhibit(inst *resource) (any bool) {
	if inst.variant != primitive {
		for _, m := range inst.members() {
			any = p.inhibit(m) || any
		}
		return any
	}
	if inst.assigned == nil {
		return false
	}
	if inst.managed {
		inst.assigned, inst.nextRole = nil, roleStopped
	}
	for _, a := range inst.actions {
		switch {
		case a.task == taskStop && inst.managed:
			any = p.clearFlag(a, actOptional, nil) || any
		case a.task == taskStart && inst.managed, a.interval > 0 && a.targetRC != 7:
			any = p.clearFlag(a, actRunnable, nil) || any
		}
	}
	return any
}

// compatibleInstance finds the instance of other that is (current) or will be on the node of inst. For an
// instance that has none it is the first on the nodes that inst could be on, the best first.
func (p *planner) compatibleInstance(inst *resource, other *resource, current bool) *resource {
	if n := inst.location(current); n != nil {
		return instanceAt(other, n, current)
	}
	for _, n := range p.rankedNodes(inst) {
		if i := instanceAt(other, n, current); i != nil {
			return i
		}
	}
	return nil
}

// instanceAt is the instance that is on a node. One of which anything is blocked counts as being nowhere.
func instanceAt(r *resource, n *node, current bool) *resource {
	for _, i := range r.instances() {
		if !anyBlocked(i) && i.location(current) == n {
			return i
		}
	}
	return nil
}
