package scheduler

// Bundles: what is done to their containers, and how what runs inside waits for that.

func (p *planner) bundleOrders(b *resource) {
	child := b.content()
	if child != nil {
		p.orderTasks(b, taskStart, child, taskStart, ordPrintFirst)
		p.orderTasks(b, taskStop, child, taskStop, ordPrintFirst)
		p.orderTasks(child, taskStarted, b, taskStarted, ordPrintThen)
		p.orderTasks(child, taskStopped, b, taskStopped, ordPrintThen)
	}
	for _, rep := range b.replicas {
		c := rep.container
		p.internalOrders(c)
		p.orderTasks(b, taskStart, c, taskStart, ordRunnable|ordPrintFirst)
		if rep.child != nil {
			p.orderTasks(b, taskStop, rep.child, taskStop, ordPrintFirst)
		}
		p.orderTasks(b, taskStop, c, taskStop, ordPrintFirst)
		p.orderTasks(c, taskStart, b, taskStarted, ordPrintThen)
		p.orderTasks(c, taskStop, b, taskStopped, ordPrintThen)
		if rep.ip != nil {
			p.internalOrders(rep.ip)
			p.orderTasks(rep.ip, taskStart, c, taskStart, ordRunnable|ordPreserve)
			p.orderTasks(c, taskStop, rep.ip, taskStop, ordImpliesFirst|ordPreserve)
		}
		if rep.remote != nil {
			// Its order relative to the container comes from being inside it.
			p.internalOrders(rep.remote)
		}
	}
	if child == nil {
		return
	}
	p.internalOrders(child)
	if child.promotable {
		p.orderTasks(b, taskStopped, b, taskStart, ordOptional)
		p.orderTasks(b, taskStopped, b, taskPromote, ordOptional)
		p.orderTasks(b, taskDemoted, b, taskStop, ordOptional)
		p.orderTasks(b, taskDemoted, b, taskStart, ordOptional)
		p.orderTasks(b, taskDemoted, b, taskPromote, ordOptional)
		p.orderTasks(b, taskStarted, b, taskPromote, ordOptional)
		p.orderTasks(b, taskDemote, b, taskDemoted, ordOptional)
		p.orderTasks(child, taskDemoted, b, taskDemoted, ordPrintThen)
		p.orderTasks(b, taskDemote, child, taskDemote, ordPrintFirst)
		p.orderTasks(child, taskPromoted, b, taskPromoted, ordPrintThen)
		p.orderTasks(b, taskPromote, child, taskPromote, ordPrintFirst)
	}
}

// content is the clone of what runs inside a bundle, nil for a bundle of containers only.
func (b *resource) content() *resource {
	for _, c := range b.children {
		if c.variant == clone {
			return c
		}
	}
	return nil
}

func (p *planner) bundleActions(b *resource) {
	var ch changes
	for _, rep := range b.replicas {
		if rep.ip != nil {
			p.createActions(rep.ip)
		}
		p.createActions(rep.container)
		ch.look(rep.container)
		if rep.remote != nil {
			p.createActions(rep.remote)
		}
	}
	p.collectiveMarks(b, ch)
	child := b.content()
	if child == nil {
		return
	}
	p.createActions(child)
	if child.promotable {
		for _, t := range []string{taskPromote, taskPromoted, taskDemote, taskDemoted} {
			a := p.pseudoOp(b, t, true, true)
			if t == taskPromoted || t == taskDemoted {
				a.priority = infinity
			}
		}
	}
}

// probeBundle probes the parts of a bundle on a node.
func (p *planner) probeBundle(b *resource, n *node) bool {
	any := false
	for _, rep := range b.replicas {
		if rep.ip != nil {
			any = p.probe(rep.ip, n) || any
		}
		if rep.child != nil && rep.node == n {
			any = p.probe(rep.child, n) || any
		}
		if p.probe(rep.container, n) {
			any = true
			// Where a host has room for one replica only, no other one starts until it is known which is there.
			probe := rep.container.findAction(taskMonitor, 0, n)
			for _, other := range b.replicas {
				if other != rep && b.cloneNodeMax == 1 {
					p.orderActionTask(probe, other.container, taskStart, ordOptional|ordSameNode)
				}
			}
		}
		if rep.remote != nil && p.probe(rep.remote, n) {
			any = true
			// The connection can only be asked for once its container is there.
			probe := rep.remote.findAction(taskMonitor, 0, n)
			p.orderTaskAction(rep.container, taskStart, probe, ordProbe)
		}
	}
	return any
}
