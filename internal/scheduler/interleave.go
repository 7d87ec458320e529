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

// interleave orders instances that are on the same node.
func (p *planner) interleave(first, then *action, n *node, kinds ordFlags) {
	current := downwards(first)
	for _, ti := range then.rsc.instances() {
		fi := compatibleInstance(ti, first.rsc, current)
		if fi == nil {
			if !current && then.task != taskStop && then.task != taskDemote && kinds&(ordRunnable|ordImpliesThen) != 0 {
				p.inhibit(ti)
			}
			continue
		}
		fa, ta := fi.instanceAction(first.instanceTask(), nil), ti.instanceAction(then.instanceTask(), nil)
		if fa == nil || ta == nil {
			continue
		}
		if p.order(fa, ta, kinds) {
			first.changed, then.changed = true, true // by what is between their instances now
			p.enqueue(ta)
		}
		p.affect(fa, ta, n, p.flagsOn(fa, nil), kinds)
		p.followChange(ta)
		p.followChange(fa)
	}
}

// inhibit takes an instance off its node that has no instance of the other clone beside it. One that is
// not managed stays, but nothing recurring is changed about it.
func (p *planner) inhibit(inst *resource) {
	if inst.variant != primitive {
		for _, m := range inst.members() {
			p.inhibit(m)
		}
		return
	}
	if inst.assigned == nil {
		return
	}
	if inst.managed {
		inst.assigned, inst.nextRole = nil, roleStopped
	}
	for _, a := range inst.actions {
		switch {
		case a.task == taskStop && inst.managed:
			p.clearFlag(a, actOptional, nil)
		case a.task == taskStart && inst.managed, a.interval > 0 && a.targetRC != 7:
			p.clearFlag(a, actRunnable, nil)
		}
	}
}

// compatibleInstance finds the instance of other that is (current) or will be on the node of inst.
func compatibleInstance(inst *resource, other *resource, current bool) *resource {
	n := inst.location(current)
	if n != nil {
		return instanceAt(other, n, current)
	}
	return nil
}

func instanceAt(r *resource, n *node, current bool) *resource {
	for _, i := range r.instances() {
		if i.location(current) == n {
			return i
		}
	}
	return nil
}
