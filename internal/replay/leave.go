package replay

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// A node that leaves in order, as internal/daemon does it in leave.go and the store in voters.go.

const votePatience = 3 * time.Second

// leave ends this node's part: the cluster has moved everything away.
func (n *Node) leave() {
	if n.d.leaving {
		return
	}
	n.d.leaving = true
	n.left = n.boot()
	n.poke()
	n.after(100*time.Millisecond, func() { n.awaitVoteless(n.clock() + votePatience) })
}

// awaitVoteless waits until this node has no vote on the log, if the other one of two stays, and ends the daemon.
func (n *Node) awaitVoteless(until time.Duration) {
	stays := n.ofTwo()
	if n.clock() < until && slices.Contains(n.disk.tip.voters, n) && stays != nil && !n.isDown(stays) && !n.askedToStop(stays) {
		n.after(20*time.Millisecond, func() { n.awaitVoteless(until) })
		return
	}
	if stays != nil && !slices.Contains(n.disk.tip.voters, n) {
		n.w.count("vote given up")
	}
	n.StopDaemon()
}

// ofTwo is the other node of a cluster of two.
func (n *Node) ofTwo() *Node {
	if len(n.w.nodes) != 2 {
		return nil
	}
	return n.w.nodes[(slices.Index(n.w.nodes, n)+1)%2]
}

// isDown reports whether a node is known to be off.
func (n *Node) isDown(o *Node) bool {
	ns := n.view().CIB.NodeState(o.ID)
	return ns != nil && ns.InCCM == "false" && ns.Expected == "down"
}

// dropVoter takes the vote of that one of two which is off. When that is the leader, the other one leads first.
func (n *Node) dropVoter() {
	other := n.ofTwo()
	if other == nil || len(n.d.tip.voters) != 2 || n.isDown(n) && n.isDown(other) {
		return
	}
	switch {
	case n.isDown(other):
		n.extend(nil, 0).voters = []*Node{n}
		n.w.trace("%s: %s has no vote on the log any more", n.Name, other.Name)
	case n.isDown(n) && n.d.match[other] == n.d.tip:
		n.ceaseToLead("it leaves, and hands over")
		n.send(other, other.leadNow)
	}
}

// leadNow has a node stand for election at once: the leader has said so.
func (n *Node) leadNow() {
	d := n.d
	if d == nil || d.role == leads || !slices.Contains(d.tip.voters, n) {
		return
	}
	n.disk.term, n.disk.vote, d.role = n.disk.term+1, n, canvasses
	n.hearLeader(nil)
	n.canvass(false)
}

// leaveAlone lets the last nodes of a cluster that is being stopped go.
func (n *Node) leaveAlone() {
	d := n.d
	if d.members.View().Leader != "" {
		d.led = d.up
		return
	}
	if d.led && n.askedToStop(n) && len(n.active()) == 0 {
		n.leave()
	}
}

// askedToStop reports whether this node's state asks a node to stop.
func (n *Node) askedToStop(o *Node) bool {
	ns := n.view().CIB.NodeState(o.ID)
	if ns == nil {
		return false
	}
	v, _ := cib.Value(ns.Attrs, &cib.RuleInput{Now: n.now()}, "shutdown")
	return v != "" && v != "0"
}

// comeBack has a leader take this node back before it takes orders, and tells that nothing runs here, if it has left.
func (n *Node) comeBack() {
	switch {
	case n.left != n.boot(), n.d.leader != nil && !n.askedToStop(n):
		n.left = ""
		n.d.up = true
		n.poke()
		return
	case n.d.leader != nil:
		n.ask(cib.Command{By: n.Name, Note: n.Name + " had left in order: nothing runs there", Nodes: []cib.NodeUpdate{
			{ID: n.ID, Name: n.Name, InCCM: "false", Crmd: "offline", Join: "down", Expected: "down", Erase: true}}}, func(bool) {})
	}
	n.after(200*time.Millisecond, n.comeBack)
}
