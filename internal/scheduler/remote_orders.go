package scheduler

// Remote and guest nodes: what happens on them goes through a connection, which is a resource itself.

// connState is what is to be expected of the connection to a remote node.
type connState uint8

const (
	connUnknown connState = iota
	connAlive             // up, and will be
	connResting           // given up on purpose, nothing runs there
	connFailed            // lost: only fencing helps
	connStopped           // will be down
)

func (p *planner) orderRemotes() {
	if !p.haveRemote {
		return
	}
	for i := 0; i < len(p.actions); i++ {
		a := p.actions[i]
		if a.rsc == nil {
			continue
		}
		if a.task == taskClearFail && a.rsc.isConn {
			// The failure is forgotten before the connection is tried again.
			p.orderActionTask(a, a.rsc, taskStart, ordOptional)
			continue
		}
		if a.node == nil || !a.node.isRemote() || a.node.conn == nil {
			continue
		}
		if a.task == taskReprobe || a.task == taskClearFail {
			continue
		}
		if a.node.kind == guestNode {
			p.guestOrder(a)
		} else {
			p.remoteOrder(a)
		}
	}
}

func (p *planner) connState(n *node) connState {
	c := n.conn
	var at *node
	if len(c.runningOn) > 0 {
		at = c.runningOn[0]
	}
	next := c.nextRole
	switch {
	case next == roleStopped || c.assigned == nil:
		if at != nil && at.unclean {
			return connFailed
		}
		if c.role == roleStopped || at == nil {
			if n.unclean && n.remoteReset {
				return connFailed
			}
			return connStopped
		}
		if c.failed {
			return connFailed
		}
		return connResting
	case n.remoteReset || n.unclean:
		return connFailed
	case at == nil:
		return connUnknown
	case at.unclean || !at.online:
		return connUnknown
	}
	return connAlive
}

// startThen makes an action on a remote node wait for its connection.
func (p *planner) startThen(conn *resource, a *action, flags ordFlags) {
	p.orderTaskAction(conn, taskStart, a, ordPreserve|flags)
}

// thenStop keeps a connection up until an action on its node is done.
func (p *planner) thenStop(a *action, conn *resource, flags ordFlags) {
	p.orderActionTask(a, conn, taskStop, ordPreserve|flags)
}

func (p *planner) remoteOrder(a *action) {
	conn, state := a.node.conn, p.connState(a.node)
	switch a.task {
	case taskStart, taskPromote:
		p.startThen(conn, a, ordImpliesThen|ordRunnable)
	case taskStop:
		switch state {
		case connAlive:
			p.thenStop(a, conn, ordImpliesFirst)
		case connFailed:
			// Without a connection only fencing stops it.
		case connResting:
			p.thenStop(a, conn, ordImpliesFirst)
		default:
			if conn.nextRole != roleStopped && conn.assigned != nil {
				p.startThen(conn, a, ordImpliesThen)
			}
		}
	case taskDemote:
		if state == connUnknown || state == connAlive {
			p.startThen(conn, a, ordOptional)
		}
	default:
		if a.interval > 0 {
			flags := ordImpliesThen | ordRunnable
			p.startThen(conn, a, flags)
		} else {
			p.startThen(conn, a, ordImpliesThen)
		}
	}
}

func (p *planner) guestOrder(a *action) {
	conn := a.node.conn
	container := conn.container
	if container == nil {
		return
	}
	failed := container.failed || a.node.remoteReset
	switch a.task {
	case taskStart, taskPromote:
		p.startThen(container, a, ordImpliesThen|ordRunnable)
		p.startThen(conn, a, ordImpliesThen|ordRunnable)
	case taskStop, taskDemote:
		if !failed {
			p.thenStop(a, conn, ordImpliesFirst)
		}
	default:
		if a.interval > 0 {
			if a.task != taskStop {
				p.startThen(conn, a, ordImpliesThen|ordRunnable)
			}
		} else {
			p.startThen(conn, a, ordImpliesThen|ordRunnable)
		}
	}
}

// router is the cluster node that carries an action out on a remote node.
func (p *planner) router(a *action) *node {
	if a.node == nil || !a.node.isRemote() || a.node.conn == nil || a.has(actPseudo) || a.rsc == nil {
		return nil
	}
	conn := a.node.conn
	var began *node
	if len(conn.runningOn) > 0 {
		began = conn.runningOn[0]
	}
	ended := conn.assigned
	switch {
	case began == nil:
		return ended
	case ended == nil:
		return began
	case began == ended:
		return began
	}
	if conn.partialTarget != nil && conn.partialSource != nil {
		began = conn.partialSource
	}
	switch a.task {
	case taskStop, taskDemote, taskMigrateTo, taskCancel, taskNotify:
		if a.task == taskNotify {
			if typ, _ := a.get("CRM_meta_notify_type"); typ != "pre" {
				return ended
			}
		}
		return began
	}
	return ended
}
