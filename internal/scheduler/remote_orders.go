package scheduler

// Remote and guest nodes: what happens on them goes through a connection, which is a resource itself.

// connState is what is to be expected of the connection to a remote node.
type connState uint8

const (
	connUnknown connState = iota // not up now, but will be: then it can be seen what runs there
	connAlive                    // up, and will be
	connResting                  // its host is lost or it is half migrated: it comes back elsewhere
	connFailed                   // lost and not to be had back: only fencing helps
	connStopped                  // will be down, on purpose
)

// orderRemotes orders every real action on a remote or guest node with its connection.
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
		if a.node == nil || !a.node.isRemote() || a.node.conn == nil || a.has(actPseudo) {
			continue
		}
		if a.task == taskStart {
			p.leaveAfterConnection(a)
		}
		if a.node.conn.container != nil {
			p.guestOrder(a)
		} else {
			p.remoteOrder(a)
		}
	}
}

// leaveAfterConnection keeps a resource that moves to a remote node where it is until the connection
// is up: should that fail, nothing was lost.
func (p *planner) leaveAfterConnection(start *action) {
	for _, stop := range start.rsc.actions {
		if stop.task == taskStop && stop.node != start.node {
			p.orderTaskAction(start.node.conn, taskStart, stop, ordOptional)
		}
	}
}

func (p *planner) connState(n *node) connState {
	c := n.conn
	at := currentNode(c)
	if c.nextRole == roleStopped || c.assigned == nil {
		switch {
		case at != nil && at.unclean:
			return connFailed // its host is lost, and no other can take over
		case !c.failed:
			return connStopped
		case c.reconnectMS > 0 && n.remoteWasFenced && !positive(n.attrs["shutdown"]):
			return connUnknown // it will be tried again when the reconnect interval is over
		}
		return connFailed
	}
	switch {
	case at == nil:
		return connUnknown
	case at.unclean || !at.online:
		return connResting
	case len(c.runningOn) > 1 && c.partialSource != nil && c.partialTarget != nil:
		return connResting
	}
	return connAlive
}

// startThen makes an action wait for the start of a connection or container.
func (p *planner) startThen(conn *resource, a *action, flags ordFlags) {
	p.orderTaskAction(conn, taskStart, a, ordPreserve|ordRunnable|flags)
}

// thenStop keeps a connection up until an action on its node is done.
func (p *planner) thenStop(a *action, conn *resource, flags ordFlags) {
	p.orderActionTask(a, conn, taskStop, ordPreserve|ordRunnable|flags)
}

func (p *planner) remoteOrder(a *action) {
	n, conn := a.node, a.node.conn
	state := p.connState(n)
	switch a.task {
	case taskStart, taskPromote:
		flags := ordFlags(0)
		if state == connFailed {
			flags = ordImpliesThen // what was there is to be recovered
		}
		p.startThen(conn, a, flags)
	case taskStop:
		switch {
		case state == connAlive:
			p.thenStop(a, conn, ordImpliesFirst)
		case state == connFailed:
			p.fence(n, "resources are active but connection is unrecoverable", false)
		case conn.nextRole == roleStopped:
			p.thenStop(a, conn, ordImpliesFirst)
		default:
			p.startThen(conn, a, 0) // once it is up elsewhere
		}
	case taskDemote:
		if state == connResting || state == connUnknown {
			p.startThen(conn, a, 0)
		}
	default:
		p.remoteQuestion(a, state)
	}
}

// remoteQuestion orders probes, monitors and whatever else leaves a resource's state alone.
func (p *planner) remoteQuestion(a *action, state connState) {
	n, conn := a.node, a.node.conn
	if a.interval > 0 {
		p.startThen(conn, a, ordImpliesThen)
		return
	}
	if a.task == taskMonitor && state == connFailed {
		p.fence(n, "resources are in unknown state and connection is unrecoverable", false)
	}
	if currentNode(conn) != nil && state == connStopped {
		p.thenStop(a, conn, 0) // the last chance to ask
		return
	}
	p.startThen(conn, a, 0)
}

// guestOrder orders an action on a guest node with its connection and its container.
func (p *planner) guestOrder(a *action) {
	conn := a.node.conn
	box := conn.container
	if box.failed {
		p.fence(a.node, "container failed", false)
	}
	switch {
	case a.task == taskStart || a.task == taskPromote:
		p.startThen(box, a, ordImpliesThen)
		p.startThen(conn, a, 0)
	case a.task == taskStop || a.task == taskDemote:
		if !box.failed { // else the end of the container implies it
			p.thenStop(a, conn, 0)
		}
	case a.task == taskCancel:
	case a.interval > 0:
		p.startThen(conn, a, ordImpliesThen)
	default:
		p.startThen(conn, a, 0)
	}
}

// router is the cluster node that carries an action out on a remote node: while the connection moves,
// what must be done before goes through its old host and the rest through the new one.
func (p *planner) router(a *action) *node {
	if a.node == nil || !a.node.isRemote() || a.node.conn == nil || a.has(actPseudo) || a.rsc == nil {
		return nil
	}
	conn := a.node.conn
	began, ended := currentNode(conn), conn.assigned
	switch {
	case began == nil:
		return ended
	case ended == nil || began == ended:
		return began
	case conn.partialTarget != nil:
		return ended
	}
	task := a.task
	if task == taskNotify {
		task, _ = a.get("CRM_meta_notify_operation")
	}
	switch task {
	case taskStop, taskDemote, taskMigrateTo, taskMigrateFrom, taskCancel:
		return began
	}
	return ended
}
