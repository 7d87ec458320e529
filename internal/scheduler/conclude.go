package scheduler

import "slices"

// conclude draws from a replayed history what is to be done about r and its node.
func (rp *replayer) conclude() {
	r, n, p := rp.r, rp.n, rp.p
	if r.role != roleUnknown {
		for at := r; at != nil; at = at.parent {
			at.knownOn.add(n)
			if at.unique {
				break
			}
		}
	}
	if r.role > roleStopped && !n.online && !n.maintenance && r.managed {
		rp.activeOnLostNode()
	}
	doing := rp.doing
	if n.unclean {
		doing = failIgnore // the fencing takes care of it, and it may start again afterwards
	}
	rp.act(doing)
	if r.failed && r.isConn {
		// A lost connection means that the remote node is to be fenced even if it can be reached again.
		if remote := p.nodeByName[r.id]; remote != nil && remote.unclean {
			remote.unseen = false
		}
	}
	if r.role == roleStopped || r.role == roleUnknown {
		if bare := stripInstance(r.name); !r.unique && bare != r.name {
			r.name, r.renamed = bare, false
		}
		return
	}
	p.addRunning(r, n, rp.doing != failIgnore)
	switch doing {
	case failIgnore:
	case failDemote, failBlock:
		r.failed = true
	default:
		r.failed, r.lrmStop = true, true
	}
}

// activeOnLostNode: what runs on a node that is not there can be recovered only after fencing it. A
// guest is fenced with or without a fence device, by recovering its container. The fencing of a remote
// node is taken back if its connection can be established elsewhere, unless the connection failed.
func (rp *replayer) activeOnLostNode() {
	r, n, p := rp.r, rp.n, rp.p
	reason := r.id + " is thought to be active there"
	switch {
	case n.kind == guestNode:
		r.failed, r.lrmStop = true, true
	case !p.cfg.fencing:
		return
	case n.kind == remoteNode && n.conn != nil && !n.conn.failed:
		n.unseen = true
		reason = r.id + " is active there (fencing will be revoked if remote connection can be " +
			"re-established elsewhere)"
	}
	p.fence(n, reason, false)
}

// act does what the failures in a history demand.
func (rp *replayer) act(doing onFail) {
	r, n, p := rp.r, rp.n, rp.p
	active := r.role > roleStopped
	switch doing {
	case failDemote:
		r.failed = true
		r.forceDemote = append(r.forceDemote, n)
	case failFence:
		p.fence(n, r.id+" failed there", false)
	case failStandby:
		n.standby, n.standbyOnFail = true, true
	case failBlock:
		r.managed, r.blocked = false, true
	case failBan:
		p.pin(r, n, -infinity, "failure", "on-fail", "its failure keeps it off")
	case failStop:
		r.nextRole, r.nextReason = roleStopped, "on-fail=stop"
	case failRecover:
		if active {
			r.failed, r.lrmStop = true, true
			p.stopOn(r, n)
		}
	case failRestartBox:
		r.failed, r.lrmStop = true, true
		switch {
		case r.container != nil && r.bundleOf != nil:
			// The connection may be on another node than the container, whose place is not known yet.
			p.stopBoxes = append(p.stopBoxes, r.container)
		case r.container != nil:
			p.stopOn(r.container, n)
		case active:
			p.stopOn(r, n)
		}
	case failResetRemote:
		rp.resetRemote(active)
	}
}

// resetRemote: the connection failed in a way that calls for fencing the remote node. With a reconnect
// interval it stays down until the failure is forgotten.
func (rp *replayer) resetRemote(active bool) {
	r, p := rp.r, rp.p
	r.failed, r.lrmStop = true, true
	remote := p.nodeByName[r.id]
	if p.cfg.fencing && remote != nil && remote.kind == remoteNode && !remote.remoteWasFenced {
		p.fence(remote, "remote connection is unrecoverable", false)
	}
	if active {
		p.stopOn(r, rp.n)
	}
	if r.reconnectMS > 0 {
		r.nextRole, r.nextReason = roleStopped, "remote reset"
	}
}

// stopOn asks for a stop whatever else is decided. Where a stop cannot be done since the node is not
// there, the node must be fenced.
func (p *planner) stopOn(r *resource, n *node) {
	r.forceStop = append(r.forceStop, n)
	if !n.online && !n.unclean && r.managed && n.kind != guestNode {
		p.fence(n, "resource actions are unrunnable", false)
	}
}

// addRunning notes that r is active on n, for r and for what it is part of. failed keeps it from
// counting towards the node's priority.
func (p *planner) addRunning(r *resource, n *node, failed bool) {
	if slices.Contains(r.runningOn, n) {
		return
	}
	r.runningOn = append(r.runningOn, n)
	if r.variant == primitive {
		n.running = append(n.running, r)
		if !failed && r.priority != 0 {
			n.addPriority(r)
		}
		if n.maintenance {
			r.managed = false
		}
	}
	if !r.managed {
		p.pin(r, n, infinity, "unmanaged", "", "it is active there and not managed")
		for at := r.parent; at != nil && n.online; at = at.parent {
			if slices.Contains(at.runningOn, n) {
				at.runningAgain++
				continue
			}
			at.runningOn = append(at.runningOn, n)
		}
		return
	}
	if r.variant == primitive && len(r.runningOn) > 1 {
		p.activeTwice(r)
	}
	if r.parent != nil {
		p.addRunning(r.parent, n, false)
	}
}

// addPriority counts what runs on a node, a promoted instance for one more. A guest's weight is its
// host's too.
func (n *node) addPriority(r *resource) {
	add := r.priority
	if r.role == rolePromoted {
		add++
	}
	n.priority += add
	if n.kind == guestNode && n.conn != nil && n.conn.container != nil {
		for _, host := range n.conn.container.runningOn {
			host.priority += add
		}
	}
}

// activeTwice does what multiple-active says about a resource that is active on several nodes.
func (p *planner) activeTwice(r *resource) {
	switch r.multipleActive {
	case multiStopOnly:
		for _, n := range p.nodes {
			if n.idx < len(r.allowed) {
				r.allowed[n.idx].in = true
				p.addScore(r, n, -infinity, "multiple-active", "", "it was active on several nodes and is to be stopped only")
			}
		}
	case multiBlock:
		r.managed, r.blocked = false, true
		if up := r.parent; up != nil && (up.variant == group || up.variant == bundle) && up.multipleActive == multiBlock {
			for _, c := range up.children {
				c.managed, c.blocked = false, true
			}
		}
	case multiStopUnexpected:
		r.stopUnexpected = true
	}
}
