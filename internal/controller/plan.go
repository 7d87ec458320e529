package controller

import (
	"fmt"
	"hash/fnv"
	"io"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
)

// run is one plan while it is carried out.
type run struct {
	epoch   cib.Epoch
	why     string
	since   time.Time
	graph   *transition.Graph
	byID    map[int]*transition.Action
	runner  *transition.Runner
	delay   time.Duration        // cluster-delay of the graph
	queue   []*transition.Action // handed out by the runner, waiting for room on their node
	carried []*flight            // operations that earlier plans have ordered and that were in flight at its beginning
	aborted string               // why nothing new is started; empty: it goes on
	atOnce  bool                 // it ends now, whatever is in flight
}

// followUp is why a plan is made after one that was carried out: there should be nothing left to do (invariant
// I5), and where there is, nobody else would notice before the next change.
const followUp = "what the plan before has led to"

// begin makes the next plan and reports whether there is one to carry out.
func (c *Controller) begin() bool {
	if c.due == "" || c.unsure() != "" || c.now.Before(c.repeats.until) || !c.firstPlan() {
		return false
	}
	in := c.withPending()
	plan := c.cfg.Schedule(in, scheduler.Options{Now: c.now, TransitionID: int(c.number + 1)})
	if c.repeats.holdBack(plan.Graph, c.now) {
		level := "warn"
		if c.repeats.pause < time.Second {
			level = "info" // nobody needs to look yet
		}
		c.note(level, "the same plan again and again: holding back",
			"times", c.repeats.times, "until", c.repeats.until, "why", c.due)
		return false
	}
	if c.due == followUp && c.nothingNew(plan.Graph) {
		c.due = ""
		c.setRecheck(plan.Graph.RecheckBy)
		return false
	}
	c.number, c.first = c.number+1, false
	r := &run{epoch: cib.Epoch{Term: c.term, Plan: c.number}, why: c.due, since: c.now, graph: plan.Graph,
		runner: transition.NewRunner(plan.Graph), byID: make(map[int]*transition.Action, len(plan.Graph.Actions))}
	for _, a := range plan.Graph.Actions {
		r.byID[a.ID] = a
	}
	for f := range c.flights.all() {
		if !f.noWait {
			r.carried = append(r.carried, f)
		}
	}
	r.delay = c.opts.clusterDelay
	c.plan, c.due = r, ""
	c.setRecheck(plan.Graph.RecheckBy)
	empty := len(plan.Graph.Actions) == 0
	if !empty || !c.keptEmpty {
		c.do(Keep{Transition{Epoch: r.epoch, Number: plan.Graph.ID, At: c.now, Input: in, Plan: plan, Why: r.why}})
	}
	c.keptEmpty = empty
	c.dropUnwantedFencing(plan.Graph)
	return true
}

// nothingNew reports whether a graph holds nothing but what the plan before has done: once more would change
// nothing. Nodes that were told to stop take their time, and a failure that is still to be seen in the history keeps
// its monitor there, to be cancelled again.
func (c *Controller) nothingNew(g *transition.Graph) bool {
	for _, a := range g.Actions {
		if a.Kind != transition.Pseudo && !c.lastDone[doneKey{a.Task, a.Key, a.Node}] {
			return false
		}
	}
	return true
}

// doneKey tells what an action does.
type doneKey struct{ task, key, node string }

// done is what a plan has done.
func (r *run) done() map[doneKey]bool {
	done := make(map[doneKey]bool)
	for _, a := range r.graph.Actions {
		if a.Kind != transition.Pseudo && r.runner.Phase(a.ID) == transition.Done {
			done[doneKey{a.Task, a.Key, a.Node}] = true
		}
	}
	return done
}

// unsure says what must be known before anything can be planned; empty: nothing is missing.
func (c *Controller) unsure() string {
	switch {
	case c.members == nil:
		return "word of which members are there"
	case c.facts.open:
		return "the commit of which members are there"
	case len(c.gate) > 0:
		return "the commit of what nodes have done before they were heard"
	}
	return ""
}

