package replay

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/membership"
)

// daemon is one run of a node's daemon: what is lost when it ends.
type daemon struct {
	log
	n       *Node
	run     string
	ctl     *controller.Controller
	members *membership.Membership
	turn    int // of membership, that is due
	poked   bool

	queue  []controller.Event
	busy   bool // the loop waits for a majority to confirm that we lead
	pumped bool
	wake   time.Time

	office    *office
	waiting   []waiting
	verifying []*verification
	snapping  *entry
	told      []told // results that are committed, and not in our own state yet
	hands     hands
	lone      lone
	fencings  map[string]*fencing

	up      bool // orders are taken
	led     bool // there was a leader since
	leaving bool
}

// told are results that a leader has committed, as of an index.
type told struct {
	gen, index uint64
	results    []cib.OpResult
}

func (n *Node) startDaemon() {
	n.starts++
	d := &daemon{n: n, run: n.Name + "-run" + strconv.Itoa(n.starts), fencings: map[string]*fencing{}}
	n.d = d
	n.readSnapshot()
	n.joinLog()
	d.ctl = controller.New(controller.Config{Name: n.Name, Schedule: n.w.cfg.Plant.Schedule})
	d.members = membership.New(membership.Config{
		ID: n.ID, Name: n.Name, BootID: n.boot(), Run: d.run,
		State: n.view, Position: n.position, Voters: n.voterNames, Ready: func() bool { return d.up && !d.leaving }, Left: func() bool { return n.left == n.boot() },
		Send: func(to string, msg []byte) {
			o := n.w.Node(to)
			n.send(o, func() { o.d.members.Receive(n.Name, msg); o.poke() })
		},
		Changed: func(membership.View) { n.membersChanged(); n.leaveAlone() }, Perform: n.performLone, Memory: n.memory(),
		Remember: func(membership.Memory) {}, Now: n.now,
	})
	n.resumeHands()
	n.poke()
	n.comeBack()
}

// memory is what the counting of votes remembers of this boot.
func (n *Node) memory() membership.Memory {
	if n.ledger.votes == nil {
		return membership.Memory{}
	}
	return *n.ledger.votes
}

func (n *Node) endDaemon() {
	if n.d == nil {
		return
	}
	n.tearSnapshot()
	for id := range n.d.fencings {
		n.cancelFence(id)
	}
	n.d = nil
}

func (n *Node) position() membership.Position {
	p := membership.Position{Term: n.disk.term, LastTerm: n.d.tip.term, LastIndex: n.d.tip.index, Generation: n.disk.gen}
	if n.d.leader != nil {
		p.Leader = n.d.leader.Name
	}
	return p
}

func (n *Node) voterNames() []string {
	var names []string
	for _, o := range n.d.tip.voters {
		names = append(names, o.Name)
	}
	return names
}

// poke has membership look at what is new, at once.
func (n *Node) poke() {
	d := n.d
	if d == nil || d.poked || d.members == nil {
		return
	}
	d.poked = true
	n.afterReal(0, n.takeTurn)
}

// takeTurn is one round of membership, and the time of the next.
func (n *Node) takeTurn() {
	d := n.d
	d.poked = false
	d.turn++
	turn := d.turn
	next := d.members.Turn()
	if m, ok := d.members.Kept(); ok {
		n.ledger.votes = &m
	}
	n.after(next, func() {
		if d.turn == turn && !d.poked {
			n.takeTurn()
		}
	})
}

// mayAct reports whether the node's lease holds.
func (n *Node) mayAct() bool { return n.d.members.Lease().Held(n.now()) }

// applied is what the controller is told of a commit.
func applied(e *entry) controller.Event { return controller.Applied{State: e.state, Command: *e.cmd} }

// put gives the controller an event, in order, one at a time.
func (d *daemon) put(ev controller.Event) {
	d.queue = append(d.queue, ev)
	if !d.pumped {
		d.pumped = true
		d.n.afterReal(0, d.pump)
	}
}

