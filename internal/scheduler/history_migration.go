package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// A live migration is three operations: migrate_to on the source, migrate_from on the target, and a
// stop on the source. Each node remembers its own part only and may forget it, so that where the
// resource is follows from both memories and which of them is newer. The other node's memory is looked
// up by the resource's full id: of an instance of an anonymous clone it holds nothing under that name.

// migrationEnds are the nodes of a migration; ok is false when the entry does not name both or belongs
// elsewhere.
func (rp *replayer) migrationEnds(op *cib.LrmOp) (source, target string, ok bool) {
	source, target = op.El.Attr("migrate_source"), op.El.Attr("migrate_target")
	if source == "" || target == "" {
		return "", "", false
	}
	here := target
	if op.Operation == "migrate_to" {
		here = source
	}
	return source, target, here == rp.n.name
}

// migratedTo takes a migrate_to that worked into account.
func (rp *replayer) migratedTo(op *cib.LrmOp) {
	source, targetName, ok := rp.migrationEnds(op)
	if !ok {
		return
	}
	p, r := rp.p, rp.r
	target := p.nodeByName[targetName]
	left := p.actedAfter(r, rp.n, op, true)
	from := p.findOp(r, target, "migrate_from", "migrate_source", source, false)
	fromStatus := execPending
	if from != nil {
		if left {
			return // it arrived, and the source was dealt with
		}
		if from.Status == execDone && from.RC == rcOK {
			r.role = roleStopped
			r.dangling = append(r.dangling, rp.n)
			return
		}
		fromStatus = from.Status
	}
	moved := p.changedAfter(r, target, from, op)
	if left && moved {
		return
	}
	r.role = roleStarted
	onTarget := !moved && target != nil && target.online
	switch {
	case fromStatus != execPending && onTarget:
		p.addRunning(r, target, true)
	case fromStatus != execPending:
		rp.mustRestart()
	case target != nil && target.online && p.unknownOn(r, target):
		// The target's memory was cleaned: a probe will tell.
	case onTarget:
		p.addRunning(r, target, false)
		if s := p.nodeByName[source]; s != nil && s.online {
			r.partialSource, r.partialTarget = s, target
		}
	case !left:
		rp.mustRestart()
	}
}

// mustRestart marks r as failed, and what failed in migration does not migrate.
func (rp *replayer) mustRestart() {
	rp.r.failed, rp.r.lrmStop = true, true
	rp.r.allowMigrate = false
}

// migrateToFailed: r is assumed to be active on the source, and on the target too unless something
// newer is known of it there.
func (rp *replayer) migrateToFailed(op *cib.LrmOp) {
	source, targetName, ok := rp.migrationEnds(op)
	if !ok {
		return
	}
	p, r := rp.p, rp.r
	r.role = roleStarted
	target := p.nodeByName[targetName]
	from := p.findOp(r, target, "migrate_from", "migrate_source", source, true)
	if !p.unknownOn(r, target) && !p.changedAfter(r, target, from, op) {
		if target != nil && target.online {
			p.addRunning(r, target, false)
		}
		return
	}
	if !p.actedAfter(r, rp.n, op, true) {
		r.dangling = append(r.dangling, rp.n)
	}
}

// migrateFromFailed: r is assumed to be active on the target, and on the source too unless the source
// remembers a migrate_to that worked and something newer.
func (rp *replayer) migrateFromFailed(op *cib.LrmOp) {
	sourceName, target, ok := rp.migrationEnds(op)
	if !ok {
		return
	}
	p, r := rp.p, rp.r
	r.role = roleStarted
	source := p.nodeByName[sourceName]
	to := p.findOp(r, source, "migrate_to", "migrate_target", target, true)
	if !p.unknownOn(r, source) && (to == nil || !p.changedAfter(r, source, to, op)) && source != nil && source.online {
		p.addRunning(r, source, true)
	}
}

// findOp is the entry of a migration in a node's memory; worked asks for one that succeeded.
func (p *planner) findOp(r *resource, n *node, task, attr, peer string, worked bool) *cib.LrmOp {
	l := p.lrmOf(r.id, n)
	if l == nil {
		return nil
	}
	for i := range l.Ops {
		op := &l.Ops[i]
		if op.Operation != task || op.El.Attr(attr) != peer {
			continue
		}
		if worked && (op.RC != rcOK || op.Status != execDone) {
			continue
		}
		return op
	}
	return nil
}

// unknownOn reports whether a node remembers nothing of r.
func (p *planner) unknownOn(r *resource, n *node) bool {
	l := p.lrmOf(r.id, n)
	if l == nil {
		return true
	}
	for i := range l.Ops {
		if l.Ops[i].RC != rcUnknown {
			return false
		}
	}
	return true
}

// actedAfter reports whether the node did something to r after op; here tells that op is of that node.
func (p *planner) actedAfter(r *resource, n *node, op *cib.LrmOp, here bool) bool {
	l := p.lrmOf(r.id, n)
	if l == nil {
		return false
	}
	for i := range l.Ops {
		switch l.Ops[i].Operation {
		case "start", "stop", "migrate_to", "migrate_from":
			if newer(&l.Ops[i], op, here) {
				return true
			}
		}
	}
	return false
}

// changedAfter reports whether one end of a migration has news of r that is newer than the migration:
// something was done to it, or it was found not to run. The news are held against the part of the
// migration that the node itself remembers (own), if it does, since calls compare more reliably.
func (p *planner) changedAfter(r *resource, n *node, own, other *cib.LrmOp) bool {
	op := own
	if op == nil {
		op = other
	}
	return p.actedAfter(r, n, op, own != nil) || p.foundStoppedAfter(r, n, op, own != nil)
}

func (p *planner) foundStoppedAfter(r *resource, n *node, op *cib.LrmOp, here bool) bool {
	l := p.lrmOf(r.id, n)
	if l == nil {
		return false
	}
	for i := range l.Ops {
		o := &l.Ops[i]
		if o.Operation == "monitor" && o.RC == rcNotRunning && o.Status == execDone && newer(o, op, here) {
			return true
		}
	}
	return false
}

// newer reports whether a happened after b. Calls are comparable within one node; between nodes the
// time of the result decides, and the transition when that is the same.
func newer(a, b *cib.LrmOp, sameNode bool) bool {
	if b == nil || a == b {
		return false
	}
	if sameNode {
		return opOrder(a, b) > 0
	}
	if a.LastRCChange > 0 && b.LastRCChange > 0 && a.LastRCChange != b.LastRCChange {
		return a.LastRCChange > b.LastRCChange
	}
	ta, sa := askedBy(a)
	tb, sb := askedBy(b)
	return sa == sb && ta > tb
}
