package scheduler

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// replayer goes through one resource's operations on one node, oldest first, and keeps what they add
// up to. The role itself is kept with the resource.
type replayer struct {
	p           *planner
	r           *resource
	n           *node
	doing       onFail // what the failures so far demand
	lastFailure *cib.LrmOp
	lrm         *cib.LrmResource
}

// replay works out what a history says about r. Where several nodes have one, the highest role counts.
func (p *planner) replay(r *resource, n *node, l *cib.LrmResource, ops []*cib.LrmOp) {
	before := r.role
	r.role = roleUnknown
	rp := replayer{p: p, r: r, n: n, lrm: l}
	for _, op := range ops {
		rp.op(op)
	}
	rp.conclude()
	if want, limited := p.targetRole(r); limited && (r.nextRole == roleUnknown || want < r.nextRole) {
		r.nextRole, r.nextReason = want, "target-role"
	}
	if before > r.role {
		r.role = before
	} else if r.role < roleStarted && r.partialTarget != nil {
		r.role = roleStarted // stopped here, but a migration had taken it elsewhere
	}
}

// cannotWork reports whether a probe found that the resource cannot work on its node at all: it is not
// running there then, whatever else failed.
func cannotWork(op *cib.LrmOp) bool {
	return isProbe(op) && (op.RC == rcNotInstalled || op.RC == rcInvalidParam || op.Status == execNotInstalled)
}

func isProbe(op *cib.LrmOp) bool { return op.Operation == "monitor" && op.IntervalMS == 0 }

// op takes one operation into account.
func (rp *replayer) op(op *cib.LrmOp) {
	switch {
	case op.Status == execCancelled, op.Status < execPending, op.Status > execLastKnown:
		return
	case op.Operation == "notify", op.Operation == "meta-data", op.Operation == "":
		return
	}
	r, n, p := rp.r, rp.n, rp.p
	expired := p.expired(r, n, op)
	if r.bundleOf == nil && cannotWork(op) {
		rp.masked(op, expired)
		return
	}
	status, rc := rp.outcome(op, expired)
	if expired && rc != op.TargetRC {
		if op.IntervalMS == 0 {
			return
		}
		if n.online && !n.unclean {
			if p.rescheduled == nil {
				p.rescheduled = map[*cib.LrmOp]bool{}
			}
			p.rescheduled[op] = true
			return
		}
	}
	switch status {
	case execPending:
		rp.pending(op)
	case execDone:
		rp.succeeded(op, rc)
	default:
		rp.failed(op, status)
	}
}

// masked takes a probe into account that found that r cannot work on the node: that is as good as not
// running, and r is kept off the node until that has expired. Then nobody knows, and it is probed anew.
func (rp *replayer) masked(op *cib.LrmOp, expired bool) {
	r := rp.r
	r.role, r.nextRole = roleStopped, roleUnknown
	rp.doing = failIgnore
	if expired {
		r.role = roleUnknown
		return
	}
	rp.p.recordFailure(rp.n, r, op, rp.lrm)
	rp.ban(r.failureScope(), "probe", "a probe found that it cannot work there")
}

// failed takes a failure into account: it is either pretended away or acted upon.
func (rp *replayer) failed(op *cib.LrmOp, status int) {
	p, r := rp.p, rp.r
	policy := p.policyFor(r, op)
	if status == execNotInstalled {
		if policy.do == failIgnore {
			policy.do = failBan
		}
		rp.ban(r.failureScope(), "hard-error", "the agent or what it needs is not installed there")
		rp.failure(op, policy)
		return
	}
	if status == execNotConnected && rp.n.isRemote() && rp.n.conn != nil && rp.n.conn.managed {
		rp.n.conn.failed, rp.n.conn.lrmStop = true, true
	}
	if policy.do == failIgnore || policy.do == failRestartBox && op.Operation == "stop" {
		rp.succeeded(op, op.TargetRC)
		r.failureIgnored = true
		p.recordFailure(rp.n, r, op, rp.lrm)
		if policy.do == failRestartBox && rp.doing <= failRecover {
			rp.doing = policy.do
		}
		return
	}
	rp.failure(op, policy)
	switch status {
	case execErrorHard:
		rp.ban(r.failureScope(), "hard-error", "it cannot work there")
	case execErrorFatal:
		for _, n := range p.nodes {
			if n.kind != pingNode {
				p.pin(r.failureScope(), n, -infinity, "failure", "fatal-error", "it cannot work anywhere")
			}
		}
	}
}