// over reports whether the plan under way has come to its end.
func (c *Controller) over() bool {
	r := c.plan
	switch {
	case r.atOnce:
		return true
	case c.ownFlights() || len(c.waits) > 0:
		return false
	case r.aborted != "":
		return true // fencings go on, and the next plan takes them over
	}
	return r.runner.Pending() == 0 && len(r.queue) == 0
}

// ownFlights reports whether there are operations of the plan under way that must be waited for.
func (c *Controller) ownFlights() bool {
	for f := range c.flights.all() {
		if c.actionOf(f) != 0 && !f.noWait {
			return true
		}
	}
	return false
}

func (c *Controller) end() {
	r := c.plan
	outcome := "complete"
	switch {
	case r.aborted != "":
		outcome = r.aborted
	case !r.runner.Complete():
		outcome = "incomplete"
		c.replan(followUp)
	case len(r.graph.Actions) > 0:
		c.replan(followUp)
	}
	for _, f := range c.fencings {
		f.action = 0
	}
	for _, f := range r.carried {
		f.adopted = 0
	}
	c.lastDone = r.done()
	c.neverBegun()
	c.plan, c.waits = nil, nil
	c.ended = Ended{Epoch: r.epoch, Outcome: outcome}
	c.do(c.ended)
}

// setRecheck says when to plan anew though nothing happens: when time alone changes the outcome, and every
// cluster-recheck-interval.
func (c *Controller) setRecheck(by int64) {
	c.recheck = time.Time{}
	if c.opts.recheck > 0 {
		c.recheck = c.now.Add(c.opts.recheck)
	}
	if by == 0 {
		return
	}
	at := time.Unix(by, 0)
	if soonest := c.now.Add(time.Second); at.Before(soonest) {
		at = soonest // never twice in a second
	}
	c.recheck = earliest(c.recheck, at)
}

// Limits on plans that come again and again although nothing was changed from outside (invariant I5 is then
// broken, or an agent fails as fast as it is called).
const (
	repeatsFree  = 5 // so many identical plans in quick succession are carried out as they come
	repeatsQuick = 5 * time.Second
	// The pauses double, from less than a heartbeat: it may be that a node has no lease yet, and refuses until it has.
	repeatsLeast = 50 * time.Millisecond
	repeatsMost  = time.Minute
)

// repeats notices plans that are the same again and again.
type repeats struct {
	last  uint64 // what the plan before consisted of
	at    time.Time
	times int           // identical plans one after the other, each soon after the one before
	pause time.Duration // how long the last of them was held back
	until time.Time
}

// forget says that something was changed from outside: what comes is news.
func (r *repeats) forget() { *r = repeats{} }

// holdBack notes a plan and reports whether it is to wait, until r.until.
func (r *repeats) holdBack(g *transition.Graph, now time.Time) bool {
	sum := signature(g)
	if !r.until.IsZero() && !now.Before(r.until) && sum == r.last { // it has waited
		r.until, r.at = time.Time{}, now
		return false
	}
	if len(g.Actions) == 0 || sum != r.last || now.Sub(r.at) > repeatsQuick {
		*r = repeats{last: sum, at: now, times: 1}
		return false
	}
	r.times, r.at = r.times+1, now
	if r.times <= repeatsFree {
		return false
	}
	r.pause = min(max(2*r.pause, repeatsLeast), repeatsMost)
	r.until = now.Add(r.pause)
	return true
}

// signature tells plans apart by what they do and where.
func signature(g *transition.Graph) uint64 {
	h := fnv.New64a()
	for _, a := range g.Actions {
		if a.Kind != transition.Pseudo {
			io.WriteString(h, fmt.Sprintf("%s\x00%s\x00%s\n", a.Task, a.Key, a.Node))
		}
	}
	return h.Sum64()
}

// earliest of two times of which the zero one means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
