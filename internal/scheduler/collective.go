package scheduler

import (
	"slices"
	"strings"
)

// createActions makes the actions of a resource and everything inside it.
func (p *planner) createActions(r *resource) {
	switch r.variant {
	case primitive:
		p.primitiveActions(r)
	case group:
		p.groupActions(r)
	case clone:
		p.cloneActions(r)
	case bundle:
		p.bundleActions(r)
	}
}

func (p *planner) groupActions(g *resource) {
	for _, m := range g.children {
		p.createActions(m)
	}
	p.pseudoOp(g, taskStart, true, true)
	p.pseudoOp(g, taskStarted, true, true)
	p.pseudoOp(g, taskStop, true, true)
	p.pseudoOp(g, taskStopped, true, true)
	if g.bundlePromotable() {
		p.pseudoOp(g, taskDemote, true, true)
		p.pseudoOp(g, taskDemoted, true, true)
		p.pseudoOp(g, taskPromote, true, true)
		p.pseudoOp(g, taskPromoted, true, true)
	}
}

// changes is what will happen to the instances of a clone.
type changes struct {
	starting, stopping, active, promoting, demoting bool

	moving bool // one instance both stops and starts
}

func (p *planner) cloneActions(c *resource) {
	var ch changes
	for _, i := range c.children {
		p.createActions(i)
		var one changes
		one.look(i)
		ch.add(one)
	}
	if c.ordered {
		p.oneByOne(c)
	}
	p.collectiveMarks(c, ch)
	if c.promotable {
		p.promotionMarks(c, ch)
	}
	p.orderRounds(c)
}

// oneByOne lets the instances of an ordered clone start one after another, and stop the other way round,
// past those in between that do neither.
func (p *planner) oneByOne(c *resource) {
	list := slices.Clone(c.children)
	slices.SortFunc(list, func(a, b *resource) int { return strings.Compare(a.id, b.id) })
	var up, down *action
	for _, i := range list {
		if a := i.findAction(taskStop, 0, nil); a != nil && p.memberFlags(a, nil)&actOptional == 0 {
			if down != nil {
				p.order(a, down, ordOptional)
			}
			down = a
		}
		if a := i.findAction(taskStart, 0, nil); a != nil && p.memberFlags(a, nil)&actOptional == 0 {
			if up != nil {
				p.order(up, a, ordOptional)
			}
			up = a
		}
	}
}

// add adds what will happen to one instance.
func (ch *changes) add(one changes) {
	ch.starting = ch.starting || one.starting
	ch.stopping = ch.stopping || one.stopping
	ch.active = ch.active || one.active
	ch.promoting = ch.promoting || one.promoting
	ch.demoting = ch.demoting || one.demoting
	ch.moving = ch.moving || one.starting && one.stopping
}

// look adds what the actions of an instance, or of what is inside it, are going to do.
func (ch *changes) look(r *resource) {
	if r.variant != primitive {
		for _, m := range r.members() {
			ch.look(m)
		}
		return
	}
	if len(r.runningOn) > 0 {
		ch.active = true
	}
	for _, a := range r.actions {
		if a.optional() {
			continue
		}
		switch {
		case a.task == taskStart && a.runnable():
			ch.starting = true
		case a.task == taskStop && (a.has(actPseudo) || a.runnable()):
			ch.stopping = true
		case a.task == taskPromote && a.runnable():
			ch.promoting = true
		case a.task == taskDemote && a.runnable():
			ch.demoting = true
		}
	}
}

// collectiveMarks makes start, running, stop and stopped of a clone, and what tells its instances of them.
func (p *planner) collectiveMarks(c *resource, ch changes) {
	start := p.pseudoOp(c, taskStart, !ch.starting, true)
	started := p.pseudoOp(c, taskStarted, !ch.starting, ch.active || ch.starting)
	started.priority = infinity
	p.round(c, taskStart, start, started)
	stop := p.pseudoOp(c, taskStop, !ch.stopping, true)
	if c.variant == clone && !ch.moving {
		stop.flags |= actMigratable // what depends on the clone may move live to where an instance stays
	}
	stopped := p.pseudoOp(c, taskStopped, !ch.stopping, true)
	stopped.priority = infinity
	p.round(c, taskStop, stop, stopped)
}

func (p *planner) promotionMarks(c *resource, ch changes) {
	promote := p.pseudoOp(c, taskPromote, !ch.promoting, true)
	promoted := p.pseudoOp(c, taskPromoted, !ch.promoting, true)
	promoted.priority = infinity
	p.round(c, taskPromote, promote, promoted)
	demote := p.pseudoOp(c, taskDemote, !ch.demoting, true)
	demoted := p.pseudoOp(c, taskDemoted, !ch.demoting, true)
	demoted.priority = infinity
	p.round(c, taskDemote, demote, demoted)
}
