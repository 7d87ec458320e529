package cib

import "strings"

// forget takes history and failures away.
func (a *applying) forget(f *Forget) {
	for _, n := range a.edit().nodes {
		if !n.dropped && (f.Node == "" || f.Node == n.name) {
			a.forgetOn(n, f)
		}
	}
}

func (a *applying) forgetOn(n *NodeEdit, f *Forget) {
	gone := make(map[string]bool) // resources whose failures are forgotten
	for _, h := range n.known(f.Resource) {
		id := h.id()
		if (f.OnlyFails || f.Operation != "") && !h.failed(f) && !n.counted(id, f) {
			continue
		}
		gone[id] = true
		if !f.KeepHistory {
			a.doubtTarget(h)
			h.drop()
			continue
		}
		if i, ok := h.index[lastFailure(id)]; ok && f.matches(h.ops[i].Attr("operation"), h.ops[i].Attr("interval")) {
			h.Remove(lastFailure(id))
		}
	}
	if n.transientElement() == nil {
		return
	}
	mine := func(name string) bool {
		resource, task, ok := failureAttribute(name)
		if !ok || !gone[resource] && f.Resource != "" && !isInstanceOf(resource, f.Resource) {
			return false
		}
		op, interval, _ := cutLast(task, "_")
		return task == "" || f.matches(op, interval)
	}
	n.editTransient("", "", func(set *Element) *Element { return withoutPairs(set, mine) })
}

// matches reports whether an operation is the one that is to be forgotten.
func (f *Forget) matches(operation, interval string) bool {
	return f.Operation == "" || f.Operation == operation && int64(parseInt(interval, 0)) == f.Interval
}

// failed reports whether the history has a failure of the operation.
func (h *HistoryEdit) failed(f *Forget) bool {
	for _, e := range h.ops {
		if e.Name != "lrm_rsc_op" {
			continue
		}
		op := lrmOp(e)
		failed := op.Status > OpCancelled || op.Status != OpPending && op.TargetRC >= 0 && op.RC != op.TargetRC ||
			strings.HasSuffix(e.ID(), "_last_failure_0")
		if failed && f.matches(op.Operation, e.Attr("interval")) {
			return true
		}
	}
	return false
}

// counted reports whether a failure of the operation is counted.
func (n *NodeEdit) counted(resource string, f *Forget) bool {
	for set := range n.transientElement().Elements() {
		for p := range set.Elements() {
			name, task, ok := failureAttribute(p.Attr("name"))
			op, interval, _ := cutLast(task, "_")
			if ok && name == resource && (task == "" || f.matches(op, interval)) {
				return true
			}
		}
	}
	return false
}

// failureAttribute takes the name of an attribute that is about failures apart: the resource and, in all but
// old ones, "OPERATION_INTERVAL".
func failureAttribute(name string) (resource, task string, ok bool) {
	rest, ok := strings.CutPrefix(name, failCount)
	if !ok {
		if rest, ok = strings.CutPrefix(name, lastFailed); !ok {
			return "", "", false
		}
	}
	resource, task, _ = cutLast(rest, "#")
	return resource, task, true
}

// cutLast cuts a text at the last separator; all of it comes before if there is none.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
