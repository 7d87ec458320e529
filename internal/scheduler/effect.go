package scheduler

// apply evaluates one edge whose first action is final: one meaning after another, each for all that is
// inside.
func (p *planner) apply(l *link) (ch changed) {
	first, then, kinds := l.first, l.then, l.flags
	ff, tf := p.flagsOn(first, then.place()), p.flagsOn(then, first.place())
	if kinds&ordThenOnNode != 0 {
		ch |= p.affect(first, then, first.node, ff, ordImpliesThen)
	}
	for _, kind := range [...]ordFlags{ordImpliesThen, ordRestart, ordImpliesFirst, ordPromotedImpliesFirst} {
		if kinds&kind != 0 {
			ch |= p.affect(first, then, then.node, ff, kind)
		}
	}
	if kinds&ordOneOrMore != 0 {
		p.countOne(first, then, ff)
	}
	if kinds&ordProbe != 0 {
		if ff&actRunnable == 0 && first.rsc != nil && len(first.rsc.runningOn) > 0 {
			l.flags = 0 // active already: the missing probe is of no importance
			return ch
		}
		ch |= p.affect(first, then, then.node, ff, ordRunnable)
	}
	for _, kind := range [...]ordFlags{ordRunnable, ordMigratable, ordPseudo, ordOptional, ordAsymmetric} {
		if kinds&kind != 0 && (kind != ordOptional || interleavable(first, then)) {
			ch |= p.affect(first, then, then.node, ff, kind)
		}
	}
	if ff&actRunnable != 0 && ff&actOptional == 0 && kinds&ordPrintThen != 0 {
		then.flags |= actPrint // nobody else is the wiser: there is nothing to follow
	}
	if tf&actOptional == 0 && kinds&ordPrintFirst != 0 {
		first.flags |= actPrint
	}
	if kinds&(ordImpliesThen|ordImpliesFirst|ordRestart) != 0 && first.rsc != nil && first.task == taskStop &&
		!first.rsc.managed && first.rsc.blocked && !first.runnable() && p.clearFlag(then, actRunnable, nil) {
		ch |= changedThen
	}
	return ch
}

// countOne counts a runnable input of a one-or-more action.
func (p *planner) countOne(first, then *action, ff actFlags) {
	if ff&actRunnable == 0 {
		return
	}
	then.found++
	if then.found >= then.needed {
		then.flags |= actRunnable
	}
}

// affect applies one meaning of an edge to then and, for a collective, to its members' actions. What comes
// after a member of a group is left to its own turn.
func (p *planner) affect(first, then *action, n *node, ff actFlags, kind ordFlags) (ch changed) {
	r := then.rsc
	if r == nil || r.variant == primitive || baseTask(then.task) == taskNotify {
		return p.pair(first, then, ff, kind) // an instance's notifications are no part of its clone's marks
	}
	if interleavable(first, then) {
		return p.interleave(first, then, n, kind)
	}
	switch kind {
	case ordOptional:
		return 0
	case ordImpliesFirst, ordPromotedImpliesFirst:
		return p.pair(first, then, ff, kind) // it is about first, whatever is inside of then
	}
	ch = p.pair(first, then, ff, kind)
	if then.task == taskNotify || then.task == taskNotified {
		return ch // the members' are about other rounds
	}
	for _, m := range r.members() {
		c := m.findMember(then.task, n)
		if c == nil || r.variant != group && p.memberFlags(c, n)&actRunnable == 0 {
			continue
		}
		one := p.affect(first, c, n, ff, kind)
		ch |= one
		if one&changedThen != 0 && r.variant != group {
			p.updateAfter(c)
		}
	}
	return ch
}

// pair applies one meaning of an edge to two actions. What is part of a collective is looked at again at
// once: an instance's stop and start, a group's order give reasons, too.
func (p *planner) pair(first, then *action, ff actFlags, kind ordFlags) changed {
	ch := p.applyKind(first, then, ff, kind)
	if ch&changedThen != 0 && then.rsc != nil && then.rsc.parent != nil {
		p.update(then)
	}
	return ch
}

func (p *planner) applyKind(first, then *action, ff actFlags, kind ordFlags) (ch changed) {
	switch kind {
	case ordAsymmetric:
		return p.asymmetric(first, then, ff)
	case ordRestart:
		return p.restart(first, then)
	case ordImpliesFirst, ordPromotedImpliesFirst:
		return p.requireFirst(first, then, ff, kind)
	case ordMigratable:
		if (!then.has(actMigratable) || !then.runnable()) && p.clearFlag(first, actRunnable, then) {
			ch = changedFirst
		}
		if !then.optional() && p.clearFlag(first, actOptional, then) {
			ch = changedFirst
		}
		return ch
	}
	var lost actFlags
	switch {
	case kind == ordImpliesThen && ff&actOptional == 0 && !first.has(actMigratable):
		lost = actOptional
	case kind == ordPseudo && ff&actRunnable == 0:
		lost = actMigratable | actPseudo
	case kind == ordRunnable && ff&actRunnable == 0 && then.runnable():
		lost = actRunnable | actMigratable
	}
	if p.clearFlag(then, lost, first) {
		ch = changedThen
	}
	return ch
}

