package scheduler

// fenceGuestNode makes the fencing of a guest node: a mark, since it is its container's recovery that
// makes sure of it. What happened on the guest has ended when the container has stopped, which fencing
// the host may imply.
func (p *planner) fenceGuestNode(n *node) {
	box := n.conn.container
	stop := box.findAction(taskStop, 0, nil)
	op := "off"
	if box.findAction(taskStart, 0, nil) != nil {
		op = "reboot"
	}
	f := p.fenceAction(n, op, false, "guest is unclean")
	f.flags |= actPseudo | actRunnable
	switch {
	case stop != nil && stop.has(actPseudo):
		p.order(p.fenceAction(stop.node, "", false, ""), f, ordRunnable|ordImpliesThen)
	case stop != nil:
		p.order(stop, f, ordRunnable|ordImpliesThen)
	default:
		// The container is thought to be stopped, maybe only since its history was cleaned: whatever ends
		// the connection comes first, and with it a probe of the container.
		p.order(n.conn.findAction(taskStop, 0, nil), f, ordOptional)
	}
	p.orderAroundFence(f)
}
