package scheduler

// utilizationOrders makes a node's capacity be freed before it is used: whatever is to start on a node
// waits for what is to leave it.
func (p *planner) utilizationOrders(r *resource) {
	if p.cfg.placement == "" || p.cfg.placement == "default" || len(r.utilization) == 0 {
		return
	}
	for _, n := range r.runningOn {
		p.orderTaskAction(r, taskStop, p.loadStopped(n), ordLoad)
	}
	for i := range r.allowed {
		if !r.allowed[i].in {
			continue
		}
		mark := p.loadStopped(p.nodes[i])
		p.orderActionTask(mark, r, taskStart, ordLoad)
		p.orderActionTask(mark, r, taskMigrateTo, ordLoad)
	}
}

// loadStopped is the mark that all that leaves a node has left.
func (p *planner) loadStopped(n *node) *action {
	name := "load_stopped_" + n.name
	if a := p.marks[name]; a != nil {
		return a
	}
	a := p.newAction(nil, name, name, 0, n, actPseudo|actRunnable)
	if p.marks == nil {
		p.marks = map[string]*action{}
	}
	p.marks[name] = a
	return a
}
