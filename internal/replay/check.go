package replay

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
)

// device reports whether a resource is a fence device: what a node knows, and nothing that runs.
func (w *World) device(id string) bool {
	r := w.State().CIB.Resource(id)
	return r != nil && r.Class == "stonith"
}

// single reports whether a resource may be active on one node only.
func (w *World) single(id string) bool {
	r := w.State().CIB.Resource(id)
	if r != nil && r.Class == "stonith" {
		return false
	}
	for ; r != nil; r = r.Parent {
		if r.Kind == cib.Clone || r.Kind == cib.Bundle {
			return false
		}
	}
	return true
}

// checkTwice holds I1: what is not a clone is active on at most one node. The move of a live migration is one
// step in this world.
func (w *World) checkTwice(rsc string) {
	if !w.single(rsc) {
		return
	}
	var on []string
	for _, n := range w.nodes {
		if n.Runs(rsc) {
			on = append(on, n.Name)
		}
	}
	if len(on) > 1 {
		w.breach("I1: %s is active on %s", rsc, strings.Join(on, " and "))
	}
}

// checkOrder holds I2 and I6 for orders: nothing is ordered to start while in truth it runs elsewhere, however well
// hidden, and nobody orders who has no quorum.
func (w *World) checkOrder(l *Node, decided time.Time, op cib.Operation) {
	if op.Name != "start" && op.Name != "promote" {
		return
	}
	w.checkQuorum(l, decided, "orders "+operation(&op))
	if op.Name != "start" || !w.single(op.Resource) || w.cfg.Plant.DeviceLies { // with that one I1 is to see what comes of it
		return
	}
	for _, n := range w.nodes {
		if n.Name != op.Node && n.Runs(op.Resource) {
			w.breach("I2: %s is to start on %s and runs on %s", op.Resource, op.Node, n.Name)
		}
	}
}

// checkBegin holds I3: nothing is carried out that was ordered with a lower epoch than one seen before.
func (w *World) checkBegin(n *Node, r *record) {
	if r.op.Epoch.Less(r.seen) {
		w.breach("I3: %s carries out %s of epoch %s and had seen %s when it was ordered", n.Name, operation(&r.op), r.op.Epoch, r.seen)
	}
}

// checkQuorum holds I6: who acts could have had the consent of a majority of its log's voters after it decided to.
func (w *World) checkQuorum(n *Node, decided time.Time, what string) {
	if !n.without.IsZero() && n.without.Before(decided) {
		w.breach("I6: %s %s, and could have had no majority for %s", n.Name, what, w.Now.Sub(n.without))
	}
}

// checkFence holds I6: who fences has quorum, or is one of two.
func (w *World) checkFence(n *Node, decided time.Time, target string) {
	if n.d.role != leads && len(w.nodes) == 2 {
		return
	}
	w.checkQuorum(n, decided, "fences "+target)
}

// checkCause wants nobody to be fenced while nothing has happened yet.
func (w *World) checkCause(n *Node, target string) {
	if w.cfg.Jitter && !w.touched {
		w.breach("%s fences %s although nothing has happened", n.Name, target)
	}
}

// checkCommit holds I9: what is committed anywhere stays part of every log that commits anything later.
func (w *World) checkCommit(n *Node, e *entry) {
	switch {
	case e.holds(w.chain):
		w.chain = e
	case w.chain.holds(e): // it is behind
	case e.holds(w.acked):
		w.chain = e // what is lost was never told to anybody
	default:
		w.breach("I9: the log of %s has no entry %d of term %d any more, which was acknowledged", n.Name, w.acked.index, w.acked.term)
	}
}

// acknowledged notes that somebody was told that an entry is committed.
func (w *World) acknowledged(l *Node, e *entry) {
	switch {
	case e.holds(w.acked):
		w.acked = e
	case !w.acked.holds(e):
		w.breach("I9: %s acknowledges an entry beside one that was acknowledged before", l.Name)
	}
}

