package scheduler

import (
	"slices"
	"strings"
)

// The order in which actions are written. It is the order in which a simulation carries out what is
// ready at the same time, and in which people read a plan.

// selectFrom picks what will be written of a resource: the latest actions first, a group's own before
// its members', a clone's after its instances', and of a bundle what it holds before what holds that.
func (p *planner) selectFrom(r *resource) {
	switch r.variant {
	case bundle:
		if inner := r.content(); inner != nil {
			p.selectFrom(inner)
		}
		for _, m := range r.parts() {
			if m != r.content() {
				p.selectFrom(m)
			}
		}
		return
	case clone:
		for _, a := range r.actions {
			p.memberFlags(a, nil) // the sum of what became of the instances
		}
		for _, m := range r.children {
			p.selectFrom(m)
		}
		for _, a := range roundOrder(r) {
			p.selectAction(a)
		}
		return
	}
	for _, a := range p.latestFirst(r) {
		p.selectAction(a)
	}
	if r.variant == group {
		for _, m := range r.children {
			p.selectFrom(m)
		}
	}
}

// latestFirst is a resource's actions, the latest first. What history asks for counts as made when history
// was looked at: cancels, the start of what has changed, and the clearing of failures.
func (p *planner) latestFirst(r *resource) []*action {
	age := func(a *action) int {
		if a.seq > p.prepared {
			switch {
			case a.task == taskClearFail:
				return 4*p.prepared + 3
			case a.task == taskStart && r.changed:
				return 4*p.prepared + 2
			case a.task == taskCancel:
				return 4*p.prepared + 1
			}
		}
		return 4 * a.seq
	}
	list := slices.Clone(r.actions)
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b *action) int { return age(b) - age(a) })
	return list
}

// rounds are the pseudo actions of a clone in the order of one round after the other, each with the
// notifications around it.
var rounds = [...]string{
	"start", "running", "pre_notify_start", "confirmed-pre_notify_start", "post_notify_running", "confirmed-post_notify_running",
	"stop", "stopped", "pre_notify_stop", "confirmed-pre_notify_stop", "post_notify_stopped", "confirmed-post_notify_stopped",
	"promote", "promoted", "pre_notify_promote", "confirmed-pre_notify_promote", "post_notify_promoted", "confirmed-post_notify_promoted",
	"demote", "demoted", "pre_notify_demote", "confirmed-pre_notify_demote", "post_notify_demoted", "confirmed-post_notify_demoted",
}

// roundOrder is a clone's own actions, those of the last round first.
func roundOrder(r *resource) []*action {
	rank := func(a *action) int {
		name := strings.TrimSuffix(strings.TrimPrefix(a.key, r.id+"_"), "_0")
		return slices.Index(rounds[:], name)
	}
	list := slices.Clone(r.actions)
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b *action) int { return rank(b) - rank(a) })
	return list
}
