package replay

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/membership"
	"github.com/cerco-ha/cerco/internal/transition"
)

// lone is what a daemon does without a leader, as internal/daemon does it in lone.go.
type lone struct{ stopping bool }

// performLone carries out what membership wants done. A node that leaves decides nothing for others any more.
func (n *Node) performLone(e membership.Effect) {
	if n.d.leaving {
		return
	}
	switch e := e.(type) {
	case membership.FenceLost:
		n.w.trace("%s, alone, fences %s: %s", n.Name, e.Request.Target, e.Request.Why)
		n.w.checkFence(n, n.w.Now, e.Request.Target)
		n.fence(e.Request, func(r cib.FenceRecord) {
			if r.State != cib.FencePending {
				n.d.members.Fenced(r)
				n.poke()
			}
		})
	case membership.CancelFence:
		n.cancelFence(e.ID)
	case membership.Recover:
		n.afterReal(n.w.vary(20*time.Millisecond), func() {
			err := n.recoverLog(cib.Command{V: cib.CommandVersion, At: n.now(), By: n.Name, Fencing: e.Evidence,
				Note: "the other voters of the log are proved off: " + n.Name + " goes on with a log of its own"})
			n.d.members.Recovered(err)
			n.poke()
		})
	case membership.StopHere:
		if !n.d.lone.stopping {
			n.d.lone.stopping = true
			n.afterReal(0, func() { n.stopHere(e.Why) })
		}
	}
}

// stopHere carries no-quorum-policy out on this node.
func (n *Node) stopHere(why string) {
	w := n.w
	epoch, began := n.ledger.epoch, n.now()
	l, err := controller.LocalStops(n.withUnacked(), n.Name, epoch, began)
	if err != nil {
		w.breach("%s alone: %v", n.Name, err)
		return
	}
	if len(l.Graph.Actions) > 0 || l.Reboot {
		w.trace("%s is alone: %d actions, reboot %v (%s)", n.Name, len(l.Graph.Actions), l.Reboot, why)
		w.count("node without quorum stops its services")
	}
	if l.Reboot {
		n.die()
		boots := n.boots
		w.after(w.delay.Boot, func() {
			if n.boots == boots {
				n.Start()
			}
		})
		return
	}
	n.followAlone(l, transition.NewRunner(l.Graph))
}

// followAlone leads through the plan of a node that is alone.
func (n *Node) followAlone(l *controller.Local, r *transition.Runner) {
	for a := r.Next(); a != nil; a = r.Next() {
		if a.Kind == transition.Pseudo {
			r.Finish(a.ID, true)
			continue
		}
		if n.d.members.View().Leader != "" && n.mayAct() {
			break
		}
		op := l.Operation(a)
		if op.Epoch.Less(n.ledger.epoch) {
			r.Finish(a.ID, false)
			continue
		}
		n.enqueue(&task{rec: n.accept(op), then: func(ok bool) {
			r.Finish(a.ID, ok)
			n.followAlone(l, r)
		}})
		return
	}
	n.d.lone.stopping = false
}

// withUnacked is this node's state, with the results that no log has yet, or that it has not heard to be in it.
func (n *Node) withUnacked() cib.State {
	var told []cib.OpResult
	for _, t := range n.d.told {
		told = append(told, t.results...)
	}
	s, err := controller.Known(n.view(), n.Name, told, n.ledger.unacked, n.now())
	if err != nil {
		n.w.breach("%s alone: %v", n.Name, err)
	}
	return s
}
