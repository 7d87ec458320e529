package controller

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// abort says that something happened that the plan under way did not reckon with: nothing more of it is
// started, and another plan follows when what is in flight has ended. With atOnce it follows now, and takes
// what is in flight into account: that is for the loss of nodes, where waiting costs.
func (c *Controller) abort(why string, atOnce bool) {
	c.replan(why)
	p := c.plan
	if p == nil {
		return
	}
	if p.aborted == "" {
		p.aborted = why
		p.runner.Abort(transition.Infinity)
	}
	p.atOnce = p.atOnce || atOnce
}

// news is abort for what comes from outside, not from our own actions.
func (c *Controller) news(why string, atOnce bool) {
	c.repeats.forget()
	c.abort(why, atOnce)
}

// applied takes in a commit. What the plan expects lets it go on, all else makes another one necessary; signs
// of life and the like concern no plan.
func (c *Controller) applied(ev Applied) {
	before, cmd := c.state, ev.Command
	c.state = ev.State
	changed := before.CIB.Version != c.state.CIB.Version
	configured := before.CIB.Root.Child("configuration") != c.state.CIB.Root.Child("configuration") &&
		!cib.Equal(before.CIB.Root.Child("configuration"), c.state.CIB.Root.Child("configuration"))
	if configured {
		c.opts = readOptions(c.state.CIB, c.now)
	}
	ours := c.awaitedDone(cmd)
	if cmd.By == byController && cmd.Note == c.facts.note {
		c.facts.note = ""
	}
	if cmd.Cluster != nil {
		c.news("the cluster's members or options were changed", false)
	}
	c.leadChanged(before, cmd)
	c.nodesChanged(before, cmd.Nodes, ours)
	if len(cmd.Nodes) > 0 {
		c.catchUp()
	}
	if !ours && cmd.Config != nil && (configured || changed && cmd.By != byController) {
		if configured {
			c.failed = map[string]*fenceFailures{} // a device may have been mended
		}
		c.news(fmt.Sprintf("the CIB was changed by %s to %s", cmp.Or(cmd.By, "somebody"), c.state.CIB.Version), false)
	}
	c.recordedNow(cmd.Results)
	if !ours && len(cmd.Attributes) > 0 && changed {
		a := cmd.Attributes[0]
		c.news(fmt.Sprintf("attribute %s of %s was set to %q", a.Name, a.Node, a.Value), false)
	}
	if !ours && len(cmd.Forget) > 0 && changed {
		f := cmd.Forget[0]
		c.news(fmt.Sprintf("history of %s on %s was cleared", cmp.Or(f.Resource, "every resource"), cmp.Or(f.Node, "every node")), false)
	}
	for i := range cmd.Fencing {
		if !ours { // the end of a guest is no fencing that anybody was asked for
			c.fencingRecorded(&cmd.Fencing[i])
		}
	}
	if len(cmd.Fencing)+len(cmd.Results)+len(cmd.Nodes) > 0 && changed {
		c.doubted(before, cmd)
	}
}

// doubted notices that a commit has made void what some node was known to run: the target of a live migration that
// was cut short. The plan under way relies on it, and must end before it starts anything.
func (c *Controller) doubted(before cib.State, cmd cib.Command) {
	for _, was := range before.CIB.Status.Nodes {
		is := c.state.CIB.NodeState(was.ID)
		if is == nil || len(is.Lrm) >= len(was.Lrm) || !isUp(is) || !isUp(was) || slices.ContainsFunc(cmd.Nodes, func(u cib.NodeUpdate) bool { return u.ID == was.ID && u.Erase }) {
			continue
		}
		for _, h := range was.Lrm {
			deleted := slices.ContainsFunc(cmd.Results, func(r cib.OpResult) bool { return r.Op.Name == "delete" && r.Op.Resource == h.ID })
			if !deleted && is.History(h.ID) == nil && len(cmd.Forget) == 0 {
				c.abort(fmt.Sprintf("a live migration of %s to %s was cut short", h.ID, is.Name), false)
			}
		}
	}
}

func (c *Controller) leadChanged(before cib.State, cmd cib.Command) {
	switch {
	case cmd.Lead == nil:
	case before.CIB.HaveQuorum && !c.state.CIB.HaveQuorum:
		c.news("quorum was lost", false)
	case !before.CIB.HaveQuorum && c.state.CIB.HaveQuorum:
		c.news("quorum was gained", false)
	case before.CIB.DCUUID != c.state.CIB.DCUUID:
		c.abort("a new leader", false)
	}
}

// nodesChanged finds out what updates of nodes mean.
func (c *Controller) nodesChanged(before cib.State, updates []cib.NodeUpdate, ours bool) {
	for _, u := range updates {
		was, is := before.CIB.NodeState(u.ID), c.state.CIB.NodeState(u.ID)
		name := cmp.Or(u.Name, u.ID)
		if u.InCCM == "false" {
			delete(c.trusted, u.ID)
		}
		switch {
		case is == nil:
		case isUp(was) && !isUp(is):
			c.giveUp(name)
			if is.Expected == "down" {
				c.news(name+" has left", true)
			} else {
				c.news(name+" was lost", true)
			}
		case u.Erase && isUp(was):
			c.giveUp(name)
			c.news(name+" has been booted anew", true)
		case !isUp(was) && isUp(is):
			c.news(name+" is there", false)
		case ours:
		case u.Erase || was == nil || was.Expected != is.Expected || was.Join != is.Join || was.Crmd != is.Crmd || was.InCCM != is.InCCM:
			c.news("the state of "+name+" was changed", false)
		}
	}
}

// giveUp forgets what is in flight on a node that is gone: no result will come.
func (c *Controller) giveUp(node string) int {
	return c.dropFlights(func(f *flight) bool { return f.op.Node == node })
}

// isUp reports whether a node state is that of a node that can be given orders.
func isUp(n *cib.NodeState) bool {
	return n != nil && n.InCCM == "true" && n.Crmd == "online" && n.Join == "member"
}

// refused notes that a command cannot be committed. What it was for is asked for again in time; an action of a plan
// has failed by it.
func (c *Controller) refused(ev Refused) {
	for i, w := range c.waits {
		if c.plan != nil && ev.Command.By == byController && ev.Command.Note == w.cmd.Note {
			c.waits = append(c.waits[:i:i], c.waits[i+1:]...)
			c.finish(w.action, false)
			c.abort("refused: "+w.cmd.Note, false)
			break
		}
	}
	for i := range ev.Command.Results {
		delete(c.proposed, keyOf(&ev.Command.Results[i]))
		delete(c.gate, keyOf(&ev.Command.Results[i]))
	}
	if ev.Command.By == byController {
		c.note("error", "a command of the controller was refused", "command", ev.Command.Note, "error", ev.Err)
	}
}
