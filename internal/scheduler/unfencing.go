package scheduler

// Unfencing: a node is switched on for a device before anything that needs it starts there.

// unfencingOrders makes a resource that needs unfencing wait for it on every node it may use.
func (p *planner) unfencingOrders(r *resource) {
	if !p.haveUnfencing || r.isFenceDevice || !r.needsUnfencing {
		return
	}
	for i := range r.allowed {
		n := p.nodes[i]
		if !r.allowed[i].in {
			continue
		}
		on := p.fenceAction(n, "on", true, "")
		p.orderTaskAction(r, taskStop, on, ordOptional|ordSameNode)
		p.orderActionTask(on, r, taskStart, ordImpliesThen|ordSameNode)
	}
}

// orderAfterUnfencing makes an action wait for the unfencing of its node.
func (p *planner) orderAfterUnfencing(r *resource, n *node, a *action, flags ordFlags) {
	if n == nil || !p.haveUnfencing || !r.needsUnfencing {
		return
	}
	on := p.fenceAction(n, "on", true, "")
	p.order(on, a, flags)
	if !p.unfenced(n) {
		on.require("required by " + r.id)
	}
}

// unfenced reports whether a node has been unfenced since it joined.
func (p *planner) unfenced(n *node) bool {
	v := n.attrs["#node-unfenced"]
	return v != "" && v != "0"
}
