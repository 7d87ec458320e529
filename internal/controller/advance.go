package controller

import (
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// awaited is a command that an action of the plan consists of, on its way into the log.
type awaited struct {
	action int
	cmd    cib.Command // its Note tells it apart
	since  time.Time
	again  time.Time // when to propose it again
}

// askAgain is after how long a command that was not committed is proposed again.
const askAgain = 5 * time.Second

// advance starts everything of the plan that may start now.
func (c *Controller) advance() {
	r := c.plan
	for {
		if r.aborted != "" {
			c.dropQueue()
		}
		a := c.fromQueue()
		if a == nil {
			a = r.runner.Next()
		}
		if a == nil {
			break
		}
		c.carryOut(a)
	}
	c.startFencings()
}

// dropQueue forgets what waits for room on its node: it was never ordered.
func (c *Controller) dropQueue() {
	for _, a := range c.plan.queue {
		c.plan.runner.Finish(a.ID, false)
	}
	c.plan.queue = nil
}

// fromQueue is an action whose node has room for it again, or nil.
func (c *Controller) fromQueue() *transition.Action {
	r := c.plan
	for i, a := range r.queue {
		if c.mayBegin(a) {
			r.queue = append(r.queue[:i:i], r.queue[i+1:]...)
			return a
		}
	}
	return nil
}

// mayBegin reports whether an action that is ready need not wait for its node all the same: for room, or, if the
// node is to leave, for all that is to be found out there before.
func (c *Controller) mayBegin(a *transition.Action) bool {
	if a.Task != "do_shutdown" {
		return c.hasRoom(nodeOf(a)) && !c.unsettled(a)
	}
	if c.flights.on[a.Node] > 0 {
		return false
	}
	for _, o := range c.plan.graph.Actions {
		if phase := c.plan.runner.Phase(o.ID); o.Rsc != nil && nodeOf(o) == a.Node && (phase == transition.Waiting || phase == transition.Running) {
			return false
		}
	}
	return true
}

// unsettled reports whether an operation of an earlier plan is in flight that decides on which node the resource of
// an action is: a live migration, or something on another node. On one node operations wait for each other anyway;
// instances of clones are not in each other's way.
func (c *Controller) unsettled(a *transition.Action) bool {
	if a.Rsc == nil || a.Attr("CRM_meta_clone") != "" {
		return false
	}
	for _, f := range c.plan.carried {
		if f.landed || f.adopted != 0 || f.op.Resource != a.Rsc.ID || !showsAsPending(f.op.Name) {
			continue
		}
		if f.op.Node != nodeOf(a) || f.op.Name == "migrate_to" || f.op.Name == "migrate_from" {
			return true
		}
	}
	return false
}

// hasRoom reports whether a node may be given another operation.
func (c *Controller) hasRoom(node string) bool {
	limit := c.opts.nodeActions
	if limit == 0 {
		for _, h := range c.members.Heard {
			if h.Name == node {
				limit = h.Slots
			}
		}
	}
	return limit <= 0 || c.flights.on[node] < limit
}

// carryOut begins one action of the plan.
func (c *Controller) carryOut(a *transition.Action) {
	switch {
	case a.Kind == transition.Pseudo && a.Task == "stonith":
		c.guestIsGone(a)
	case a.Kind == transition.Pseudo:
		c.finish(a.ID, true)
	case a.Task == "stonith":
		c.wantFencing(a)
	case a.Task == "do_shutdown" && c.mayBegin(a):
		c.await(a, cib.Command{Nodes: []cib.NodeUpdate{{ID: a.NodeID, Name: a.Node, Expected: "down"}}})
	case a.Task == "clear_failcount" && a.Rsc != nil:
		c.await(a, cib.Command{Forget: []cib.Forget{{Node: a.Node, Resource: a.Rsc.ID, KeepHistory: true}}})
	case a.Task == "lrm_delete" && a.Rsc != nil:
		c.await(a, cib.Command{Forget: []cib.Forget{{Node: a.Node, Resource: a.Rsc.ID}}})
	case a.Task != "do_shutdown" && (a.Rsc == nil || a.Kind == transition.ClusterEvent):
		c.finish(a.ID, true) // asks for what our nodes do by themselves, such as probe_again
	case a.Task == "migrate_to" && c.mayBegin(a):
		c.await(a, cib.Command{Results: []cib.OpResult{c.begun(a)}})
	case !c.mayBegin(a):
		c.plan.queue = append(c.plan.queue, a)
	default:
		c.dispatch(a)
	}
}

// finish tells the runner of a result.
func (c *Controller) finish(action int, ok bool) { c.plan.runner.Finish(action, ok) }

// await proposes the command that an action consists of. The action is done when the command is committed.
func (c *Controller) await(a *transition.Action, cmd cib.Command) {
	cmd.Note = fmt.Sprintf("plan %s, action %d: %s", c.plan.epoch, a.ID, a.Words())
	c.waits = append(c.waits, &awaited{action: a.ID, cmd: cmd, since: c.now, again: c.now.Add(askAgain)})
	c.propose(cmd)
}

// awaitedDone takes in a commit; it reports whether an action of the plan consisted in it.
func (c *Controller) awaitedDone(cmd cib.Command) bool {
	if cmd.By != byController || cmd.Note == "" {
		return false
	}
	for i, w := range c.waits {
		if w.cmd.Note != cmd.Note {
			continue
		}
		c.waits = append(c.waits[:i:i], c.waits[i+1:]...)
		switch a := c.plan.byID[w.action]; a.Task {
		case "migrate_to":
			c.dispatch(a)
			return true
		case "do_shutdown":
			c.tellToStop(a)
		}
		c.finish(w.action, true)
		return true
	}
	return false
}

// guestIsGone records that a guest node has ended with its container.
func (c *Controller) guestIsGone(a *transition.Action) {
	if a.Node == "" {
		c.finish(a.ID, true)
		return
	}
	how := a.Attr("CRM_meta_stonith_action")
	if how == "" {
		how = "reboot"
	}
	c.await(a, cib.Command{Fencing: []cib.FenceRecord{{FenceRequest: c.fenceRequest(a, how), State: cib.FenceDone, Evidence: cib.ByContainer,
		Node: c.cfg.Name, Requested: c.now, Completed: c.now}}})
}
