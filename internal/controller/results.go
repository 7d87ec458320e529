package controller

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// resultKey tells results apart while they are on their way into the log.
type resultKey struct {
	node, boot string
	serial     uint64
}

func keyOf(r *cib.OpResult) resultKey { return resultKey{r.Op.Node, r.BootID, r.Serial} }

// reported takes in results from a node: those that are news are proposed, with what they count for.
func (c *Controller) reported(results []cib.OpResult) {
	var news []cib.OpResult
	for _, r := range results {
		switch c.judge(&r) {
		case resultEarly:
			continue // it will be sent again
		case resultOld:
			if r.Serial > 0 {
				c.remember(keyOf(&r)) // it may come once more, when history knows of later ones only
			}
			c.do(Ack{Node: r.Op.Node, Serial: r.Serial})
			c.takeFlight(&r.Op) // it has landed, before our time
			continue
		}
		c.proposed[keyOf(&r)] = c.now.Add(askAgain)
		c.stuckAt = earliest(c.stuckAt, c.now.Add(askAgain))
		r.CountFailure, r.FatalFailure = c.counts(&r)
		news = append(news, r)
	}
	if len(news) > 0 {
		c.propose(cib.Command{Results: news})
	}
}

// subject is the node that an operation is about: where its history is kept.
func subject(op *cib.Operation) string {
	if op.Target != "" {
		return op.Target
	}
	return op.Node
}

type judgement uint8

const (
	resultNew judgement = iota
	resultEarly
	resultOld
)

// judge decides whether a result is to become a fact. What was sent by a boot that is over is none: all that
// ran then has ended. What comes from a node that is not known to be up must wait until it is, for it may
// have been fenced since.
func (c *Controller) judge(r *cib.OpResult) judgement {
	m := c.state.Cluster.Member(r.Op.Node)
	if m == nil {
		return resultOld // it was removed from the cluster
	}
	if ns := c.state.CIB.NodeState(m.ID); ns == nil || !isUp(ns) {
		return resultEarly
	}
	if f := c.nodeFacts(m.ID); r.BootID != "" && f.BootID != "" && r.BootID != f.BootID {
		return resultOld
	}
	if _, ok := c.proposed[keyOf(r)]; ok {
		return resultEarly
	}
	if c.done[keyOf(r)] || c.recorded(r) {
		return resultOld
	}
	return resultNew
}

// recorded reports whether history has the result already, as it does when an acknowledgement was lost.
func (c *Controller) recorded(r *cib.OpResult) bool {
	ns := c.state.CIB.NodeStateByName(subject(&r.Op))
	if ns == nil || r.Op.Key == "" {
		return false
	}
	h := ns.History(r.Op.Resource)
	if h == nil {
		return false
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.CallID == r.CallID && o.RC == r.RC && o.Status == r.Status && o.LastRCChange == r.Changed &&
			o.El.Attr("transition-key") == r.Op.Key || supersedes(o, r) {
			return true
		}
	}
	return false
}

// told reports whether history has the result of an operation: a ledger that was long on its way tells of what has been
// reported since, and nobody will report it again.
func (c *Controller) told(op *cib.Operation) bool {
	ns := c.state.CIB.NodeStateByName(subject(op))
	if ns == nil || op.Key == "" {
		return false
	}
	h := ns.History(op.Resource)
	return h != nil && slices.ContainsFunc(h.Ops, func(o cib.LrmOp) bool {
		return o.Operation == op.Name && o.IntervalMS == op.IntervalMS && o.Status != cib.OpPending && o.El.Attr("transition-key") == op.Key
	})
}

// supersedes reports whether what history says is later than a result: it was recorded before, and its
// acknowledgement was lost. Operations of a resource go one after the other on a node and are reported in order, but
// for recurring ones; and all of an earlier boot is void.
func supersedes(o *cib.LrmOp, r *cib.OpResult) bool {
	return o.IntervalMS == 0 && r.Op.IntervalMS == 0 && r.Op.Name != "notify" && o.Operation != "notify" && o.CallID > r.CallID && r.CallID > 0 && o.LastRCChange >= r.Changed
}

// counts tells whether a result raises the fail count of its operation, and whether to INFINITY at once.
// Probes find out, they do not fail; notifications may fail; what is configured with on-fail=ignore does not
// count.
func (c *Controller) counts(r *cib.OpResult) (counts, fatal bool) {
	op := &r.Op
	if succeeded(r) || r.Status == cib.OpCancelled || op.OnFail == "ignore" {
		return false, false
	}
	switch op.Name {
	case "start":
		return true, c.opts.startFailureFatal
	case "stop":
		return true, true
	case "promote", "demote":
		return true, false
	}
	return op.IntervalMS > 0 && op.Name != "cancel", false
}

