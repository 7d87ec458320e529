package controller

import (
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// fencing is a fencing that is wanted. It outlives its plan: the next one that wants it takes it over.
type fencing struct {
	req    cib.FenceRequest
	action int // of the plan under way; 0: it is of one before
	since  time.Time
	sent   bool
	record *cib.FenceRecord // the last news of it
}

// fenceFailures is how often a node could not be fenced, one time after the other.
type fenceFailures struct {
	times int
	last  string    // what went wrong
	until time.Time // no further try before
}

// wantFencing begins a fencing, or takes one over that was begun for an earlier plan.
func (c *Controller) wantFencing(a *transition.Action) {
	how := a.Attr("CRM_meta_stonith_action")
	for _, f := range c.fencings {
		if f.req.Target == a.Node && (f.req.Action == "on") == (how == "on") {
			f.action = a.ID
			return
		}
	}
	c.fencings = append(c.fencings, &fencing{action: a.ID, since: c.now, req: c.fenceRequest(a, how)})
}

func (c *Controller) fenceRequest(a *transition.Action, how string) cib.FenceRequest {
	return cib.FenceRequest{
		ID:     fmt.Sprintf("%s-%d.%d.%d", a.Node, c.plan.epoch.Term, c.plan.epoch.Plan, a.ID),
		Target: a.Node, TargetID: a.NodeID, Action: how, By: byController, Why: a.Reason, Epoch: c.plan.epoch, Graph: a.ID,
		DelayMS: 1000 * number(a.Attr("CRM_meta_priority_fencing_delay")),
	}
}

// startFencings asks for those that may begin: not too soon after a failure, and unless concurrent-fencing is
// set one after the other.
func (c *Controller) startFencings() {
	for _, f := range c.fencings {
		if f.sent || f.action == 0 || c.heldBack(f) != "" {
			continue
		}
		f.sent = true
		c.do(Fence{Request: f.req})
	}
}

// heldBack says why a fencing is not asked for yet; empty: it is, or may be.
func (c *Controller) heldBack(f *fencing) string {
	if f.sent {
		return ""
	}
	if x := c.failed[f.req.Target]; x != nil && c.now.Before(x.until) {
		return fmt.Sprintf("failed %d times, at last: %s; the next try is at %s", x.times, x.last, x.until.UTC().Format(time.TimeOnly))
	}
	if c.opts.concurrentFencing {
		return ""
	}
	for _, o := range c.fencings {
		if o.sent {
			return "one at a time (concurrent-fencing=false): " + o.req.Target + " comes first"
		}
	}
	return ""
}

// dropUnwantedFencing gives up what a new plan has no use for any more.
func (c *Controller) dropUnwantedFencing(g *transition.Graph) {
	type target struct {
		node string
		on   bool
	}
	wanted := map[target]bool{}
	for _, a := range g.Actions {
		if a.Kind == transition.ClusterEvent && a.Task == "stonith" {
			wanted[target{a.Node, a.Attr("CRM_meta_stonith_action") == "on"}] = true
		}
	}
	kept := c.fencings[:0:0]
	for _, f := range c.fencings {
		switch {
		case wanted[target{f.req.Target, f.req.Action == "on"}]:
			kept = append(kept, f)
		case f.sent:
			c.do(CancelFence{ID: f.req.ID})
		}
	}
	c.fencings = kept
}

// fenced writes news of a fencing down.
func (c *Controller) fenced(r cib.FenceRecord) { c.propose(cib.Command{Fencing: []cib.FenceRecord{r}}) }

// fencingRecorded takes in what has become of a fencing, ours or another's.
func (c *Controller) fencingRecorded(r *cib.FenceRecord) {
	switch r.State {
	case cib.FencePending:
		for _, f := range c.fencings {
			if f.req.ID == r.ID {
				f.record = r
			}
		}
	case cib.FenceFailed:
		c.fencingFailed(r)
	case cib.FenceDone:
		c.fencingDone(r)
	}
}

// mostFenceWait is the longest pause between two tries, until there have been too many.
const mostFenceWait = 10 * time.Second

func (c *Controller) fencingFailed(r *cib.FenceRecord) {
	for i, f := range c.fencings {
		if f.req.ID != r.ID {
			continue
		}
		c.fencings = append(c.fencings[:i:i], c.fencings[i+1:]...)
		x := c.failed[r.Target]
		if x == nil {
			x = &fenceFailures{}
			c.failed[r.Target] = x
		}
		x.times, x.last = x.times+1, r.Error
		switch {
		case x.times >= c.opts.fenceAttempts:
			x.until = c.now.Add(max(c.opts.recheck, time.Minute))
			c.note("error", "a node cannot be fenced: giving up for now", "node", r.Target, "tries", x.times, "error", r.Error,
				"release", releaseFence(r.Target))
		case x.times > 1:
			x.until = c.now.Add(min(time.Second<<min(x.times-2, 10), mostFenceWait))
		}
		if f.action != 0 && c.plan != nil {
			c.finish(f.action, false)
		}
		c.abort("fencing of "+r.Target+" failed", false)
		return
	}
}

// fencingDone: a node is off, or has been let in again, for us whoever had it done.
func (c *Controller) fencingDone(r *cib.FenceRecord) {
	on := r.Action == "on"
	ours := false
	kept := c.fencings[:0:0]
	for _, f := range c.fencings {
		if f.req.Target != r.Target || (f.req.Action == "on") != on {
			kept = append(kept, f)
			continue
		}
		if f.sent && f.req.ID != r.ID {
			c.do(CancelFence{ID: f.req.ID})
		}
		if f.action != 0 && c.plan != nil {
			ours = true
			c.finish(f.action, true)
		}
	}
	c.fencings = kept
	delete(c.failed, r.Target)
	lost := 0
	if !on {
		delete(c.trusted, r.TargetID)
		lost = c.giveUp(r.Target)
	}
	switch {
	case !ours:
		c.news(fmt.Sprintf("%s was fenced (%s) by %s", r.Target, r.Action, r.By), !on)
	case lost > 0:
		c.abort(r.Target+" was fenced with operations in flight on it", true)
	}
}

// closeFencings ends what is recorded of fencings that an earlier leader had asked for and whose outcome nobody
// will report. Where one is still needed, the first plan asks for it anew.
func (c *Controller) closeFencings() {
	var cmd cib.Command
	for _, r := range c.state.Fencing {
		if r.State == cib.FencePending && r.By == byController && r.Epoch.Term < c.term {
			r.State, r.Completed = cib.FenceFailed, c.now
			r.Error = "the node that decided was lost, or ceased to decide, before it was done; it is asked for anew if it is needed"
			cmd.Fencing = append(cmd.Fencing, r)
		}
	}
	if len(cmd.Fencing) > 0 {
		c.propose(cmd)
	}
}

func releaseFence(node string) string { return "cerco stonith confirm " + node }