// requireFirst looks at what an edge says of its first action, whose flags are as seen from the other end.
func (p *planner) requireFirst(first, then *action, ff actFlags, kind ordFlags) (ch changed) {
	if kind == ordImpliesFirst && ff&actOptional == 0 && p.clearFlag(first, actOptional, then) {
		ch = changedFirst
	}
	if then.optional() || then.has(actMigratable) {
		return ch
	}
	if kind == ordPromotedImpliesFirst && then.rsc != nil && then.rsc.role == rolePromoted && p.clearFlag(first, actOptional, then) {
		ch = changedFirst
	}
	if first.has(actMigratable) && p.clearFlag(first, actMigratable, then) {
		ch = changedFirst
	}
	return ch
}

// restart ties a resource's stop to its start: a start that is required, or that cannot be had, makes
// the stop required; a stop that is required but cannot be had keeps the start from happening.
func (p *planner) restart(stop, start *action) (ch changed) {
	blocked := !start.runnable() && start.rsc.managed
	wanted := !start.optional()
	if !blocked && !wanted {
		return 0
	}
	if stop.optional() && (stop.runnable() || wanted) && p.clearFlag(stop, actOptional, start) {
		ch |= changedFirst
	}
	if !stop.optional() && !stop.runnable() && p.clearFlag(start, actRunnable, stop) {
		ch |= changedThen
	}
	if !stop.optional() && stop.has(actMigratable) && !start.has(actMigratable) && p.clearFlag(stop, actMigratable, start) {
		ch |= changedFirst
	}
	return ch
}

// asymmetric applies an order that has no reverse: a first that cannot happen holds back only a then
// that has not happened yet.
func (p *planner) asymmetric(first, then *action, ff actFlags) changed {
	if then.rsc == nil || ff&actRunnable != 0 {
		return 0
	}
	state := then.rsc.state(true)
	switch {
	case then.task == taskStart && state >= roleStarted && then.optional():
		return 0 // it runs and goes on running
	case then.task == taskPromote && state == rolePromoted && then.optional():
		return 0
	case then.task == taskStop && state == roleStopped:
		return 0
	}
	if p.clearFlag(then, actRunnable, first) {
		return changedThen
	}
	return 0
}

// blockColocated keeps those from starting (or being promoted) that can only be where an unrunnable start
// would have put their primary. A collective counts as a whole, and it fails its dependents only when none
// of its parts can start.
func (p *planner) blockColocated(a *action) {
	if a.rsc == nil || a.task != taskStart && a.task != taskPromote || a.runnable() {
		return
	}
	top := a.rsc.top()
	for _, m := range top.children {
		if b := m.findAction(a.task, 0, nil); b == nil || b.runnable() {
			return
		}
	}
	because := a.rsc
	if top.variant == clone {
		because = top // none of its instances can start: it is the clone that fails
	}
	for _, c := range top.withs {
		if c.score < infinity || a.task == taskPromote && c.primaryRole != rolePromoted {
			continue
		}
		want := taskStart
		if c.dependentRole == rolePromoted {
			want = taskPromote
		}
		p.blockTask(c.dependent, because, want)
	}
}

// blockTask makes a resource's task, and its members', unrunnable because of somebody else's failure to start.
// As in Pacemaker, what comes after is not looked at again for this alone: a monitor may stay in the plan
// without its start.
func (p *planner) blockTask(r, because *resource, task string) {
	for _, a := range r.actions {
		if a.task == task && a.runnable() {
			a.block("colocation with " + because.id)
			p.blockColocated(a)
			p.update(a)
		}
	}
	for _, m := range r.parts() {
		p.blockTask(m, because, task)
	}
}

// giveReason gives an action the reason why its flags changed. The first reason stays, but why it cannot
// move live says more.
func (p *planner) giveReason(a, because *action, f actFlags) {
	if because == a || because.rsc != nil && because.rsc == a.rsc {
		return
	}
	if a.reason != "" && f&actMigratable == 0 {
		return
	}
	what := "unrunnable "
	if f&actOptional != 0 {
		what = "required "
	}
	if because.rsc != nil {
		a.reason = what + because.rsc.id + " " + because.task
	} else {
		a.reason = what + because.task
	}
}
