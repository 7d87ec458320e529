package scheduler

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Recurring operations: which monitors must be scheduled or cancelled, for the role a resource will have.

// recurring makes the recurring operations of a primitive.
func (p *planner) recurring(r *resource) {
	if r.blocked || r.maintenance || p.cfg.maintenance && r.maintenance {
		return
	}
	var n *node
	if r.nextRole > roleStopped {
		n = r.assigned
	}
	var start *action
	if n != nil {
		start = r.findAction(taskStart, 0, n)
	}
	if start != nil && !r.managed && !n.maintenance {
		start.flags |= actOptional // nobody starts it, and that concerns nobody whose monitors go on
	}
	for _, op := range p.recurringOps(r) {
		if n != nil && !n.maintenance && r.nextRole > roleStopped {
			p.activeMonitor(r, n, start, op)
		}
		p.stoppedMonitors(r, n, op)
	}
}

// recurringOps lists the enabled operations with an interval; where two have the same name and interval
// neither counts, since nobody can say which is meant.
func (p *planner) recurringOps(r *resource) []*cib.Op {
	var list []*cib.Op
	for _, op := range r.ops {
		if op.IntervalMS <= 0 || !enabled(op) {
			continue
		}
		switch op.Name {
		case taskStart, taskStop, taskPromote, taskDemote:
			continue
		}
		same := 0
		for _, o := range r.ops {
			if o.Name == op.Name && o.IntervalMS == op.IntervalMS {
				same++
			}
		}
		if same == 1 {
			list = append(list, op)
		}
	}
	return list
}

// roleMatches reports whether an operation is for the role that a resource will have: one without a
// role is for every active role but the promoted one.
func roleMatches(op *cib.Op, next role) bool {
	want := attrOf(op, "role")
	if want == "" {
		return next != rolePromoted
	}
	return roleOf(want) == next
}

// activeMonitor schedules an operation where the resource will be active.
func (p *planner) activeMonitor(r *resource, n *node, start *action, op *cib.Op) {
	optional := start == nil || start.optional()
	old := r.findAction(op.Name, op.IntervalMS, n)
	if old == nil || old.has(actReschedule) {
		optional = false
	}
	if !roleMatches(op, r.nextRole) {
		if old != nil && optional && roleOf(attrOf(op, "role")) != roleStopped {
			p.cancelBeforeRoleChange(r, n, op)
		}
		return
	}
	if old == nil || optional || old.has(actReschedule) || !optional {
		a := p.op(r, op.Name, op.IntervalMS, n, optional)
		a.op = op
		if start == nil || !start.runnable() {
			a.flags &^= actRunnable
		} else if !n.online || n.unclean {
			a.flags &^= actRunnable
		}
		if r.nextRole == rolePromoted {
			a.targetRC = 8
		}
		p.orderMonitor(r, a)
	}
}

// orderMonitor puts a monitor after whatever brings the resource to the role it checks.
func (p *planner) orderMonitor(r *resource, a *action) {
	if !r.managed && a.node != nil {
		return
	}
	p.orderTaskAction(r, taskStart, a, ordImpliesThen|ordRunnable)
	p.orderTaskAction(r, taskReload, a, ordImpliesThen|ordRunnable)
	if r.nextRole == rolePromoted {
		p.orderTaskAction(r, taskPromote, a, ordOptional|ordRunnable)
	} else if r.role == rolePromoted {
		p.orderTaskAction(r, taskDemote, a, ordOptional|ordRunnable)
	}
}

// cancelBeforeRoleChange cancels a monitor of the present role before the role changes.
func (p *planner) cancelBeforeRoleChange(r *resource, n *node, op *cib.Op) {
	c := p.cancelAction(r, op.Name, op.IntervalMS, n)
	var then string
	switch {
	case r.role <= roleUnpromoted && r.nextRole == rolePromoted:
		then = taskPromote
	case r.role <= roleUnpromoted && r.nextRole == roleStopped:
		then = taskStop
	case r.role == rolePromoted:
		then = taskDemote
	default:
		return
	}
	p.orderActionTask(c, r, then, ordRunnable)
}

// stoppedMonitors schedules an operation with role=Stopped on all nodes where the resource is not to be.
func (p *planner) stoppedMonitors(r *resource, n *node, op *cib.Op) {
	if roleOf(attrOf(op, "role")) != roleStopped || !r.unique && r.instanceOf() != nil {
		return
	}
	for _, o := range p.nodes {
		old := r.findAction(op.Name, op.IntervalMS, o)
		if o == n {
			if old != nil {
				c := p.cancelAction(r, op.Name, op.IntervalMS, o)
				if r.nextRole == roleStarted || r.nextRole == roleUnpromoted {
					p.orderActionTask(c, r, taskStart, ordRunnable)
				}
			}
			continue
		}
		if o.kind == pingNode {
			continue
		}
		optional := old != nil
		a := p.op(r, op.Name, op.IntervalMS, o, optional)
		a.op = op
		a.targetRC = 7
		if r.managed {
			p.probeBefore(r, o, a)
		}
		for _, s := range r.actions {
			if s.task != taskStop || s.node != o {
				continue
			}
			if !s.runnable() {
				a.flags &^= actRunnable
			}
			if r.managed {
				p.orderActionTaskTo(s, a, ordImpliesThen|ordRunnable)
			}
		}
		if !o.online || o.unclean {
			a.flags &^= actRunnable
		}
	}
}

// orderActionTaskTo orders two actions when all exist.
func (p *planner) orderActionTaskTo(first, then *action, flags ordFlags) {
	p.edges = append(p.edges, &ordering{first: first, firstRsc: first.rsc, then: then, thenRsc: then.rsc, flags: flags})
}

// probeBefore puts a stopped-role monitor after the probe on its node.
func (p *planner) probeBefore(r *resource, n *node, a *action) {
	if probe := r.findAction(taskMonitor, 0, n); probe != nil {
		p.orderActionTaskTo(probe, a, ordRunnable)
	}
}

// instanceOf returns the clone that r is an instance of, or inside an instance of; nil for none.
func (r *resource) instanceOf() *resource {
	for q := r.parent; q != nil; q = q.parent {
		if q.variant == clone {
			return q
		}
	}
	return nil
}

// cancelAction cancels a recurring operation on a node.
func (p *planner) cancelAction(r *resource, task string, interval int64, n *node) *action {
	key := opKey(r.id, task, interval)
	var a *action
	for _, b := range r.actions {
		if b.key == key && b.node == n {
			a = b
			break
		}
	}
	if a == nil {
		a = p.newAction(r, key, taskCancel, interval, n, actRunnable)
	}
	// An operation that was to go on turns into its own end.
	a.task, a.cancels = taskCancel, task
	a.flags &^= actOptional
	a.set("CRM_meta_interval", strconv.FormatInt(interval, 10))
	a.set("CRM_meta_operation", task)
	p.assessRunnable(a)
	return a
}

// roleOf reads a role; roleUnknown for what is none.
func roleOf(s string) role {
	r, _ := parseRole(s)
	return r
}
