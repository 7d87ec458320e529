package replay

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// reach reports whether two nodes hear each other.
func (w *World) reach(a, b *Node) bool {
	return a == b && a.Alive || a.Alive && b.Alive && a.side == b.side
}

// majority reports whether a node's daemon and those that it hears are more than half of all.
func (w *World) majority(n *Node) bool {
	if !n.Daemon {
		return false
	}
	votes := 0
	for _, o := range w.nodes {
		if w.reach(n, o) && o.Daemon {
			votes++
		}
	}
	return 2*votes > len(w.nodes)
}

// hear notes whom the leader has heard up to now.
func (w *World) hear() {
	for _, n := range w.nodes {
		if w.leader != nil && w.reach(w.leader, n) && n.Daemon {
			n.heard = w.Now
		}
	}
}

// changed says that some node can be reached that could not, or the other way round.
func (w *World) changed() {
	for _, n := range w.nodes {
		if n.Alive && n.Daemon && !w.majority(n) {
			side := n.side
			w.after(w.vary(w.delay.Token*5/8), func() {
				if n.side == side && !w.majority(n) {
					n.alone()
				}
			})
		}
	}
	if l := w.leader; l != nil {
		if l.Daemon && l.Alive && w.majority(l) {
			w.after(w.vary(w.delay.Token), func() { w.tellMembers(l) })
			w.after(w.delay.Link, func() { w.tellMembers(l) })
			return
		}
		w.leader = nil
		if l.Daemon && l.Alive {
			w.step(l, controller.Follow{})
		}
		w.after(w.vary(w.delay.Election), w.elect)
	}
}

// elect makes the first node that has a majority the leader.
func (w *World) elect() {
	if w.leader != nil {
		return
	}
	for _, n := range w.nodes {
		if n.Alive && n.Daemon && !n.leaving && w.majority(n) {
			w.lead(n)
			return
		}
	}
	w.after(w.delay.Election/4, w.elect)
}

// lead begins a term of a node: it asks all that it reaches what they are doing, and binds them to its term.
func (w *World) lead(n *Node) {
	w.leader = n
	w.term++
	w.trace("%s leads, term %d", n.Name, w.term)
	for _, o := range w.nodes {
		o.open = false
	}
	n.ctl, n.told = controller.New(controller.Config{Name: n.Name}), controller.Members{}
	w.step(n, controller.Lead{Term: w.term, State: w.State})
	w.tellMembers(n)
	for _, o := range w.nodes {
		o.report()
	}
}

// tellMembers tells the leader whom it hears.
func (w *World) tellMembers(l *Node) {
	if l == nil || w.leader != l || !l.Alive || !l.Daemon {
		return
	}
	m := controller.Members{Quorate: w.majority(l), Why: "majority"}
	for _, n := range w.nodes {
		h := controller.Heard{ID: n.ID, Name: n.Name, LastHeard: n.heard}
		if w.reach(l, n) && n.Daemon {
			n.heard = w.Now
			if !n.open {
				n.open = true
				n.bind(cib.Epoch{Term: w.term})
				w.step(l, controller.Ledger{Answered: []string{n.Name}, InFlight: n.inFlight(), Unacked: slices.Clone(n.unacked)})
			}
			n.lastBoot, n.lastReady = n.boot(), !n.leaving
			h.LastHeard, h.BootID, h.Ready = w.Now, n.boot(), !n.leaving
		} else {
			h.Lost = w.Now.Sub(n.heard) >= w.delay.Token
			n.open = n.open && !h.Lost
			if !h.Lost {
				h.BootID, h.Ready = n.lastBoot, n.lastReady
				w.after(n.heard.Add(w.delay.Token).Sub(w.Now), func() { w.tellMembers(l) })
			}
		}
		m.Heard = append(m.Heard, h)
	}
	if same(l.told, m) {
		return
	}
	l.told = m
	w.step(l, m)
}

// same reports whether there is nothing new in what is said of members.
func same(a, b controller.Members) bool {
	if len(a.Heard) != len(b.Heard) || a.Quorate != b.Quorate {
		return false
	}
	for i := range a.Heard {
		x, y := a.Heard[i], b.Heard[i]
		x.LastHeard = y.LastHeard
		if x != y {
			return false
		}
	}
	return true
}

// step gives the leader's controller an event and carries out what it asks for.
func (w *World) step(l *Node, ev controller.Event) {
	w.traceEvent(l, ev)
	for _, e := range l.ctl.Step(w.Now, ev) {
		w.traceEffect(l, e)
		w.perform(l, e)
	}
}

func (w *World) perform(l *Node, e controller.Effect) {
	switch e := e.(type) {
	case controller.Propose:
		w.propose(l, e.Command)
	case controller.Dispatch:
		w.checkOrder(e.Op)
		w.order(l, e.Op)
	case controller.Fence:
		w.beginFence(l, e.Request)
	case controller.CancelFence:
		w.cancelFence(e.ID)
	case controller.Wake:
		l.wake = e.At
		if !e.At.IsZero() {
			w.after(max(0, e.At.Sub(w.Now)), func() {
				if w.leader == l && l.wake.Equal(e.At) {
					w.step(l, controller.Tick{})
				}
			})
		}
	case controller.Ack:
		n := w.Node(e.Node)
		w.after(w.vary(w.delay.Link), func() {
			if w.reach(l, n) && !w.mishap() {
				n.acknowledged(e.Serial)
			}
		})
	case controller.Keep:
		w.Last = e.Transition
		w.checkNothingLeft(&e.Transition)
	}
}

// order sends an operation to its node.
func (w *World) order(l *Node, op cib.Operation) {
	n := w.Node(op.Node)
	w.after(w.vary(w.delay.Link), func() {
		if w.reach(l, n) && n.Daemon {
			n.receive(op)
			if !w.mishap() { // the answer is lost
				return
			}
		}
		w.after(w.delay.Token/4, func() {
			if w.leader == l {
				w.step(l, controller.Undelivered{Op: op, Err: n.Name + " cannot be reached"})
			}
		})
	})
}

// Plan is what the scheduler makes of the state as it is.
func (w *World) Plan() *scheduler.Plan {
	return scheduler.Schedule(w.State.CIB, scheduler.Options{Now: w.Now})
}