// succeeded reports whether a result is what the plan expects of the operation. Degraded is a success with
// a warning. A monitor that was cancelled is as wanted; what changes the state of a resource and was never begun is
// neither a success nor a failure.
func succeeded(r *cib.OpResult) bool {
	if r.Op.Name == "notify" || r.Status == cib.OpCancelled && !showsAsPending(r.Op.Name) || r.Status == cib.OpPending {
		return true
	}
	rc := r.RC
	if r.Op.Name == "monitor" {
		switch rc {
		case cib.RCDegraded:
			rc = cib.RCOk
		case cib.RCDegradedProm:
			rc = cib.RCPromoted
		}
	}
	return r.Status == cib.OpDone && rc == r.Op.TargetRC
}

// recordedNow takes in results that have become facts.
func (c *Controller) recordedNow(results []cib.OpResult) {
	for i := range results {
		r := &results[i]
		if r.Status == cib.OpPending {
			continue
		}
		delete(c.proposed, keyOf(r))
		delete(c.gate, keyOf(r))
		if r.Serial > 0 {
			c.do(Ack{Node: r.Op.Node, Serial: r.Serial})
			c.remember(keyOf(r))
		}
		f := c.takeFlight(&r.Op)
		if f != nil && r.Serial > 0 {
			c.flights.progress[r.Op.Node] = c.now
		}
		switch {
		case c.actionOf(f) != 0:
			c.finish(c.actionOf(f), succeeded(r))
			if !succeeded(r) {
				c.abort(describe(r), false)
			}
		case r.Status == cib.OpCancelled && succeeded(r), f == nil && r.Op.Name == "notify":
		case f != nil && succeeded(r) && !showsAsPending(r.Op.Name):
			c.replan("result of an earlier plan: " + describe(r)) // when the one under way has ended
		case f != nil:
			c.abort("result of an earlier plan: "+describe(r), false)
		default:
			c.abort(describe(r), false)
		}
	}
}

// remembered is how many results of a node are told apart from new ones by their serial number alone. A node
// sends a result until it is acknowledged, so those that come again are recent.
const remembered = 1000

func (c *Controller) remember(k resultKey) {
	c.done[k] = true
	if k.serial > remembered {
		k.serial -= remembered
		delete(c.done, k)
	}
}

// describe says what a result tells.
func describe(r *cib.OpResult) string {
	op := &r.Op
	what := op.Name
	switch {
	case op.Name == "monitor" && op.IntervalMS == 0:
		what = "probe"
	case op.IntervalMS > 0:
		what += " every " + strconv.FormatInt(op.IntervalMS, 10) + "ms"
	}
	what += " of " + op.Resource + " on " + subject(op)
	switch {
	case succeeded(r):
		return what + ": done"
	case r.Status == cib.OpTimedOut:
		what += " timed out"
	case r.Status == cib.OpCancelled:
		what += " was not begun"
	case op.Name == "monitor" && r.RC == cib.RCNotRunning:
		what += " found it not running"
	case op.Name == "monitor" && op.IntervalMS == 0 && r.RC == cib.RCOk:
		return what + " found it running"
	default:
		what += fmt.Sprintf(" failed (rc %d)", r.RC)
	}
	if r.Reason != "" {
		what += ": " + r.Reason
	}
	return what
}

// timedOut makes a fact of it that an operation has given no result in its time and the time for messages:
// it may or may not have been carried out, and the scheduler knows what that means for each operation.
func (c *Controller) timedOut(f *flight) {
	r := cib.OpResult{Op: f.op, RC: cib.RCError, Status: cib.OpTimedOut, CallID: c.nextCall(&f.op),
		Reason:  fmt.Sprintf("no answer from %s within the time-out and cluster-delay", f.op.Node),
		Started: f.since.Unix(), Changed: c.now.Unix(), ExecMS: c.now.Sub(f.since).Milliseconds()}
	r.CountFailure, r.FatalFailure = c.counts(&r)
	c.propose(cib.Command{Results: []cib.OpResult{r}, Note: describe(&r)})
}

// nextCall is a call number that makes an entry the newest of its resource's history.
func (c *Controller) nextCall(op *cib.Operation) int {
	last := 0
	if ns := c.state.CIB.NodeStateByName(subject(op)); ns != nil {
		if h := ns.History(op.Resource); h != nil {
			for i := range h.Ops {
				last = max(last, h.Ops[i].CallID)
			}
		}
	}
	return last + 1
}
