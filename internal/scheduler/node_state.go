package scheduler

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackNodeStates tells from the status section which nodes are up, which must be fenced, and which
// may host resources. Whether remote and guest nodes are up is known only later, through history.
func (p *planner) unpackNodeStates() {
	for _, s := range p.in.Status.Nodes {
		n := p.stateNode(s)
		if n == nil {
			continue
		}
		if n.isRemote() {
			p.noteRemoteState(n, s)
			continue
		}
		n.state = s
		p.transientAttrs(n, s)
		n.unclean, n.unseen = false, false
		n.standby = n.attrTrue("standby")
		n.maintenance = n.attrTrue("maintenance")
		p.judgeMember(n, s)
		if !n.online || n.shutdown {
			n.score = -infinity // for those who make it a candidate from here on
		}
		if !p.cfg.quorate && n.online && p.cfg.noQuorum == noQuorumSuicide {
			p.fence(n, "cluster does not have quorum", false)
		}
	}
}

// stateNode is the node that a node_state is about, nil if the configuration does not know it.
func (p *planner) stateNode(s *cib.NodeState) *node {
	if n := p.nodeByID[s.ID]; n != nil {
		return n
	}
	if n := p.nodeByName[s.Name]; n != nil {
		return n
	}
	p.warn("node_state " + s.ID + " (" + s.Name + ") is of no configured node and is ignored")
	return nil
}

func (n *node) attrTrue(name string) bool {
	b, ok := cib.ParseBool(n.attrs[name])
	return ok && b
}

// member facts of one node_state.
type memberFacts struct {
	knownInCCM bool // in_ccm is there at all
	inCCM      bool
	crmd       bool
	terminate  bool
}

// judgeMember decides on a cluster node.
func (p *planner) judgeMember(n *node, s *cib.NodeState) {
	n.shutdown = positive(n.attrs["shutdown"])
	n.expectedUp = s.Expected == "member" && !n.shutdown
	if n.kind == pingNode {
		return
	}
	f := memberFacts{knownInCCM: s.InCCM != "", inCCM: since(s.InCCM), terminate: n.terminateAsked()}
	f.crmd = s.Crmd == "online" || since(s.Crmd)
	n.terminate = f.terminate
	if p.cfg.fencing {
		p.judgeFenceable(n, s, f)
	} else {
		n.online = f.inCCM && f.crmd && s.Join == "member"
		if f.inCCM && !f.crmd && n.expectedUp {
			p.fence(n, "peer is unexpectedly down", false)
		}
	}
}

// judgeFenceable: with fencing, a node that should be here and is not must be fenced before anything it
// may still run is recovered. Nodes that are only joining wait: they host nothing and nobody fences them.
func (p *planner) judgeFenceable(n *node, s *cib.NodeState, f memberFacts) {
	n.online = f.inCCM
	switch {
	case n.shutdown:
		n.online = f.crmd
	case !f.knownInCCM:
		p.fence(n, "peer has not been seen by the cluster", false)
	case s.Join == "banned" || s.Join == "nack":
		p.fence(n, "peer failed Pacemaker membership criteria", false)
	case !f.terminate && (s.Expected == "down" || s.Expected == ""):
		if f.inCCM || f.crmd {
			n.standby, n.pending = true, true
		}
	case f.terminate && s.Join == "down" && !f.inCCM && !f.crmd:
		// It was fenced a moment ago.
	case !f.inCCM:
		p.fence(n, "peer is no longer part of the cluster", true)
	case !f.crmd:
		p.fence(n, "peer process is no longer available", false)
	case f.terminate:
		p.fence(n, "termination was requested", false)
	case s.Join == "member":
	case s.Join == "pending" || s.Join == "down":
		n.standby, n.pending = true, true
	default:
		p.fence(n, "peer was in an unknown state", false)
	}
}

// terminateAsked: the terminate attribute is a truth value or the time it was set.
func (n *node) terminateAsked() bool {
	v := n.attrs["terminate"]
	return n.attrTrue("terminate") || positive(v)
}

// since reads a membership fact: a truth value, or since feature set 3.18 the time it became true.
func since(v string) bool {
	b, ok := cib.ParseBool(v)
	return ok && b || positive(v)
}

func positive(v string) bool {
	i, err := strconv.ParseInt(v, 10, 64)
	return err == nil && i > 0
}

// fence marks a node as one that must be fenced. A guest is fenced by recovering its container.
func (p *planner) fence(n *node, reason string, priorityDelay bool) {
	switch {
	case n.kind == guestNode:
		p.fenceGuest(n, reason)
		return
	case n.conn != nil && n.conn.fillerOfNone && n.conn.container == nil:
		// Its container is gone, and with it all there is to fence.
		n.conn.failed, n.conn.lrmStop = true, true
		return
	case n.kind == remoteNode:
		if n.conn == nil || n.conn.managed {
			n.remoteReset = true
		}
	case n.unclean:
		return
	}
	n.unclean = true
	if n.fencedReason == "" {
		n.fencedReason = reason
	}
	p.fenceAction(n, "", true, "")
	n.priorityDelay = n.priorityDelay || priorityDelay
}

// fenceGuest marks the container of a guest as failed. One that already is leaves nothing to do; one
// that is not managed cannot be recovered.
func (p *planner) fenceGuest(n *node, reason string) {
	if n.conn == nil || n.conn.container == nil {
		return
	}
	box := n.conn.container
	if box.failed || !box.managed {
		return
	}
	n.guestFailed, n.remoteReset = true, true
	if n.fencedReason == "" {
		n.fencedReason = reason
	}
	box.failed, box.lrmStop = true, true
}

// noteRemoteState notes that a remote or guest node was seen.
func (p *planner) noteRemoteState(n *node, s *cib.NodeState) {
	n.state = s
	n.remoteWasFenced = since(s.El.Attr("node_fenced"))
	n.remoteMaintenance, _ = cib.ParseBool(s.El.Attr("node_in_maintenance"))
	n.unclean, n.unseen = false, false
}

// unpackRemoteState reads what the status section says of a remote or guest node.
func (p *planner) unpackRemoteState(n *node, s *cib.NodeState) {
	p.transientAttrs(n, s)
	n.shutdown = n.shutdown || positive(n.attrs["shutdown"])
	n.standby = n.attrTrue("standby")
	if n.attrTrue("maintenance") || n.conn != nil && !n.conn.managed {
		n.maintenance = true
	}
	if v, ok := n.attrs["resource-discovery-enabled"]; ok {
		if b, ok := cib.ParseBool(v); ok && !b {
			n.discovery = false
		}
	}
}

// judgeRemote decides on a remote or guest node from what is known of its connection and container.
func (p *planner) judgeRemote(n *node) {
	conn := n.conn
	if conn == nil {
		n.online = false
		return
	}
	box := conn.container
	host := n.guestHost()
	if conn.role == roleStarted {
		n.online = true
		n.shutdown = n.shutdown || conn.nextRole == roleStopped
	}
	switch {
	case box != nil && box.failed:
		n.online, n.remoteReset = false, true
	case conn.failed:
		n.online = false
	case conn.role == roleStopped, box != nil && box.role == roleStopped:
		n.online, n.remoteReset = false, false
	case host != nil && !host.online && host.unclean:
		n.online, n.remoteReset = false, true
	}
}
