package scheduler

// forgetLocks drops the histories that hold resources to nodes that were shut down, where the lock has
// run out or the resource was started elsewhere all the same.
func (p *planner) forgetLocks() {
	for _, l := range p.expiredLocks {
		p.forgetHistory(l.rsc, l.node)
	}
	each(p.resources, func(r *resource) {
		if r.lockHistory != nil {
			p.forgetHistory(r, r.lockHistory)
		}
	})
}

// forgetHistory drops a history from the CIB; the node is not asked, it may well be off.
func (p *planner) forgetHistory(r *resource, n *node) {
	p.op(r, taskLrmDelete, 0, n, false).flags |= actRunnable
}
