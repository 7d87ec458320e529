package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/transition"
)

// traceEvent tells what a controller is told.
func (n *Node) traceEvent(ev controller.Event) {
	if !n.w.traced() || n.d.office == nil {
		return // the controllers of those who do not lead hear all commits, too
	}
	if text := Words(ev); text != "" {
		n.w.trace("%s <- %s", n.Name, text)
	}
}

// traced reports whether anybody looks at what happens.
func (w *World) traced() bool { return w.cfg.Trace != nil || w.cfg.Draw }

func (n *Node) traceEffects(effects []controller.Effect) {
	if n.w.traced() {
		for _, e := range effects {
			n.w.traceEffect(n, e)
		}
	}
}

// traceEffect tells what a controller wants.
func (w *World) traceEffect(l *Node, e controller.Effect) {
	text := ""
	switch e := e.(type) {
	case controller.Propose:
		text = "propose " + CommandWords(&e.Command)
	case controller.Dispatch:
		text = "order " + operation(&e.Op)
	case controller.Fence:
		text = fmt.Sprintf("fence %s (%s): %s", e.Request.Target, e.Request.Action, e.Request.Why)
		if e.Request.DelayMS != 0 {
			text += fmt.Sprintf(", after %dms", e.Request.DelayMS)
		}
	case controller.CancelFence:
		text = "give up fencing " + e.ID
	case controller.Keep:
		w.traceKeep(l, e)
	case controller.Ended:
		text = fmt.Sprintf("plan %s: %s", e.Epoch, e.Outcome)
	case controller.Note:
		text = e.Level + ": " + e.Text
	}
	if text != "" {
		w.trace("%s    -> %s", l.Name, text)
	}
}

func (w *World) traceKeep(l *Node, e controller.Keep) {
	t := e.Transition
	real := 0
	for _, a := range t.Plan.Graph.Actions {
		if a.Kind != transition.Pseudo {
			real++
		}
	}
	w.trace("%s    -> plan %s, %d actions, since %s", l.Name, t.Epoch, real, t.Why)
}

// Words says what an event is; empty for those that are not worth a line.
func Words(ev controller.Event) string {
	switch ev := ev.(type) {
	case controller.Lead:
		return fmt.Sprintf("lead, term %d, %d operations in flight", ev.Term, len(ev.InFlight))
	case controller.Follow:
		return "follow"
	case controller.Members:
		var parts []string
		for _, h := range ev.Heard {
			switch {
			case h.Lost:
				parts = append(parts, h.Name+" lost")
			case !h.Ready:
				parts = append(parts, h.Name+" not ready")
			default:
				parts = append(parts, h.Name)
			}
		}
		return fmt.Sprintf("members %s, quorate %v", strings.Join(parts, ", "), ev.Quorate)
	case controller.Applied:
		return "committed " + CommandWords(&ev.Command)
	case controller.Undelivered:
		return "undelivered " + operation(&ev.Op)
	case controller.Tick:
		return "tick"
	}
	return "" // what is reported shows when it is proposed
}

// CommandWords says what a command is about.
func CommandWords(c *cib.Command) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if c.Lead != nil {
		add("leader %s quorum %v", c.Lead.DC, c.Lead.HaveQuorum)
	}
	for _, u := range c.Nodes {
		text := "node " + u.Name
		for _, p := range [...][2]string{{"ccm", u.InCCM}, {"crmd", u.Crmd}, {"join", u.Join}, {"expected", u.Expected}} {
			if p[1] != "" {
				text += " " + p[0] + "=" + p[1]
			}
		}
		if u.Erase {
			text += " erase"
		}
		add("%s", text)
	}
	if c.Config != nil {
		add("configuration by %s", c.By)
	}
	for i := range c.Results {
		add("%s", result(&c.Results[i]))
	}
	for _, a := range c.Attributes {
		if a.Delete {
			add("no attribute %s on %s", a.Name, a.Node)
		} else {
			add("attribute %s=%s on %s", a.Name, a.Value, a.Node)
		}
	}
	for _, f := range c.Forget {
		what := "forget"
		if f.KeepHistory {
			what = "forget failures of"
		}
		add("%s %s on %s", what, f.Resource, f.Node)
	}
	for _, r := range c.Fencing {
		text := "fencing of " + r.Target + " " + r.State
		if r.Evidence != "" {
			text += " by " + string(r.Evidence)
		}
		add("%s", text)
	}
	return strings.Join(parts, "; ")
}

func result(r *cib.OpResult) string {
	text := fmt.Sprintf("%s rc=%d", operation(&r.Op), r.RC)
	if r.Status != cib.OpDone {
		text += fmt.Sprintf(" status=%d", r.Status)
	}
	switch {
	case r.FatalFailure:
		text += " fatal"
	case r.CountFailure:
		text += " counts"
	}
	return text
}

func operation(op *cib.Operation) string {
	name := op.Name
	switch {
	case name == "monitor" && op.IntervalMS == 0:
		name = "probe"
	case op.IntervalMS > 0:
		name += "/" + (time.Duration(op.IntervalMS) * time.Millisecond).String()
	case name == "do_shutdown":
		return "do_shutdown on " + op.Node
	}
	on := op.Node
	if op.Target != "" {
		on = op.Target + " via " + op.Node
	}
	return fmt.Sprintf("%s %s on %s", name, op.Resource, on)
}
