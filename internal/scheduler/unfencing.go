package scheduler

// Unfencing: a node is switched on for a device before anything that needs it starts there.

// unfencingOrders makes a resource that needs unfencing wait for it on every node it may use. What runs
// on a node stops before the node is unfenced anew.
func (p *planner) unfencingOrders(r *resource) {
	if !p.haveUnfencing || r.isFenceDevice || !r.needsUnfencing {
		return
	}
	for i := range r.allowed {
		if !r.allowed[i].in {
			continue
		}
		on := p.fenceAction(p.nodes[i], "on", true, "")
		p.orderTaskAction(r, taskStop, on, ordOptional|ordSameNode)
		p.orderActionTask(on, r, taskStart, ordThenOnNode|ordSameNode)
	}
}

// orderAfterUnfencing makes a start or a probe wait for the unfencing of its node. Agents of fence devices
// that unfence often cannot even probe before. A node that was unfenced once is not unfenced again for a
// new resource: that would stop all the others.
func (p *planner) orderAfterUnfencing(r *resource, n *node, a *action, flags ordFlags) {
	if n == nil || !p.haveUnfencing || !r.needsUnfencing && !r.isFenceDevice {
		return
	}
	p.order(p.fenceAction(n, "on", true, ""), a, flags)
	if !n.unfenced() {
		p.unfence(n, "required by "+r.id+" "+a.task)
	}
}

// deviceChanged unfences a node for a fence device that is no longer what it was; nil: every node that
// may use it.
func (p *planner) deviceChanged(r *resource, n *node, reason string) {
	if !r.isFenceDevice {
		return
	}
	for _, m := range p.byName {
		if m == n || n == nil && m.idx < len(r.allowed) && r.allowed[m.idx].in {
			p.unfence(m, reason)
		}
	}
}

// unfence has a node unfenced, if it can use a device at all.
func (p *planner) unfence(n *node, reason string) {
	if p.haveUnfencing && n.online && !n.unclean && !n.shutdown && p.canFence(n) {
		p.fenceAction(n, "on", false, reason)
	}
}

// unfenced reports whether a node has been unfenced since it joined.
func (n *node) unfenced() bool {
	v := n.attrs["#node-unfenced"]
	return v != "" && v != "0"
}
