package scheduler

import "strconv"

// lockToNode keeps a resource that a clean shutdown of its node stops for that node, until it is back or
// the lock's time is over. Only primitives and groups that are not cloned can be locked, and neither
// fence devices nor remote connections.
func (p *planner) lockToNode(r *resource) {
	if r.variant == group {
		for _, c := range r.children {
			p.lockToNode(c)
		}
		return
	}
	if r.variant != primitive || r.isFenceDevice || r.isConn || r.remote != nil {
		return
	}
	switch {
	case r.lockNode != nil && len(r.runningOn) > 0:
		// It was started elsewhere although it was locked: leave it be.
		r.lockHistory = r.lockNode
		r.lockNode, r.lockTime = nil, 0
	case r.lockNode == nil && len(r.runningOn) == 1:
		if n := r.runningOn[0]; n.shutdown && !n.unclean {
			r.lockNode = n
			r.lockTime = p.shutdownTime(n)
		}
	}
	if r.lockNode == nil {
		return
	}
	if p.cfg.shutdownLockLimitMS > 0 {
		p.recheckAt(r.lockTime + p.cfg.shutdownLockLimitMS/1000 + 1)
	}
	loc := &location{id: "shutdown-lock", rsc: r}
	for _, n := range p.nodes {
		if n != r.lockNode {
			loc.scores = append(loc.scores, locScore{n, banned})
		}
	}
	p.locations = append(p.locations, loc)
}

// shutdownTime is when a node was asked to shut down; now if that is not known.
func (p *planner) shutdownTime(n *node) int64 {
	if t, err := strconv.ParseInt(n.attrs["shutdown"], 10, 64); err == nil && t > 0 {
		return t
	}
	return p.now.Unix()
}
