package scheduler

// fenceGuestNode makes the fencing of a guest node: a mark, since it is its container's recovery that
// makes sure of it.
func (p *planner) fenceGuestNode(n *node) {
	container := n.conn.container
	var stop *action
	op := "off"
	if container != nil {
		stop = container.findAction(taskStop, 0, nil)
		if s := container.findAction(taskStart, 0, nil); s != nil && !s.optional() {
			op = "reboot"
		}
	}
	f := p.fenceAction(n, op, false, "guest is unclean")
	f.flags |= actPseudo | actRunnable
	if container != nil {
		f.reason = ""
	}
	switch {
	case stop != nil && container.assigned != nil && stop.node != nil && stop.node.unclean:
		// The host is fenced: that is what ends the guest.
		if h := p.fences["stonith-"+stop.node.name+"-"+p.cfg.fencingAction]; h != nil {
			p.order(h, f, ordRunnable|ordImpliesThen)
			break
		}
		fallthrough
	case stop != nil:
		p.order(stop, f, ordRunnable|ordImpliesThen)
	default:
		if s := n.conn.findAction(taskStop, 0, nil); s != nil {
			p.order(s, f, ordOptional)
		}
	}
	p.orderAroundFence(f)
}
