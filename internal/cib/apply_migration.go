package cib

import (
	"slices"
	"strings"
)

// empty forgets all that ran on a node. Where a live migration had begun there, the resource may be on its target,
// and only the history that is lost now tells: what the target knew of it before is void, so that it is probed.
// Where one had begun that led there, it is the source that must be probed.
func (a *applying) empty(n *NodeEdit) {
	for _, h := range n.known("") {
		a.doubtTarget(h)
	}
	for _, other := range a.edit().nodes {
		if other == n || other.dropped {
			continue
		}
		for _, h := range other.known("") {
			if h.migratingTo() == n.name {
				h.drop() // it may have left, and ended with the node
			}
		}
	}
	n.Empty()
}

// doubtTarget makes void what the target of a live migration knows, unless it has done something with the resource
// since: what was known of the source is about to be overtaken, and nothing else tells that the resource may have
// arrived.
func (a *applying) doubtTarget(h *HistoryEdit) {
	leave := h.migration()
	if leave == nil {
		return
	}
	target := leave.El.Attr("migrate_target")
	if target == "" || target == h.node.name {
		return
	}
	for _, other := range a.historiesOn(target, h.id()) {
		if other.id() == h.id() && (leave.Status == OpPending || !other.actedAfter(leave)) {
			other.drop()
		}
	}
}

// endMigration drops what history tells of live migrations, now that something has been done to the resource, or
// found out, that makes up for it. An entry that stayed would be taken for a migration that was cut short.
func (h *HistoryEdit) endMigration() {
	for _, e := range slices.Clone(h.ops) {
		if e.Kind == KindElement && e.Name == "lrm_rsc_op" && strings.HasPrefix(e.Attr("operation"), "migrate_") {
			h.Remove(e.ID())
		}
	}
}

// migratingTo is the target of that migration, empty if there is none.
func (h *HistoryEdit) migratingTo() string {
	if leave := h.migration(); leave != nil {
		return leave.El.Attr("migrate_target")
	}
	return ""
}

// migration is the operation by which the resource has been migrated away, or may have been, if that is the last
// that history tells of it; else nil.
func (h *HistoryEdit) migration() *LrmOp {
	var last *LrmOp
	for _, e := range h.ops {
		if e.Kind != KindElement || e.Name != "lrm_rsc_op" {
			continue
		}
		op := lrmOp(e)
		if op.Operation == "migrate_to" && op.Status == OpPending {
			return &op
		}
		if op.IntervalMS == 0 && (last == nil || op.CallID > last.CallID) {
			last = &op
		}
	}
	if last == nil || last.Operation != "migrate_to" {
		return nil
	}
	return last
}

// actedAfter reports whether the node has done something to the resource after it was sent there. Probes do not
// count: they may have come before it.
func (h *HistoryEdit) actedAfter(leave *LrmOp) bool {
	for _, e := range h.ops {
		if e.Kind != KindElement || e.Name != "lrm_rsc_op" {
			continue
		}
		op := lrmOp(e)
		if op.Operation == "monitor" || op.Status != OpDone {
			continue
		}
		plan, by := planOf(e)
		sent, sender := planOf(leave.El)
		switch {
		case by == sender && plan >= sent, by != sender && op.LastRCChange > leave.LastRCChange:
			return true
		case by != sender && op.LastRCChange == leave.LastRCChange && op.Operation == "migrate_from":
			return true // of another leader, in the same second
		}
	}
	return false
}

// planOf is the number of the plan that an entry's operation was part of, and who made that.
func planOf(e *Element) (plan int, by string) {
	part := strings.SplitN(e.Attr("transition-key"), ":", 4)
	if len(part) < 4 {
		return -1, ""
	}
	return parseInt(part[1], -1), part[3]
}
