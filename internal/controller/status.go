package controller

import (
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Status is what the controller is doing, for people.
type Status struct {
	Leading bool      `json:"leading"`
	DC      string    `json:"dc"` // name of the node that decides, as the CIB has it
	Phase   string    `json:"phase"`
	Epoch   cib.Epoch `json:"epoch"` // of the plan under way, or of the last one
	Why     string    `json:"why,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Done    int       `json:"done"`  // actions of the plan under way that are done
	Total   int       `json:"total"` // actions of it
	Next    string    `json:"next,omitempty"`
	Outcome string    `json:"outcome,omitempty"` // of the plan before
	Waits   []Wait    `json:"waits,omitempty"`
	Recheck time.Time `json:"recheck,omitzero"`
}

// Phases of a Status.
const (
	PhaseFollowing = "following" // another node decides
	PhaseGathering = "gathering" // it is not known yet who is there
	PhaseResting   = "resting"   // nothing is to be done
	PhaseActing    = "acting"    // a plan is under way
	PhaseEnding    = "ending"    // a plan was overtaken by events; what is in flight is waited for
	PhaseHolding   = "holding"   // the same plan came too often: the next one waits
)

// Wait is one thing that is waited for.
type Wait struct {
	What    string    `json:"what"`
	Node    string    `json:"node,omitempty"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // then it is given up or tried again; zero: it has no end of its own
	Trouble string    `json:"trouble,omitempty"`
	Release string    `json:"release,omitempty"` // the command that ends the waiting
}

// Status tells what is being done, and what is waited for.
func (c *Controller) Status() Status {
	s := Status{Leading: c.leading, Outcome: c.ended.Outcome, Epoch: c.ended.Epoch, Next: c.due, Recheck: c.recheck}
	if !c.leading {
		s.Phase = PhaseFollowing
		return s
	}
	s.DC = c.cfg.Name
	switch p := c.plan; {
	case p != nil:
		s.Phase = PhaseActing
		if p.aborted != "" {
			s.Phase = PhaseEnding
		}
		s.Epoch, s.Why, s.Since = p.epoch, p.why, p.since
		s.Done, s.Total = p.runner.Completed(), len(p.graph.Actions)
	case c.unsure() != "":
		s.Phase = PhaseGathering
		s.Waits = append(s.Waits, Wait{What: c.unsure()})
	case c.due != "":
		s.Phase = PhaseHolding
		s.Waits = append(s.Waits, Wait{What: "a plan that came " + fmt.Sprint(c.repeats.times) + " times in a row without success: " + c.due,
			Since: c.repeats.at, Until: c.repeats.until, Release: "crm_resource --cleanup"})
	default:
		s.Phase = PhaseResting
	}
	s.Waits = append(s.Waits, c.waitsFor()...)
	return s
}

func (c *Controller) waitsFor() []Wait {
	var out []Wait
	for f := range c.flights.all() {
		w := Wait{What: f.words(), Node: f.op.Node, Since: f.since, Until: f.deadline, Trouble: f.err}
		if f.err != "" {
			w.Release = "cerco stonith fence " + f.op.Node
		}
		out = append(out, w)
	}
	for _, w := range c.waits {
		out = append(out, Wait{What: "the commit of " + w.cmd.Note, Since: w.since, Until: w.again})
	}
	for _, f := range c.fencings {
		w := Wait{What: fmt.Sprintf("fencing of %s (%s): %s", f.req.Target, f.req.Action, f.req.Why), Node: f.req.Target,
			Since: f.since, Trouble: c.heldBack(f), Release: releaseFence(f.req.Target)}
		if x := c.failed[f.req.Target]; x != nil {
			w.Until = x.until
		}
		if f.record != nil && f.record.Error != "" {
			w.Trouble = f.record.Error
		}
		out = append(out, w)
	}
	return out
}

// words says what an operation in flight does.
func (f *flight) words() string {
	op := &f.op
	what := op.Name
	switch {
	case op.Name == "do_shutdown":
		return "the end of the daemon on " + op.Node
	case op.Name == "monitor" && op.IntervalMS == 0:
		what = "probe"
	case op.IntervalMS > 0:
		what = fmt.Sprintf("%s every %dms", op.Name, op.IntervalMS)
	}
	return what + " of " + op.Resource + " on " + subject(op)
}
