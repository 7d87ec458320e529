package scheduler

// The fixpoint: edges say how the state of one action bears on another, and every change is followed to
// its neighbours until nothing changes. Flags only move one way (optional and runnable are cleared), so
// it ends. What is looked at when is part of the rules: of several reasons for one change the first stays,
// and some changes are followed no further than the action itself.

// changed tells which end of an edge a look at it changed.
type changed uint8

const (
	changedFirst changed = 1 << iota
	changedThen
)

// stabilize brings all actions to the fixpoint. The latest are looked at first: a resource's own reasons
// come before those of the resources that were there before it.
func (p *planner) stabilize() {
	for i := len(p.actions) - 1; i >= 0; i-- {
		p.blockColocated(p.actions[i])
	}
	for i := len(p.actions) - 1; i >= 0; i-- {
		p.update(p.actions[i])
	}
}

// clearFlag clears flags of an action and notes why. It reports whether any was set.
func (p *planner) clearFlag(a *action, f actFlags, because *action) bool {
	f &= a.flags
	if f == 0 {
		return false
	}
	a.flags &^= f
	if because != nil {
		p.giveReason(a, because, f)
	}
	return true
}

// update evaluates every edge that leads to then, the latest first, and follows what changes.
func (p *planner) update(then *action) {
	before := then.flags
	if then.has(actRequiresAny) {
		then.found = 0
		if then.needed == 0 {
			then.needed = 1
		}
		then.flags &^= actRunnable
	}
	touched := false
	for i := len(then.before) - 1; i >= 0; i-- {
		l := then.before[i]
		ch := p.followLink(l)
		if ch&changedFirst != 0 {
			p.updateAfter(l.first)
			p.update(l.first)
		}
		touched = touched || ch&changedThen != 0
	}
	if then.has(actRequiresAny) {
		touched = then.flags != before
	}
	if !touched {
		return
	}
	if before&actRunnable != 0 && !then.runnable() {
		p.blockColocated(then)
	}
	p.update(then)
	p.updateAfter(then)
}

// updateAfter looks at everything that comes after an action.
func (p *planner) updateAfter(a *action) {
	for i := len(a.after) - 1; i >= 0; i-- {
		p.update(a.after[i].then)
	}
}

// followLink evaluates one edge.
func (p *planner) followLink(l *link) (ch changed) {
	first, then := l.first, l.then
	if l.flags == 0 {
		return 0
	}
	firstNode, thenNode := first.place(), then.place()
	if l.flags&ordSameNode != 0 && firstNode != nil && thenNode != nil && firstNode != thenNode {
		l.flags = 0
		return 0
	}
	if l.flags&ordNotMigratable != 0 && first.has(actMigratable) {
		l.flags = 0 // the first moves live: it is not stopped as the order means it
		return 0
	}
	if l.flags&ordThenCancelsFirst != 0 && !then.optional() && !first.optional() {
		first.flags |= actOptional
		ch = changedFirst
	}
	done := p.completion(first, then)
	if done != first {
		// A collective's "start" means its "running" to anybody outside.
		flags := l.flags
		l.flags = 0
		if p.order(done, then, flags) {
			ch |= changedThen
		}
		return ch
	}
	return ch | p.apply(l)
}

// completion returns the action that ends what first begins, as seen by somebody outside of its resource.
func (p *planner) completion(first, then *action) *action {
	r := first.rsc
	if r == nil || then.rsc == nil || r == then.rsc || r.variant == primitive || then.rsc.within(r) {
		return first
	}
	var task string
	switch first.task {
	case taskStart, taskStarted:
		task = taskStarted
	case taskStop, taskStopped:
		task = taskStopped
	case taskPromote, taskPromoted:
		task = taskPromoted
	case taskDemote, taskDemoted:
		task = taskDemoted
	default:
		return first
	}
	if a := r.findAction(task, 0, nil); a != nil {
		return p.afterNotify(r, a)
	}
	return first
}

// place is the node that an action is about: for the start of a group the one that all of it goes to.
func (a *action) place() *node {
	if a.node == nil && a.task == taskStart && a.rsc != nil && a.rsc.variant == group {
		return a.rsc.location(false)
	}
	return a.node
}

// flagsOn returns an action's flags as seen from a node: what a clone does elsewhere does not make it
// required here.
func (p *planner) flagsOn(a *action, n *node) actFlags {
	if a.rsc == nil || a.rsc.variant == primitive {
		return a.flags
	}
	f := p.memberFlags(a, nil)
	if a.rsc.variant == clone && n != nil {
		f = p.memberFlags(a, n)&^actRunnable | f&actRunnable
	}
	return f
}

// memberFlags sums up a collective action from its members' actions, on a node when one is given.
func (p *planner) memberFlags(a *action, n *node) actFlags {
	switch {
	case a.rsc.variant == primitive:
		return a.flags
	case a.rsc.variant == group:
		return p.groupFlags(a, n)
	}
	return p.instanceFlags(a, n)
}

// groupFlags: optional while all members' actions are; a completion is runnable when all of them are.
func (p *planner) groupFlags(a *action, n *node) actFlags {
	task := baseTask(a.task)
	flags := actOptional | actRunnable | actPseudo
	for _, m := range a.rsc.children {
		c := m.findAction(task, 0, n)
		if c == nil {
			if task != taskStop && task != taskDemote {
				flags &^= actRunnable
			}
			continue
		}
		if !c.optional() {
			flags &^= actOptional
			a.flags &^= actOptional
		}
		if task != a.task && !c.runnable() {
			flags &^= actRunnable
			a.flags &^= actRunnable
		}
	}
	return flags | a.flags&actPrint
}

// instanceFlags: optional while all instances' actions are; runnable when one of them is.
func (p *planner) instanceFlags(a *action, n *node) actFlags {
	flags := actOptional | actRunnable | actPseudo
	found := false
	task := a.instanceTask()
	for _, i := range a.rsc.doers(task) {
		c := i.instanceAction(task, n)
		if c == nil {
			continue
		}
		cf := p.memberFlags(c, n)
		if cf&actOptional == 0 {
			flags &^= actOptional
		}
		if cf&actRunnable != 0 {
			found = true
		}
	}
	if !found {
		flags &^= actRunnable
	}
	if n == nil {
		a.flags &= flags | ^(actOptional | actRunnable)
	}
	return flags | a.flags&actPrint
}

// instanceAction is the action of an instance that a clone's task stands for: a group has its own
// completions, of a primitive the task itself is one.
func (i *resource) instanceAction(task string, n *node) *action {
	if i.variant == primitive {
		return i.findAction(baseTask(task), 0, n)
	}
	return i.findAction(task, 0, nil)
}

// findMember returns the action that stands for a task of a resource, on a node when one is given.
func (r *resource) findMember(task string, n *node) *action {
	if r.variant == primitive || n == nil {
		return r.findAction(task, 0, n)
	}
	// A collective's own actions have no node: it is where its members are.
	for _, m := range r.members() {
		if m.findMember(task, n) != nil {
			return r.findAction(task, 0, nil)
		}
	}
	return nil
}

// baseTask is the task whose completion a task announces.
func baseTask(task string) string {
	switch task {
	case taskStarted:
		return taskStart
	case taskStopped:
		return taskStop
	case taskPromoted:
		return taskPromote
	case taskDemoted:
		return taskDemote
	case taskNotified:
		return taskNotify
	}
	return task
}
