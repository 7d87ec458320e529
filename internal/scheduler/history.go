package scheduler

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Exit codes of agents and outcomes of execution, as they stand in the history.
const (
	rcOK               = 0
	rcInvalidParam     = 2
	rcUnimplemented    = 3
	rcInsufficientPriv = 4
	rcNotInstalled     = 5
	rcNotConfigured    = 6
	rcNotRunning       = 7
	rcPromoted         = 8
	rcFailedPromoted   = 9
	rcDegraded         = 190
	rcDegradedPromoted = 191
	rcUnknown          = 193
	execPending        = -1
	execDone           = 0
	execCancelled      = 1
	execNotSupported   = 3
	execError          = 4
	execErrorHard      = 5
	execErrorFatal     = 6
	execNotInstalled   = 7
	execNotConnected   = 8
	execLastKnown      = 11
)

// unpackHistories replays what every node remembers of every resource. With fencing the memory of nodes
// that are gone counts too, since what they ran may still run, and with shutdown locks, which stand
// there. The memory of a remote or guest node counts once history has shown its connection (and
// container) to be up, which takes several passes.
func (p *planner) unpackHistories() {
	p.unpackFailAttrs()
	count := 0
	for _, s := range p.in.Status.Nodes {
		count += len(s.Lrm)
	}
	p.histories = make([]history, 0, count)
	for p.unpackNodeHistories(false) {
	}
	p.unpackNodeHistories(p.cfg.fencing)
	for _, box := range p.stopBoxes {
		if len(box.runningOn) > 0 {
			p.stopOn(box, box.runningOn[0])
		}
	}
	for _, n := range p.nodes {
		if !n.isRemote() {
			continue
		}
		if n.shutdown && n.conn != nil {
			n.conn.nextRole, n.conn.nextReason = roleStopped, "remote shutdown"
		}
		if !n.unpacked {
			p.judgeRemote(n)
		}
	}
	p.growAllowed()
}

// unpackNodeHistories makes one pass over the nodes and reports whether there was anything new. force
// takes in the nodes whose time has not come.
func (p *planner) unpackNodeHistories(force bool) bool {
	progress := false
	for _, s := range p.in.Status.Nodes {
		n := p.nodeByID[s.ID]
		if n == nil {
			n = p.nodeByName[s.Name]
		}
		if n == nil || n.unpacked || !force && !p.historyCounts(n) {
			continue
		}
		if n.isRemote() {
			if n.state == nil { // its connection is an orphan that history told of
				p.noteRemoteState(n, s)
			}
			p.judgeRemote(n)
			p.unpackRemoteState(n, s)
			p.indexFailAttrs(n)
		}
		n.unpacked, progress = true, true
		p.unpackNodeHistory(n, s)
	}
	return progress
}

// historyCounts reports whether a node's memory may be looked at by now.
func (p *planner) historyCounts(n *node) bool {
	switch n.kind {
	case guestNode:
		return n.conn != nil && n.conn.role == roleStarted &&
			n.conn.container != nil && n.conn.container.role == roleStarted
	case remoteNode:
		return n.conn != nil && n.conn.role == roleStarted
	}
	return p.cfg.fencing || p.cfg.shutdownLock || n.online
}

func (p *planner) unpackNodeHistory(n *node, s *cib.NodeState) {
	ops := 0
	for _, l := range s.Lrm {
		ops += len(l.Ops)
	}
	slab := make([]*cib.LrmOp, 0, ops)
	orphanInBox := false
	for _, l := range s.Lrm {
		first := len(slab)
		for i := range l.Ops {
			if l.Ops[i].Operation != "notify" {
				slab = append(slab, &l.Ops[i])
			}
		}
		list := slab[first:len(slab):len(slab)]
		lock := p.shutdownLock(l)
		if len(list) == 0 && lock == 0 {
			continue
		}
		r := p.owner(n, l)
		if r == nil {
			if len(list) == 0 {
				continue
			}
			if r = p.orphan(l); r == nil {
				continue
			}
		}
		orphanInBox = orphanInBox || r.orphan && l.Container != ""
		if lock > 0 {
			p.lock(r, n, lock)
		}
		sortOps(list)
		p.histories = append(p.histories, history{node: n, rsc: r, lrm: l, ops: list})
		p.replay(r, n, l, list)
	}
	if orphanInBox {
		p.linkOrphanFillers(s)
	}
}

// shutdownLock is when a resource was locked to the node it stopped on, 0 if it is not.
func (p *planner) shutdownLock(l *cib.LrmResource) int64 {
	if !p.cfg.shutdownLock {
		return 0
	}
	return atoi64(l.El.Attr("shutdown-lock"))
}

// lock locks a resource to the node that it was shut down with. Once the limit has passed the lock is
// void, and the node is to forget the resource.
func (p *planner) lock(r *resource, n *node, at int64) {
	if limit := p.cfg.shutdownLockLimitMS / 1000; limit > 0 && p.now.Unix() > at+limit {
		p.expiredLocks = append(p.expiredLocks, expiredLock{rsc: r, node: n})
		return
	}
	r.lockNode, r.lockTime = n, at
}

// sortOps brings a history into the order in which things happened. It usually is already. Of entries
// that cannot be told apart the one that stands first in the document is taken as the newest.
func sortOps(ops []*cib.LrmOp) {
	for i := 1; i < len(ops); i++ {
		if opOrder(ops[i-1], ops[i]) >= 0 {
			slices.Reverse(ops)
			slices.SortStableFunc(ops, opOrder)
			return
		}
	}
}

// opOrder compares two operations of one node by age: by call, then by the time of their result. One
// that is still pending has no call yet; it is the newer one, unless the same scheduler asked for it in
// an earlier transition.
func opOrder(a, b *cib.LrmOp) int {
	switch {
	case a.CallID >= 0 && b.CallID >= 0:
		if a.CallID != b.CallID {
			return signOf(int64(a.CallID) - int64(b.CallID))
		}
		if hasChange(a) && hasChange(b) && a.El.Attr("id") != b.El.Attr("id") {
			return signOf(a.LastRCChange - b.LastRCChange)
		}
		return 0
	case a.CallID < 0 && b.CallID < 0:
		return 0
	}
	ta, sa := askedBy(a)
	tb, sb := askedBy(b)
	if sa == sb && ta != tb {
		switch { // what a simulation injects belongs to no transition, and comes after all of them
		case tb == -1:
			return -1
		case ta == -1:
			return 1
		}
		return signOf(ta - tb)
	}
	if a.CallID < 0 {
		return 1
	}
	return -1
}

// hasChange reports whether an entry says when its result came about, be it at 0.
func hasChange(op *cib.LrmOp) bool {
	return op.LastRCChange > 0 || op.El.Attr("last-rc-change") != ""
}

func signOf(d int64) int {
	switch {
	case d < 0:
		return -1
	case d > 0:
		return 1
	}
	return 0
}

// lrmOf is the raw history of that resource id on n, nil if there is none.
func (p *planner) lrmOf(id string, n *node) *cib.LrmResource {
	if n == nil || n.state == nil {
		return nil
	}
	for len(p.lrmByID) <= n.idx {
		p.lrmByID = append(p.lrmByID, nil)
	}
	index := p.lrmByID[n.idx]
	if index == nil {
		index = make(map[string]*cib.LrmResource, len(n.state.Lrm))
		for _, l := range n.state.Lrm {
			index[l.ID] = l
		}
		p.lrmByID[n.idx] = index
	}
	return index[id]
}
