package controller

import (
	"fmt"
	"slices"
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
		if c.hasRoom(nodeOf(a)) {
			r.queue = append(r.queue[:i:i], r.queue[i+1:]...)
			return a
		}
	}
	return nil
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
	if limit <= 0 {
		return true
	}
	for _, f := range c.flights {
		if f.op.Node == node && !f.noWait {
			limit--
		}
	}
	return limit > 0
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
	case a.Task == "do_shutdown":
		c.await(a, cib.Command{Nodes: []cib.NodeUpdate{{ID: a.NodeID, Name: a.Node, Expected: "down"}}})
	case a.Task == "clear_failcount" && a.Rsc != nil:
		c.await(a, cib.Command{Forget: []cib.Forget{{Node: a.Node, Resource: a.Rsc.ID, KeepHistory: true}}})
	case a.Task == "lrm_delete" && a.Rsc != nil:
		c.await(a, cib.Command{Forget: []cib.Forget{{Node: a.Node, Resource: a.Rsc.ID}}})
	case a.Rsc == nil || a.Kind == transition.ClusterEvent:
		c.finish(a.ID, true) // asks for what our nodes do by themselves, such as probe_again
	case a.Task == "migrate_to":
		c.await(a, cib.Command{Results: []cib.OpResult{c.begun(a)}})
	case !c.hasRoom(nodeOf(a)):
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

// begun is the history of a live migration that is about to begin. It is written down before it does: if the
// node that the resource leaves is lost on the way, nobody else could tell where it went.
func (c *Controller) begun(a *transition.Action) cib.OpResult {
	return cib.OpResult{Op: c.operation(a).Brief(), Status: cib.OpPending, Started: c.now.Unix(), Changed: c.now.Unix()}
}

// neverBegun takes back what was written down of migrations that are not ordered any more. The resources are
// probed where they are.
func (c *Controller) neverBegun() {
	var cmd cib.Command
	for _, w := range c.waits {
		for _, r := range w.cmd.Results {
			cmd.Forget = append(cmd.Forget, cib.Forget{Node: subject(&r.Op), Resource: r.Op.Resource})
		}
	}
	if len(cmd.Forget) > 0 {
		c.propose(cmd)
	}
}

// forgetStale takes back what earlier leaders have written down as begun and the nodes know nothing of.
func (c *Controller) forgetStale(l Ledger) {
	var cmd cib.Command
	for _, n := range c.state.CIB.Status.Nodes {
		if !slices.Contains(l.Answered, n.Name) {
			continue
		}
		for _, h := range n.Lrm {
			for i := range h.Ops {
				task := h.Ops[i].Operation
				known := c.flies(n.Name, h.ID, task) || slices.ContainsFunc(l.Unacked, func(r cib.OpResult) bool {
					return subject(&r.Op) == n.Name && r.Op.Resource == h.ID && r.Op.Name == task
				})
				if h.Ops[i].Status == cib.OpPending && !known {
					cmd.Forget = append(cmd.Forget, cib.Forget{Node: n.Name, Resource: h.ID})
					break
				}
			}
		}
	}
	if len(cmd.Forget) > 0 {
		c.propose(cmd)
	}
}

// flies reports whether such an operation is in flight.
func (c *Controller) flies(node, resource, name string) bool {
	for _, f := range c.flights {
		if subject(&f.op) == node && f.op.Resource == resource && f.op.Name == name {
			return true
		}
	}
	return false
}

// guestIsGone records that a guest node has ended with its container.
func (c *Controller) guestIsGone(a *transition.Action) {
	if a.Node == "" {
		c.finish(a.ID, true)
		return
	}
	c.await(a, cib.Command{Nodes: []cib.NodeUpdate{{ID: a.NodeID, Name: a.Node, InCCM: "false", Erase: true}}})
}
