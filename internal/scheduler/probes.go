package scheduler

import "slices"

// Probes: a node that has no history of a resource is asked whether it runs there before anybody
// starts it.

func (p *planner) probes() {
	if !p.cfg.enableStartupProbes {
		return
	}
	for _, n := range p.byName {
		if n.kind == remoteNode && !n.online && n.conn != nil && p.connState(n) == connFailed {
			p.fence(n, "the connection is unrecoverable", false)
		}
		if !p.canProbe(n) {
			continue
		}
		if v, ok := n.attrs["probe_complete"]; ok && !isTrue(v) {
			p.reprobe(n)
			continue
		}
		for _, r := range p.resources {
			p.probe(r, n)
		}
	}
}

// canProbe reports whether a node answers questions.
func (p *planner) canProbe(n *node) bool {
	if n.kind == pingNode || !n.online && n.kind != guestNode || n.unclean {
		return false
	}
	return n.discovery
}

// reprobe asks a node whose history was thrown away to probe everything again.
func (p *planner) reprobe(n *node) {
	a := p.newAction(nil, taskReprobe+"-"+n.name, taskReprobe, 0, n, actRunnable)
	a.set("CRM_meta_on_node", n.name)
	a.set("CRM_meta_on_node_uuid", n.id)
	a.set("CRM_meta_op_no_wait", "true")
}

// probe probes a resource, or what is inside it, on a node. It reports whether it made an action.
func (p *planner) probe(r *resource, n *node) bool {
	switch r.variant {
	case primitive:
		return p.probePrimitive(r, n)
	case group:
		any := false
		for _, m := range r.children {
			any = p.probe(m, n) || any
		}
		return any
	case clone:
		return p.probeClone(r, n)
	}
	return p.probeBundle(r, n)
}

// probeClone probes every instance of a unique clone, one instance of an anonymous one: on one node
// they cannot be told apart.
func (p *planner) probeClone(c *resource, n *node) bool {
	if p.excluded(c, n) {
		return false
	}
	if c.unique {
		any := false
		for _, i := range c.children {
			any = p.probe(i, n) || any
		}
		return any
	}
	return len(c.children) > 0 && p.probe(c.spokesman(n), n)
}

// spokesman is the instance of an anonymous clone that is asked for on a node: the one that was asked for
// before, else the one that is to be there, else the first.
func (c *resource) spokesman(n *node) *resource {
	for _, i := range c.children {
		if i.partlyKnownAt(n) {
			return i
		}
	}
	for _, i := range c.children {
		if i.assignedAt(n) {
			return i
		}
	}
	return c.children[0]
}

// partlyKnownAt reports whether a node has history of r, or of any part of it.
func (r *resource) partlyKnownAt(n *node) bool {
	if r.variant == primitive {
		return r.knownOn.has(n)
	}
	for _, m := range r.children {
		if m.partlyKnownAt(n) {
			return true
		}
	}
	return false
}

// assignedAt reports whether r, or a part of it, was assigned to a node.
func (r *resource) assignedAt(n *node) bool {
	if r.variant == primitive {
		return r.assigned == n
	}
	for _, m := range r.children {
		if m.assignedAt(n) {
			return true
		}
	}
	return false
}

// excluded reports whether resource-discovery of a location constraint rules a probe out.
func (p *planner) excluded(r *resource, n *node) bool {
	return r.exclusive && n.idx < len(r.allowed) && (!r.allowed[n.idx].in || r.allowed[n.idx].discover != discoverExclusive)
}

func (p *planner) probePrimitive(r *resource, n *node) bool {
	if r.orphan || r.knownOn.has(n) {
		return false
	}
	if r.container != nil && !r.isConn {
		return false // its container tells enough
	}
	if n.isRemote() && (r.class == "stonith" || r.isConn || n.kind == guestNode && r.holdsRemote()) {
		return false
	}
	if r.remote == n || n.bundled() && !r.within(n.conn.bundleOf.content()) {
		return false
	}
	if p.excluded(r, n) || p.excluded(r.outer(), n) {
		return false
	}
	if n.idx < len(r.allowed) && r.allowed[n.idx].discover == discoverNever {
		return false
	}
	if n.kind == guestNode && !n.guestStays() {
		p.startAfterGuest(r, n.conn.container)
		return false
	}
	a := p.freshOp(r, taskMonitor, 0, n, false)
	p.orderAfterUnfencing(r, n, a, ordOptional)
	a.targetRC = 7
	for _, on := range r.runningOn {
		if on == n {
			a.targetRC = -1
			if r.role == rolePromoted {
				a.targetRC = 8
			}
		}
	}
	top := r.outer()
	if top.variant != clone {
		top = r
	}
	p.orderActionTask(a, top, taskStart, ordProbe)
	p.orderActionTask(a, r, taskReload, ordOptional)
	return true
}

// holdsRemote reports whether r is the container of a guest node.
func (r *resource) holdsRemote() bool {
	for _, f := range r.fillers {
		if f.remote != nil {
			return true
		}
	}
	return false
}

// bundled reports whether a node is a bundle's replica: nothing but the bundle's primitive is looked for there.
func (n *node) bundled() bool { return n.conn != nil && n.conn.bundleOf != nil }

// startAfterGuest orders the start of r, or of what it is part of, where a guest cannot be asked whether it
// runs there: if the guest is thought to be down, after the probes that make sure of it, else after its stop.
func (p *planner) startAfterGuest(r, box *resource) {
	top := r.outer()
	switch {
	case box.role != roleStopped:
		p.orderTasks(box, taskStop, top, taskStart, ordOptional)
	case box.assigned != nil && !box.knownOn.has(box.assigned):
		p.orderTasks(box, taskMonitor, top, taskStart, ordOptional)
	}
}

// guestStays reports whether a guest node is up and will not be stopped, recovered or moved: else what it
// could answer would not last.
func (n *node) guestStays() bool {
	c := n.conn.container
	switch {
	case c == nil:
		return true
	case c.role == roleStopped || c.nextRole == roleStopped:
		return false
	case n.remoteReset || n.unclean || c.failed:
		return false
	}
	return c.assigned == nil || slices.Contains(c.runningOn, c.assigned)
}