// failureScope is the resource that a node's unfitness for r concerns: the whole clone when its
// instances are interchangeable.
func (r *resource) failureScope() *resource {
	if r.unique {
		return r
	}
	at := r
	for at.parent != nil && at.parent.variant != bundle {
		at = at.parent
	}
	return at
}

// ban keeps what is in r off the node.
func (rp *replayer) ban(r *resource, id, note string) {
	r.each(func(part *resource) { rp.p.pin(part, rp.n, -infinity, "failure", id, note) })
}

// pending takes an operation into account that was not complete when the state was written.
func (rp *replayer) pending(op *cib.LrmOp) {
	r := rp.r
	switch op.Operation {
	case "start":
		r.startPending = true
		rp.setActive()
	case "promote":
		r.role = rolePromoted
	case "migrate_to":
		// The source is lost and cannot complete it: there is something to stop on the target.
		if target := rp.p.nodeByName[op.El.Attr("migrate_target")]; target != nil && rp.n.unclean {
			rp.p.stopOn(r, target)
		}
	}
	if r.pendingTask == "" && !isProbe(op) {
		r.pendingTask, r.pendingNode = op.Operation, rp.n
	}
}

// outcome tells how an operation ended, judged by what was expected of it, and the exit code that
// counts. A finished operation is execDone, execError, execErrorHard (not on this node) or
// execErrorFatal (not anywhere); other statuses stand as they are.
func (rp *replayer) outcome(op *cib.LrmOp, expired bool) (status, rc int) {
	r := rp.r
	status, rc = op.Status, op.RC
	if op.Operation == "monitor" && (rc == rcDegraded || rc == rcDegradedPromoted) {
		if !expired && (!rp.n.shutdown || rp.n.online) {
			rp.p.recordFailure(rp.n, r, op, rp.lrm)
		}
		rc = map[bool]int{true: rcOK, false: rcPromoted}[rc == rcDegraded]
	}
	if status != execDone && status != execError {
		return status, rc
	}
	status = execDone
	if op.TargetRC >= 0 && rc != op.TargetRC {
		status = execError
	}
	probe := isProbe(op)
	switch rc {
	case rcOK:
		if probe && op.TargetRC == rcNotRunning {
			status = execDone
		}
	case rcNotRunning:
		if probe || rc == op.TargetRC || !r.managed {
			status = execDone
			r.role = roleStopped
			rp.doing = failIgnore
			r.nextRole = roleUnknown
		}
	case rcPromoted, rcDegradedPromoted:
		if probe {
			status = execDone
		}
		if !expired || rc == op.TargetRC {
			r.role = rolePromoted
		}
	case rcFailedPromoted:
		if !expired {
			r.role = rolePromoted
		}
		status = execError
	case rcNotConfigured:
		status = execErrorFatal
	case rcUnimplemented:
		if op.IntervalMS > 0 {
			return execNotSupported, rc
		}
		rp.blockIfLost(op, expired)
		status = execErrorHard
	case rcNotInstalled, rcInvalidParam, rcInsufficientPriv:
		rp.blockIfLost(op, expired)
		status = execErrorHard
	default:
		status = execError // whatever was expected, this is no success
	}
	return status, rc
}

// blockIfLost: when even a stop cannot work and its node cannot be fenced there is nothing left to try.
func (rp *replayer) blockIfLost(op *cib.LrmOp, expired bool) {
	if expired || op.Operation != "stop" || rp.p.canFence(rp.n) {
		return
	}
	rp.r.managed, rp.r.blocked = false, true
}

// canFence reports whether this partition can and may fence a node.
func (p *planner) canFence(n *node) bool {
	if n.kind == guestNode {
		if n.conn == nil || n.conn.container == nil {
			return false
		}
		for _, host := range n.conn.container.runningOn {
			if !host.online && !p.canFence(host) {
				return false
			}
		}
		return true
	}
	switch {
	case !p.cfg.fencing || !p.haveFencing && !p.cfg.haveWatchdog:
		return false
	case p.cfg.quorate, p.cfg.noQuorum == noQuorumIgnore:
		return true
	}
	return n.online
}

// historyKey is what tells operations of a resource apart: RESOURCE_TASK_INTERVAL. Entries of former days
// have it as their id.
func historyKey(op *cib.LrmOp) string {
	if key := op.El.Attr("operation_key"); key != "" {
		return key
	}
	return op.El.Attr("id")
}

