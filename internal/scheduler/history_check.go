package scheduler

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// What history asks for before anything is decided: recurring operations that are still configured,
// those that are not any more, parameters that changed since an operation ran, histories of resources
// that are gone.

func (p *planner) checkHistories() {
	for i := range p.histories {
		p.checkHistory(&p.histories[i])
	}
	for _, c := range p.clearFailures {
		p.clearFailureAction(c)
	}
	for _, l := range p.expiredLocks {
		a := p.op(l.rsc, taskLrmDelete, 0, l.node, false)
		a.flags |= actRunnable // only the CIB changes: the node need not be there
	}
}

// rememberedActions are those that follow from history alone: the recurring operations that nodes have
// running, and the stops that failures ask for.
func (p *planner) rememberedActions() {
	for i := range p.histories {
		h := &p.histories[i]
		p.scheduledMonitors(h)
		if slices.Contains(h.rsc.forceStop, h.node) {
			p.op(h.rsc, taskStop, 0, h.node, false)
		}
	}
	p.forcedActions()
}

// forgetOldFailures clears failures that happened under parameters that are no longer configured, so that
// they keep the resource from nowhere. Those that have become too old are dealt with already.
func (p *planner) forgetOldFailures(h *history) {
	for _, o := range h.ops {
		if o.Operation != taskStart && o.Operation != taskMonitor || !strings.HasSuffix(o.El.Attr("id"), "_last_failure_0") || p.stale[o] {
			continue
		}
		if p.needsHostName(h.rsc) {
			p.unchecked = append(p.unchecked, uncheckedOp{h, o, true})
		} else if o.El.Attr("op-digest") != "" && p.compareDigest(h, o, false) != digestSame {
			p.clear(h.rsc, h.node, "resource parameters have changed")
		}
	}
}

// uncheckedOp is an operation of a connection into a container. Its parameters hold the name of the
// container's host, so it can be compared only after assignment.
type uncheckedOp struct {
	h       *history
	op      *cib.LrmOp
	failure bool // what is asked is whether its failure can be forgotten
}

// checkConnections compares what had to wait for the assignment.
func (p *planner) checkConnections() {
	for _, u := range p.unchecked {
		switch {
		case !u.failure:
			p.checkDefinition(u.h, u.op)
		case u.op.El.Attr("op-digest") != "" && p.compareDigest(u.h, u.op, false) != digestSame:
			p.clearFailureAction(clearFailure{rsc: u.h.rsc, node: u.h.node, reason: "resource parameters have changed"})
		}
	}
}

// span says where in a history the present life of a resource begins and ends.
func span(ops []*cib.LrmOp) (start, stop int) {
	start, stop = -1, -1
	impliedMonitor, impliedClone := -1, -1
	for i, o := range ops {
		switch {
		case o.Operation == taskStop && o.Status == 0:
			stop = i
		case o.Operation == taskStart || o.Operation == taskMigrateFrom:
			start = i
		case impliedMonitor <= stop && o.Operation == taskMonitor && (o.RC == 0 || o.RC == 8):
			impliedMonitor = i
		case o.Operation == taskPromote || o.Operation == taskDemote:
			impliedClone = i
		}
	}
	if start == -1 {
		if impliedClone != -1 {
			start = impliedClone
		} else if impliedMonitor != -1 {
			start = impliedMonitor
		}
	}
	return start, stop
}

// scheduledMonitors notes the recurring operations that a node has running: those since the resource was
// last brought up, or since it was last stopped.
func (p *planner) scheduledMonitors(h *history) {
	if !h.node.online {
		return
	}
	start, stop := span(h.ops)
	if start < stop {
		start = stop + 1
	}
	for i, o := range h.ops {
		if i < start || o.IntervalMS == 0 || o.Status == -1 {
			continue
		}
		p.op(h.rsc, o.Operation, o.IntervalMS, h.node, true)
	}
}

// forcedActions makes the stops and demotions that failures ask for, whatever else is decided.
func (p *planner) forcedActions() {
	each(p.resources, func(r *resource) {
		for _, n := range r.forceStop {
			p.op(r, taskStop, 0, n, false)
		}
		for _, n := range r.forceDemote {
			p.op(r, taskDemote, 0, n, false)
		}
	})
}

// each calls f for every resource of the lists and everything inside.
func each(list []*resource, f func(*resource)) {
	for _, r := range list {
		f(r)
		each(r.parts(), f)
	}
}

// checkHistory compares a history with the configuration. Which instance of an anonymous clone a history
// is about was chosen by what is active where; here every instance counts that was ever known by the
// name it uses.
func (p *planner) checkHistory(h *history) {
	c := h.rsc.anonymousClone()
	if c == nil {
		p.checkResource(h)
		return
	}
	for _, i := range c.children {
		if r := i.part(h.rsc.cfg.ID); r != nil && r.knownAs(h.lrm.ID) {
			as := *h
			as.rsc = r
			p.checkResource(&as)
		}
	}
}

