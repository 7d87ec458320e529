package scheduler

import (
	"cmp"
	"slices"
	"strconv"
)

// Fencing and shutdown: which nodes must be made sure of, and what waits for that.

// fenceAction returns the fencing of a node, made if there is none yet. op is "on", "off", "reboot" or
// empty for the configured action.
func (p *planner) fenceAction(n *node, op string, optional bool, reason string) *action {
	if op == "" {
		op = p.cfg.fencingAction
	}
	key := "stonith-" + n.name + "-" + op
	a := p.fences[key]
	if a == nil {
		a = p.newAction(nil, key, taskFence, 0, n, actRunnable|actOptional)
		a.fenceOp = op
		a.set("CRM_meta_on_node", n.name)
		a.set("CRM_meta_on_node_uuid", n.id)
		a.set("CRM_meta_stonith_action", op)
		if p.fences == nil {
			p.fences = map[string]*action{}
		}
		p.fences[key] = a
	}
	if !optional {
		a.flags &^= actOptional
		if a.reason == "" {
			a.reason = reason
		}
	}
	return a
}

// managesAny reports whether there is a resource for the sake of which a node could be fenced.
func (p *planner) managesAny() bool {
	return slices.ContainsFunc(p.resources, func(r *resource) bool { return r.managed })
}

// priorityDelay is how long the fencing of a lost node is to wait, in ms, so that in a race of two halves the one
// that runs more important things shoots first: when we are no more than half of the members, priorities differ,
// and none is above the target's.
func (p *planner) priorityDelay(target *node) int64 {
	members, online, top, lowest := 0, 0, 0, 0
	for _, n := range p.byName {
		if n.kind != memberNode {
			continue
		}
		if members == 0 || n.priority > top {
			top = n.priority
		}
		if members == 0 || n.priority < lowest {
			lowest = n.priority
		}
		members++
		if n.online {
			online++
		}
	}
	if target.online || online > members/2 || top == lowest || target.priority < top {
		return 0
	}
	return p.cfg.priorityFencingDelayMS
}

// fenceAndShutdown makes the fencing of every node that needs it and the shutdown of those that asked.
func (p *planner) fenceAndShutdown() {
	var dcDown *action
	var fences, shutdowns []*action
	managed := p.managesAny()
	for _, n := range p.byName {
		if n.kind == guestNode {
			if n.remoteReset && managed && n.conn.container != nil && p.canFence(n) {
				p.fenceGuestNode(n)
			}
			continue
		}
		switch {
		case n.unclean && managed && p.canFence(n):
			f := p.fenceAction(n, "", false, cmp.Or(n.fencedReason, "node is unclean"))
			if n.priorityDelay && p.cfg.priorityFencingDelayMS > 0 {
				f.set("CRM_meta_priority_fencing_delay", strconv.FormatInt(p.priorityDelay(n)/1000, 10))
			}
			p.orderAroundFence(f)
			if n == p.dc {
				dcDown = f
			} else {
				if !p.cfg.concurrentFencing && len(fences) > 0 {
					p.order(fences[len(fences)-1], f, ordOptional)
				}
				fences = append(fences, f)
			}
		case n.online && n.shutdown && n.kind != remoteNode && n.kind != pingNode:
			d := p.shutdownAction(n)
			if n == p.dc {
				dcDown = d
			} else {
				shutdowns = append(shutdowns, d)
			}
		}
	}
	if dcDown == nil {
		return
	}
	// The DC goes last, so that it can see to the others.
	if dcDown.task == taskShutdown {
		for _, s := range shutdowns {
			p.order(s, dcDown, ordOptional)
		}
	}
	if p.cfg.concurrentFencing {
		for _, f := range fences {
			p.order(f, dcDown, ordOptional)
		}
	} else if len(fences) > 0 {
		p.order(fences[len(fences)-1], dcDown, ordOptional)
	}
}

func (p *planner) shutdownAction(n *node) *action {
	a := p.newAction(nil, "do_shutdown-"+n.name, taskShutdown, 0, n, actRunnable)
	a.set("CRM_meta_op_no_wait", "true")
	a.set("CRM_meta_on_node", n.name)
	a.set("CRM_meta_on_node_uuid", n.id)
	for i := 0; i < len(p.actions); i++ {
		s := p.actions[i]
		if s.rsc == nil || s.node != n || s.task != taskStop {
			continue
		}
		if !s.rsc.managed && !s.rsc.blocked || s.rsc.maintenance || n.maintenance {
			continue
		}
		s.flags &^= actOptional
		p.order(s, a, ordOptional|ordRunnable)
	}
	return a
}

// orderAroundFence puts what depends on a node's end after its fencing, and turns the stops there into
// mere marks.
func (p *planner) orderAroundFence(f *action) {
	for _, r := range p.resources {
		p.fenceResource(r, f)
	}
}

func (p *planner) fenceResource(r *resource, f *action) {
	if r.variant != primitive {
		for _, m := range r.parts() {
			p.fenceResource(m, f)
		}
		return
	}
	if !r.managed {
		return
	}
	p.startsAfterFence(r, f)
	p.stopsByFence(r, f)
}

func (p *planner) startsAfterFence(r *resource, f *action) {
	target := f.node
	for _, a := range r.actions {
		switch a.needs {
		case needFencing:
			p.order(f, a, ordOptional)
		case needQuorum:
			if a.task == taskStart && target.idx < len(r.allowed) && r.allowed[target.idx].in && !r.surelyKnown(target) {
				// It may be running on the node that we know nothing of.
				p.order(f, a, ordOptional|ordRunnable)
			}
		}
	}
}

// stopsByFence: what runs on a fenced node is stopped by that. Where the resource asks for fencing, or the
// node is a guest and its fencing the end of its container, what waits for the stop waits for the fencing.
// surelyKnown reports whether a node knows a resource or, for an instance of an anonymous clone, any
// instance. Members of cloned groups speak for themselves only: a group may be known in part.
func (r *resource) surelyKnown(n *node) bool {
	if r.knownOn.has(n) {
		return true
	}
	if r.parent == nil || r.parent.variant != clone || r.parent.unique {
		return false
	}
	for _, i := range r.parent.children {
		if i.knownOn.has(n) {
			return true
		}
	}
	return false
}

// lastAction is the latest of a resource's actions of that task, nil if there is none.
func (r *resource) lastAction(task string) *action {
	for _, a := range slices.Backward(r.actions) {
		if a.task == task {
			return a
		}
	}
	return nil
}

func (p *planner) stopsByFence(r *resource, f *action) {
	n := f.node
	top := r.outer()
	ordered := r.needsFencing || n.kind == guestNode
	bundled := r.bundled()
	for i := 0; i < len(r.actions); i++ {
		a := r.actions[i]
		if a.node != n {
			continue
		}
		switch a.task {
		case taskStop:
			a.flags |= actPseudo | actRunnable
			if ordered {
				if !bundled { // the bundle's own stop is ordered, and this would close a loop
					p.order(f, a, ordPreserve)
				}
				if top != r || !bundled { // where it is active twice, this is the stop on the other node
					p.order(f, top.lastAction(taskStop), ordPreserve)
				}
			}
			p.fenceNotify(r, f)
		case taskDemote:
			if !n.online || n.unclean || r.failed {
				a.flags |= actPseudo | actRunnable
				if ordered && !bundled {
					p.order(f, a, ordPreserve|ordOptional)
				}
			}
		}
	}
}