func (d *daemon) pump() {
	d.pumped = false
	for !d.busy && len(d.queue) > 0 && d.n.w.Breach == nil {
		ev := d.queue[0]
		d.queue = d.queue[1:]
		d.n.traceEvent(ev)
		decided := d.n.w.Now
		effects := d.ctl.Step(d.n.now(), ev)
		d.n.traceEffects(effects)
		for _, e := range effects {
			if w, ok := e.(controller.Wake); ok {
				d.setWake(w.At)
			}
		}
		if d.office == nil || !acts(effects) {
			d.n.perform(effects, false, decided)
			continue
		}
		d.busy = true
		d.n.verify(func(confirmed bool) {
			d.busy = false
			d.n.perform(effects, confirmed, decided)
			d.pump()
		})
	}
}

func (d *daemon) setWake(at time.Time) {
	d.wake = at
	if at.IsZero() {
		return
	}
	d.n.after(at.Sub(d.n.now()), func() {
		switch {
		case !d.wake.Equal(at):
		case d.n.now().Before(at): // the clock goes slower than it did
			d.setWake(at)
		default:
			d.put(controller.Tick{})
		}
	})
}

// acts reports whether an effect can start something or fence somebody.
func acts(effects []controller.Effect) bool {
	for _, e := range effects {
		switch e.(type) {
		case controller.Dispatch, controller.Fence:
			return true
		}
	}
	return false
}

// perform carries out what the controller wants, after a majority has confirmed that we lead where that is needed.
func (n *Node) perform(effects []controller.Effect, confirmed bool, decided time.Time) {
	w, o := n.w, n.d.office
	for _, e := range effects {
		switch e := e.(type) {
		case controller.Propose:
			n.propose(e.Command, func(x *entry) {
				if x.err != nil {
					w.trace("%s: refused: %v", n.Name, x.err)
					n.d.put(controller.Refused{Command: e.Command, Err: x.err.Error()})
				}
			})
		case controller.Dispatch:
			if o == nil || !confirmed {
				w.count("stale leader")
				n.d.put(controller.Undelivered{Op: e.Op, Err: "no majority confirms that this node leads"})
				continue
			}
			w.checkOrder(n, decided, e.Op)
			n.order(o, e.Op)
		case controller.Fence:
			if o == nil || !confirmed {
				w.count("stale leader")
				n.d.put(controller.Fenced{Record: cib.FenceRecord{FenceRequest: e.Request, State: cib.FenceFailed,
					Error: "not tried", Requested: n.now(), Completed: n.now()}})
				continue
			}
			w.checkFence(n, decided, e.Request.Target)
			w.checkCause(n, e.Request.Target)
			n.fence(e.Request, func(r cib.FenceRecord) {
				if n.d.office == o {
					n.d.put(controller.Fenced{Record: r})
				}
			})
		case controller.CancelFence:
			n.cancelFence(e.ID)
		case controller.Ack:
			if o != nil {
				o.acknowledge(e.Node, e.Serial)
			}
		case controller.Keep:
			w.Last, w.unfinished = e.Transition, len(e.Transition.Plan.Graph.Actions) > 0
			w.checkPlan(&e.Transition)
		case controller.Ended:
			w.unfinished = w.unfinished && e.Outcome != "complete"
		}
	}
}

// ask has a command committed through whoever leads, as this node knows.
func (n *Node) ask(cmd cib.Command, told func(committed bool)) {
	l := n.d.leader
	if l == nil {
		told(false)
		return
	}
	n.call(l, 2*time.Second, func(answer func(func())) {
		l.propose(cmd, func(e *entry) {
			n.w.acknowledged(l, e)
			answer(func() { told(e.err == nil) })
		})
	}, func() { told(false) })
}

func number[T ~uint64 | ~int](x T) string { return fmt.Sprint(x) }
