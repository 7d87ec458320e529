package scheduler

// forgetLocks drops the histories that hold resources to nodes that were shut down, where the lock has
// run out or the resource cannot come back there.
func (p *planner) forgetLocks() {
	each(p.resources, func(r *resource) {
		if r.lockHistory != nil {
			p.freshOp(r, taskLrmDelete, 0, r.lockHistory, false).flags |= actRunnable
		}
	})
}
