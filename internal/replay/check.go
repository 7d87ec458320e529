package replay

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
)

// single reports whether a resource may be active on one node only. Fence devices are no such resources: they
// are what a node knows, and run nothing.
func (w *World) single(id string) bool {
	r := w.State.CIB.Resource(id)
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

// checkOrder holds I2: nothing is ordered to start while in truth it runs elsewhere, however well hidden.
func (w *World) checkOrder(op cib.Operation) {
	if op.Name != "start" || !w.single(op.Resource) {
		return
	}
	for _, n := range w.nodes {
		if n.Name != op.Node && n.Runs(op.Resource) {
			w.breach("I2: %s is to start on %s and runs on %s", op.Resource, op.Node, n.Name)
		}
	}
}

// checkBegin holds I3: nothing of a lower epoch is carried out once a higher one was seen from a later leader.
func (w *World) checkBegin(n *Node, op *cib.Operation) {
	if n.seen.Term < op.Epoch.Term {
		w.breach("I3: %s carries out an operation of term %d and has seen only %d", n.Name, op.Epoch.Term, n.seen.Term)
	}
}

// checkFence holds I6: who fences has quorum.
func (w *World) checkFence(l *Node, req cib.FenceRequest) {
	if !w.majority(l) {
		w.breach("I6: %s fences %s without quorum", l.Name, req.Target)
	}
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

// Settled reports what keeps the world from being at rest as it should be, empty if nothing does: somebody leads,
// nothing is to be done, and truth is as the state says.
func (w *World) Settled() string {
	switch l := w.leader; {
	case l == nil:
		return "nobody leads"
	case l.ctl.Status().Phase != "resting":
		return "the leader is " + l.ctl.Status().Phase
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