// knownAs reports whether a history by that name may be about an instance.
func (r *resource) knownAs(name string) bool {
	if r.id == name {
		return true
	}
	if r.name != name {
		return false
	}
	for _, w := range r.knownOn {
		if w != 0 {
			return true
		}
	}
	return r.renamed
}

// checkResource compares a resource's history on a node with its configuration.
func (p *planner) checkResource(h *history) {
	r, n := h.rsc, h.node
	if !n.maintenance && !n.canRun() {
		return
	}
	if r.orphan {
		if r.parent == nil && r.managed && p.cfg.stopOrphans {
			p.deleteOp(r, n)
		}
		return
	}
	if !r.runsOn(n) {
		if p.agentChanged(h, false) {
			p.deleteOp(r, n)
		}
		return
	}
	if p.agentChanged(h, true) {
		p.deleteOp(r, n)
		return
	}
	start, stop := span(h.ops)
	for i, o := range h.ops {
		if start < stop || i < start && o.IntervalMS > 0 || i < start {
			continue
		}
		p.checkOp(h, o)
	}
}

func (r *resource) runsOn(n *node) bool {
	for _, o := range r.runningOn {
		if o == n {
			return true
		}
	}
	return false
}

func (p *planner) checkOp(h *history, o *cib.LrmOp) {
	r, n := h.rsc, h.node
	probe := o.Operation == taskMonitor && o.IntervalMS == 0
	switch {
	case o.IntervalMS > 0 && (r.maintenance || n.maintenance):
		p.cancelHistory(h, o, "maintenance mode")
	case o.IntervalMS > 0, probe, o.Operation == taskStart, o.Operation == taskPromote, o.Operation == taskMigrateFrom:
		if p.needsHostName(r) {
			p.unchecked = append(p.unchecked, uncheckedOp{h, o, false})
		} else {
			p.checkDefinition(h, o)
		}
	}
}

func (p *planner) checkDefinition(h *history, o *cib.LrmOp) {
	if p.definitionChanged(h, o) && p.failCount(h.rsc, h.node) > 0 {
		p.clearFailureAction(clearFailure{rsc: h.rsc, node: h.node, reason: "operation definition changed"})
	}
}

// definitionChanged compares the parameters an operation ran with to what they would be now.
func (p *planner) definitionChanged(h *history, o *cib.LrmOp) bool {
	r, n := h.rsc, h.node
	if o.IntervalMS > 0 {
		if enabledOp(r, o.Operation, o.IntervalMS) == nil {
			if p.cfg.stopOrphanActions {
				p.cancelHistory(h, o, "orphan")
				return true
			}
			return false
		}
	}
	switch p.compareDigest(h, o, p.opts.Masked) {
	case digestRestart:
		if o.IntervalMS > 0 {
			p.op(r, o.Operation, o.IntervalMS, n, false)
		} else {
			p.restartChanged(r, n)
		}
		return true
	case digestReload:
		if o.IntervalMS > 0 {
			p.reschedule(r, o, n)
		} else if p.restartDigest(h, o) != "" && !r.reloading && !hasOwnParams(r, o) {
			p.deviceChanged(r, nil, "Device parameters changed (reload)")
			p.reload(r, n)
		} else if !r.reloading {
			p.restartChanged(r, n)
		}
		return true
	}
	return false
}

// restartChanged restarts a resource whose parameters changed.
func (p *planner) restartChanged(r *resource, n *node) {
	r.changed, r.changeReason = true, "resource definition change"
	p.deviceChanged(r, n, "Device parameters changed")
}

// hasOwnParams reports whether an operation is configured with parameters of its own: no agent says
// whether those can be reloaded.
func hasOwnParams(r *resource, o *cib.LrmOp) bool {
	op := findOp(r, o.Operation, o.IntervalMS)
	return op != nil && len(op.Params) > 0
}

// restartDigest is the digest of the parameters of which a change needs a restart, empty if that does not
// count. Of several entries of one operation the first decides whether it counts. No parameters are
// those of a recurring operation whose failure has expired, so that it is run anew.
func (p *planner) restartDigest(h *history, o *cib.LrmOp) string {
	own := func(o *cib.LrmOp) string {
		if p.rescheduled[o] {
			return "expired"
		}
		return o.El.Attr("op-restart-digest")
	}
	for _, first := range h.ops {
		if first.Operation == o.Operation && first.IntervalMS == o.IntervalMS && first != o && own(first) == "" {
			return ""
		}
		if first == o {
			break
		}
	}
	return own(o)
}

func (p *planner) reschedule(r *resource, o *cib.LrmOp, n *node) {
	a := p.op(r, o.Operation, o.IntervalMS, n, true)
	a.flags |= actReschedule
}