// checkPlan holds I4, I5 and I7 for a plan that was made.
func (w *World) checkPlan(t *controller.Transition) {
	w.checkNothingLeft(t)
	if w.plans++; w.plans%checkedPlans != 0 && w.cfg.Plant.Schedule == nil {
		return
	}
	schedule := w.cfg.Plant.Schedule
	if schedule == nil {
		schedule = scheduler.Schedule
	}
	options := scheduler.Options{Now: t.At, TransitionID: t.Number}
	before := t.Input.Root.AppendXML(nil)
	fresh, err := cib.Decode("", before)
	if err != nil {
		w.breach("I4: the CIB of a plan cannot be read: %v", err)
		return
	}
	want := rendered(schedule(fresh, options))
	if got := rendered(t.Plan); !bytes.Equal(got, want) {
		w.breach("I4: the same CIB gives another plan:\n%s", difference(string(got), string(want)))
	}
	if after := t.Input.Root.AppendXML(nil); !bytes.Equal(before, after) || !bytes.Equal(before, fresh.Root.AppendXML(nil)) {
		w.breach("I7: the scheduler has changed its input:\n%s", difference(string(before), string(fresh.Root.AppendXML(nil))))
	} else if got := rendered(schedule(t.Input, options)); !bytes.Equal(got, want) {
		w.breach("I7: what was decoded of a CIB is another after it was planned from:\n%s", difference(string(want), string(got)))
	}
}

// checkedPlans is that every so many-th plan is made twice.
const checkedPlans = 7

// rendered is all that a plan says.
func rendered(p *scheduler.Plan) []byte {
	var b bytes.Buffer
	for _, a := range p.Graph.Actions {
		fmt.Fprintf(&b, "%d %s %s: %s; %v after", a.ID, a.Task, a.Words(), a.Reason, a.Attrs)
		for _, in := range a.Inputs {
			fmt.Fprintf(&b, " %d", in.ID)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// difference is the first line in which two texts differ.
func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "- " + x[i] + "\n+ " + y[i]
		}
	}
	return "one goes on after the other has ended"
}

// checkNothingLeft holds I5: what a completed plan has led to needs no plan.
func (w *World) checkNothingLeft(t *controller.Transition) {
	if t.Why != "what the plan before has led to" || len(w.failing) > 0 {
		return
	}
	for _, a := range t.Plan.Graph.Actions {
		if a.Kind != transition.Pseudo && a.Task != "do_shutdown" { // its node is about to leave
			w.breach("I5: a plan is complete, and there is still to do: %s (%s)", a.Words(), a.Reason)
			return
		}
	}
}

// Plan is what the scheduler makes of the state as it is.
func (w *World) Plan() *scheduler.Plan {
	now := w.Now
	if l := w.Leader(); l != nil {
		now = l.now()
	}
	return scheduler.Schedule(w.State().CIB, scheduler.Options{Now: now})
}

// Settled reports what keeps the world from being at rest as it should be, empty if nothing does: somebody leads,
// nothing is to be done, and truth is as the state says.
func (w *World) Settled() string {
	l := w.Leader()
	switch {
	case l == nil || !l.d.office.Begun():
		return "nobody leads"
	case l.d.ctl.Status().Phase != "resting":
		s := l.d.ctl.Status()
		why := fmt.Sprintf("the leader is %s, plan %s (%s): %d of %d actions", s.Phase, s.Epoch, s.Why, s.Done, s.Total)
		for _, x := range s.Waits {
			why += "; it waits for " + x.What
		}
		return why
	}
	for _, n := range w.nodes {
		if n.Daemon() && (n.d.commit != l.d.commit || !n.d.up) {
			return n.Name + " is behind"
		}
	}
	plan := w.Plan()
	for _, a := range plan.Graph.Actions {
		if a.Kind != transition.Pseudo {
			return "there is still to do: " + a.Words()
		}
	}
	for _, r := range plan.View.Resources {
		if what := w.differs(r); what != "" {
			return what
		}
	}
	return ""
}

// differs compares what is believed of a primitive with what is true.
func (w *World) differs(r *scheduler.ResourceView) string {
	for _, c := range r.Children {
		if what := w.differs(c); what != "" {
			return what
		}
	}
	if r.Kind != "primitive" || !w.single(r.Name) {
		return ""
	}
	believed := ""
	for _, n := range r.On {
		believed += " " + n.Name
	}
	truth := ""
	for _, n := range w.nodes {
		if n.Runs(r.Name) {
			truth += " " + n.Name
		}
	}
	if believed != truth {
		return r.Name + " is believed to be on" + believed + " and is on" + truth
	}
	return ""
}
