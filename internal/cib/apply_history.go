package cib

import "strconv"

// result records what became of an operation. Results of nodes that are no longer there, and of boots that
// are known to be over, count for nothing.
func (a *applying) result(r *OpResult) error {
	op := &r.Op
	if op.Resource == "" || op.Name == "" {
		return refuse("this is a fault of the program: report it", "result %d of node %q is without resource or operation", r.Serial, op.Node)
	}
	id, remote, ok := a.target(op.on())
	if !ok || a.isOver(op.Node, r.BootID) {
		return nil
	}
	switch op.Name {
	case "notify", "lrm_refresh": // leave no trace in history
		return nil
	case "cancel":
		if r.Status != OpPending && !r.Failed() {
			a.cancelled(op, op.CancelTask)
		}
		return nil
	case "delete":
		if r.Status != OpPending && !r.Failed() {
			for _, h := range a.historiesOn(op.on(), op.Resource) {
				if h.id() == op.Resource {
					h.drop()
				}
			}
		}
		return nil
	}
	if r.Status == OpCancelled {
		if op.IntervalMS > 0 {
			a.cancelled(op, op.Name)
		}
		return nil
	}
	n := a.nodeState(op.on(), id, remote)
	h := n.History(op.Resource, op.Resource, op.Class, op.Provider, op.Type)
	switch {
	case op.IntervalMS > 0:
	case op.Name != "migrate_to":
		a.doubtTarget(h)
		if !r.Failed() {
			h.endMigration()
		}
	case h.migratingTo() != op.attr(attrMigrateTarget): // somewhere else now
		a.doubtTarget(h)
	}
	e := entryOf(r)
	h.afterItself(&e)
	h.Record(e)
	h.set("container", op.attr(attrContainer))
	h.set("shutdown-lock", lockOf(r))
	if r.CountFailure {
		a.countFailure(n, r)
	}
	return nil
}

// afterItself sees to it that a change that a recurring operation has found counts as later than what the same
// operation found before: both have one call number, and their times are whole seconds.
func (h *HistoryEdit) afterItself(e *Entry) {
	if e.IntervalMS == 0 {
		return
	}
	for _, old := range h.ops {
		if old.Kind != KindElement || old.Name != "lrm_rsc_op" {
			continue
		}
		if op := lrmOp(old); op.CallID == e.CallID && (op.RC != e.RC || op.Status != e.Status) {
			e.Changed = max(e.Changed, op.LastRCChange+1)
		}
	}
}

// isOver reports whether the boot of a member has ended, as far as the cluster knows.
func (a *applying) isOver(node, boot string) bool {
	m := a.state.Cluster.Member(node)
	if m == nil || boot == "" {
		return false
	}
	f := a.state.Facts(m.ID)
	return f != nil && f.Ended == boot
}

// rcPending stands for the return code of an operation that has none yet.
const rcPending = 193

// entryOf is what history says of a result.
func entryOf(r *OpResult) Entry {
	op := &r.Op
	e := Entry{Resource: op.Resource, Task: op.Name, IntervalMS: op.IntervalMS, Node: op.on(), Origin: originResult, Key: op.Key,
		CallID: r.CallID, RC: r.RC, Target: op.TargetRC, Status: r.Status, Reason: r.Reason, Changed: r.Changed,
		ExecMS: r.ExecMS, QueueMS: r.QueueMS,
		Digest: r.Digest, Restart: r.Restart, RestartDigest: r.RestartDigest, Secure: r.Secure, SecureDigest: r.SecureDigest}
	if r.Status == OpPending {
		e.RC, e.CallID = rcPending, -1
	}
	if e.Changed == 0 {
		e.Changed = r.Started
	}
	if op.Name == "migrate_to" || op.Name == "migrate_from" {
		e.MigrateSource, e.MigrateTarget = op.attr(attrMigrateSource), op.attr(attrMigrateTarget)
	}
	return e
}

// lockOf is since when the resource is locked to the node that it was stopped on; empty: it is not.
func lockOf(r *OpResult) string {
	op := &r.Op
	stopped := op.Name == "stop" && r.RC == RCOk || op.Name == "monitor" && r.RC == RCNotRunning
	if r.Status == OpDone && stopped {
		return op.ShutdownLock
	}
	return ""
}

// historiesOn are the histories of a resource and its instances on a node.
func (a *applying) historiesOn(node, resource string) []*HistoryEdit {
	n := a.edit().Known(node)
	if n == nil {
		return nil
	}
	return n.known(resource)
}

// cancelled takes a recurring operation out that a node runs no longer.
func (a *applying) cancelled(op *Operation, task string) {
	for _, h := range a.historiesOn(op.on(), op.Resource) {
		if h.id() == op.Resource {
			h.Remove(operationKey(op.Resource, task, op.IntervalMS))
		}
	}
}

// countFailure raises the fail count of an operation.
func (a *applying) countFailure(n *NodeEdit, r *OpResult) {
	suffix := r.Op.Resource + "#" + r.Op.Name + "_" + strconv.FormatInt(r.Op.IntervalMS, 10)
	count := "value++"
	if r.FatalFailure {
		count = "INFINITY"
	}
	n.SetTransient(transientSet(n), failCount+suffix, count)
	n.SetTransient(transientSet(n), lastFailed+suffix, strconv.FormatInt(a.cmd.At.Unix(), 10))
}

// Prefixes of the attributes that count failures. The name of the resource and, since Pacemaker 1.1.17,
// "#OPERATION_INTERVAL" follow.
const (
	failCount  = "fail-count-"
	lastFailed = "last-failure-"
)

func transientSet(n *NodeEdit) string { return idText("status-" + n.id) }