// reload makes the agent take over changed parameters without a restart.
func (p *planner) reload(r *resource, n *node) {
	if !r.managed || r.failed {
		if r.failed {
			r.changed, r.changeReason = true, "resource definition change"
		}
		return
	}
	r.reloading = true
	a := p.op(r, taskReload, 0, n, false)
	p.orderActionTask(a, r, taskStop, ordOptional|ordThenCancelsFirst)
	p.orderActionTask(a, r, taskDemote, ordOptional|ordThenCancelsFirst)
}

type digestResult uint8

const (
	digestSame    digestResult = iota
	digestReload               // something changed
	digestRestart              // something changed that needs a restart
)

// compareDigest tells whether an operation would run with other parameters now. masked says that the
// private ones may have been taken out of the CIB and do not count.
func (p *planner) compareDigest(h *history, o *cib.LrmOp, masked bool) digestResult {
	want := o.El.Attr("op-digest")
	if want == "" {
		return digestReload // nobody knows what it ran with
	}
	r := h.rsc
	params := p.digestParams(r, h.node, o)
	if secure := o.El.Attr("op-secure-digest"); secure != "" && masked {
		list := o.El.Attr("op-secure-params")
		if secure == cib.Digest(params, func(k string) bool { return skipMeta(k) || inList(list, k) || strings.HasPrefix(k, "pcmk_") }) {
			return digestSame
		}
	}
	skip := func(k string) bool { return skipMeta(k) && !(o.IntervalMS > 0 && k == "CRM_meta_timeout") }
	if rd, list := p.restartDigest(h, o), o.El.Attr("op-force-restart"); rd != "" {
		got := cib.Digest(params, func(k string) bool { return skip(k) || list != "" && !inList(list, k) })
		if got != rd {
			return digestRestart
		}
	}
	got := cib.Digest(params, skip)
	if got != want {
		return digestReload
	}
	return digestSame
}

func skipMeta(k string) bool { return len(k) >= 9 && k[:9] == "CRM_meta_" }

// inList reports whether a blank-separated list holds a word.
func inList(list, word string) bool {
	for i := 0; i+len(word) <= len(list); i++ {
		if list[i:i+len(word)] == word && (i == 0 || list[i-1] == ' ') && (i+len(word) == len(list) || list[i+len(word)] == ' ') {
			return true
		}
	}
	return false
}

// digestParams are the parameters that an operation would run with now.
func (p *planner) digestParams(r *resource, n *node, o *cib.LrmOp) map[string]string {
	base := p.params(r, n)
	op := findOp(r, o.Operation, o.IntervalMS)
	extra := 0
	if op != nil {
		extra = len(op.Params)
	}
	if extra == 0 && o.IntervalMS == 0 {
		return base
	}
	out := make(map[string]string, len(base)+2)
	for k, v := range base {
		out[k] = v
	}
	if o.IntervalMS > 0 {
		out["CRM_meta_timeout"] = strconv.FormatInt(timeoutMS(p.opValues(r, o.Operation, o.IntervalMS, op)), 10)
	}
	if extra > 0 {
		vs, _ := cib.Evaluate(op.Params, &cib.RuleInput{Now: p.now}, "")
		for k, v := range vs {
			out[k] = v
		}
	}
	return out
}

// agentChanged reports whether the history was made by another agent than the one configured now.
func (p *planner) agentChanged(h *history, active bool) bool {
	r, l := h.rsc, h.lrm
	if r.class == l.Class && r.provider == l.Provider && r.typ == l.Type {
		return false
	}
	p.deviceChanged(r, h.node, "Device definition changed")
	if active {
		p.op(r, taskStop, 0, h.node, false)
		r.changed, r.changeReason = true, ""
	}
	return true
}

// deleteOp makes a node forget a resource, at once.
func (p *planner) deleteOp(r *resource, n *node) { p.deleteAction(r, n, false) }

// cancelHistory cancels a recurring operation that a node has running and nobody wants.
func (p *planner) cancelHistory(h *history, o *cib.LrmOp, reason string) {
	c := p.cancelAction(h.rsc, o.Operation, o.IntervalMS, h.node)
	c.reason = reason
	c.lrmCall = o.CallID
	c.set("CRM_meta_call_id", strconv.Itoa(o.CallID))
	p.orderTaskAction(h.rsc, taskStop, c, ordOptional)
}

// clearFailureAction makes the cluster forget a resource's failures on a node. An orphan's are forgotten
// before it is stopped; those of a connection that is to be tried again, after its node was fenced.
func (p *planner) clearFailureAction(c clearFailure) {
	a := p.op(c.rsc, taskClearFail, 0, c.node, false)
	a.flags |= actRunnable
	a.reason = c.reason
	a.set("CRM_meta_op_no_wait", "true")
	switch {
	case c.rsc.orphan:
		p.orderActionTask(a, c.rsc, taskStop, ordOptional)
	case c.rsc.reconnectMS > 0 && p.cfg.fencing && (c.reason == becauseExpired || c.reason == becauseReconnect):
		if n := p.nodeByName[c.rsc.id]; n != nil {
			p.order(p.fenceAction(n, "", true, ""), a, ordImpliesThen)
		}
	}
}