// setActive gives r the role of something that runs and of which no more is known.
func (rp *replayer) setActive() {
	if rp.r.collective().promotable {
		rp.r.role = roleUnpromoted
	} else {
		rp.r.role = roleStarted
	}
}

// collective is the outermost collective around r, bundles aside.
func (r *resource) collective() *resource {
	for r.parent != nil && r.parent.variant != bundle {
		r = r.parent
	}
	return r
}

// succeeded takes an operation into account that did what it should, or is taken as if it had.
func (rp *replayer) succeeded(op *cib.LrmOp, rc int) {
	r := rp.r
	clears := false
	switch {
	case rc == rcNotRunning:
		clears = true
	case rc == rcNotInstalled:
		r.role = roleStopped
	case op.Operation == "monitor":
		clears = rp.lastFailure != nil && historyKey(op) == historyKey(rp.lastFailure)
		if r.role < roleStarted {
			rp.setActive()
		}
	case op.Operation == "start", op.Operation == "migrate_from":
		r.role = roleStarted
		clears = true
	case op.Operation == "stop":
		r.role = roleStopped
		clears = true
	case op.Operation == "promote":
		r.role = rolePromoted
		clears = true
	case op.Operation == "demote":
		clears = rp.doing == failDemote
		r.role = roleUnpromoted
	case op.Operation == "migrate_to":
		rp.migratedTo(op)
	default:
		if r.role < roleStarted {
			rp.setActive()
		}
	}
	if clears {
		rp.forget()
	}
}

// forget drops what earlier failures demanded, as far as a success makes up for them.
func (rp *replayer) forget() {
	switch rp.doing {
	case failStop, failBan, failStandby, failFence:
		return
	case failResetRemote:
		if rp.r.reconnectMS > 0 {
			return
		}
	}
	rp.doing = failIgnore
	rp.r.nextRole = roleUnknown
}

// failure takes a failure into account that is to be acted upon.
func (rp *replayer) failure(op *cib.LrmOp, policy failurePolicy) {
	p, r := rp.p, rp.r
	rp.lastFailure = op
	if op.RC != rcNotInstalled || p.cfg.symmetric {
		p.recordFailure(rp.n, r, op, rp.lrm)
	}
	rp.doing = max(rp.doing, policy.do)
	switch op.Operation {
	case "stop":
		p.pin(r, rp.n, -infinity, "failure", "__stop_fail__", "its stop failed there")
	case "migrate_to":
		rp.migrateToFailed(op)
	case "migrate_from":
		rp.migrateFromFailed(op)
	case "promote":
		r.role = rolePromoted
	case "demote":
		switch {
		case policy.do == failBlock:
			r.role = rolePromoted
			r.nextRole, r.nextReason = roleStopped, "demote with on-fail=block"
		case op.RC == rcNotRunning:
			r.role = roleStopped
		default:
			// Were it still promoted, the demote that failed would be tried for ever.
			r.role = roleUnpromoted
		}
	}
	if isProbe(op) && op.RC == rcNotInstalled {
		r.role = roleStopped
	} else if r.role < roleStarted {
		rp.setActive()
	}
	if policy.stops {
		scope := r
		if c := r.collective(); c.variant == clone && !c.unique {
			scope = c
		}
		for _, n := range p.nodes {
			p.addScore(scope, n, -infinity, "failure", "on-fail", "its failure means that it stays stopped")
		}
	}
}

// recordFailure lists a failure for display, once for each operation of a resource on a node that is up.
func (p *planner) recordFailure(n *node, r *resource, op *cib.LrmOp, l *cib.LrmResource) {
	if !n.online {
		return
	}
	for _, f := range p.failedOps {
		if f.node == n && f.lrm == l && f.op.Operation == op.Operation && f.op.IntervalMS == op.IntervalMS {
			return
		}
	}
	p.failedOps = append(p.failedOps, failedOp{node: n, rsc: r, op: op, lrm: l})
}

// askedBy is the transition that an operation was asked for in, and which scheduler that was.
func askedBy(op *cib.LrmOp) (transition int64, who string) {
	key := op.El.Attr("transition-key")
	if key == "" {
		_, key, _ = strings.Cut(op.El.Attr("transition-magic"), ";")
	}
	part := strings.SplitN(key, ":", 4)
	if len(part) < 4 {
		return -1, ""
	}
	return atoi64(part[1]), part[3]
}

func atoi64(s string) int64 {
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return i
}
