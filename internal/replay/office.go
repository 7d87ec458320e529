package replay

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// office is a node's time as the leader: one term. It is what internal/daemon does in lead.go and members.go.
type office struct {
	term         uint64
	begun        bool
	open, asking map[*Node]bool
	patience     time.Time
	complete     bool
	told         controller.Members
	acks         []*ack
}

const (
	ledgerPatience = 2 * time.Second
	officePatience = 15 * time.Second
	orderPatience  = 5 * time.Second
	ackPatience    = 2 * time.Second
	barrierAgain   = 100 * time.Millisecond
)

// lead takes an office: once the barrier of the term is committed.
func (n *Node) lead(barrier *entry) {
	o := &office{term: n.disk.term, open: map[*Node]bool{}, asking: map[*Node]bool{}}
	n.d.office = o
	if n.w.offices++; n.w.offices > 1 {
		n.w.count("leader change")
	}
	if n.w.unfinished {
		n.w.count("leader change in mid-plan")
	}
	n.takeOffice(o, barrier)
	n.membersChanged()
}

func (n *Node) takeOffice(o *office, barrier *entry) {
	if n.w.chance(20) {
		n.w.count("barrier fails")
		if n.w.cfg.Plant.OneBarrier {
			return
		}
		n.after(barrierAgain, func() {
			if n.d.office == o {
				n.takeOffice(o, barrier)
			}
		})
		return
	}
	begin := func(*entry) {
		if n.d.office != o {
			return
		}
		o.begun, o.patience = true, n.now().Add(officePatience)
		n.d.put(controller.Lead{Term: o.term, State: n.view()})
		n.poke()
		n.membersChanged()
		n.after(officePatience, n.membersChanged)
	}
	if n.d.commit.index >= barrier.index {
		begin(barrier)
		return
	}
	n.d.waiting = append(n.d.waiting, waiting{barrier, begin})
}

// lose ends an office.
func (n *Node) lose() {
	if n.d.office != nil {
		n.d.office = nil
		n.d.put(controller.Follow{})
	}
}

// membersChanged tells the controller who is there, once that is known.
func (n *Node) membersChanged() {
	o := n.d.office
	if o == nil || !o.begun || n.d.members == nil {
		return
	}
	v := n.d.members.View()
	if !v.Leads {
		return
	}
	var heard []controller.Heard
	for _, s := range v.Seen {
		other := n.w.Node(s.Name)
		if s.Lost {
			delete(o.open, other)
		}
		if s.Ready && !s.Lost && !o.open[other] {
			n.askLedger(o, other)
			s.Ready = false
		}
		heard = append(heard, controller.Heard{ID: s.ID, Name: s.Name, BootID: s.BootID, Run: s.Run, Lost: s.Lost, LastHeard: s.LastHeard, Ready: s.Ready})
	}
	if !o.complete && !complete(heard, n.view()) && n.now().Before(o.patience) {
		return
	}
	o.complete = true
	ev := controller.Members{Heard: heard, Quorate: v.Verdict.Quorate, Why: v.Verdict.Why}
	if same(ev, o.told) {
		return
	}
	o.told = ev
	n.d.put(ev)
}

// complete reports whether of every node that was up it is known what has become of it, and of every one that is
// heard and was never written down what it runs: a plan would take it for unseen, and have it fenced.
func complete(heard []controller.Heard, s cib.State) bool {
	for _, h := range heard {
		if !h.Lost && !h.Ready && s.CIB.NodeState(h.ID) == nil && s.Cluster.Member(h.Name) != nil {
			return false
		}
	}
	for _, n := range s.CIB.Status.Nodes {
		if n.InCCM != "true" || s.Cluster.Member(n.Name) == nil {
			continue
		}
		i := slices.IndexFunc(heard, func(h controller.Heard) bool { return h.ID == n.ID })
		if i < 0 || !heard[i].Lost && !heard[i].Ready {
			return false
		}
	}
	return true
}

// same reports whether there is nothing new in what is said of members.
func same(a, b controller.Members) bool {
	return a.Quorate == b.Quorate && a.Why == b.Why && slices.EqualFunc(a.Heard, b.Heard, func(x, y controller.Heard) bool {
		x.LastHeard = y.LastHeard
		return x == y
	})
}

// askLedger has a member open its ledger: from then on it takes no order of an earlier term.
func (n *Node) askLedger(o *office, other *Node) {
	if o.asking[other] {
		return
	}
	o.asking[other] = true
	done := func(ok bool) {
		if n.d.office == o {
			o.open[other], o.asking[other] = ok, false
			n.membersChanged()
		}
	}
	n.call(other, ledgerPatience, func(answer func(func())) {
		l, ok := other.openLedger(cib.Epoch{Term: o.term})
		answer(func() {
			if n.d.office != o {
				return
			}
			if !ok {
				n.after(ledgerPatience/10, func() { done(false) })
				return
			}
			l.Answered = []string{other.Name}
			for _, r := range l.Unacked {
				l.InFlight = append(l.InFlight, r.Op)
			}
			n.d.put(l)
			done(true)
		})
	}, func() { n.after(ledgerPatience/10, func() { done(false) }) })
}

// order gives an operation to its node.
func (n *Node) order(o *office, op cib.Operation) {
	to := n.w.Node(op.Node)
	undelivered := func(why string, refused bool) {
		if n.d.office == o && !n.w.cfg.Plant.NeverAgain {
			n.d.put(controller.Undelivered{Op: op, Err: why, Refused: refused})
		}
	}
	n.call(to, orderPatience, func(answer func(func())) {
		to.receive(op, func(stale bool) {
			answer(func() {
				if stale {
					undelivered("a later epoch has been seen", true)
				}
			})
		})
	}, func() { undelivered(to.Name+" does not answer", false) })
}

// ack is a report that waits until what it tells is committed.
type ack struct {
	node    string
	serials map[uint64]bool
	then    func()
}

// takeReport takes results of a node, if this one leads; then is called when all of them are facts.
func (n *Node) takeReport(node string, results []cib.OpResult, then func()) bool {
	o := n.d.office
	if o == nil || !o.begun {
		return false
	}
	a := &ack{node, map[uint64]bool{}, then}
	for _, r := range results {
		a.serials[r.Serial] = true
	}
	o.acks = append(o.acks, a)
	n.d.put(controller.Reported{Results: results})
	return true
}

func (o *office) acknowledge(node string, serial uint64) {
	rest := o.acks[:0:0]
	for _, a := range o.acks {
		if a.node == node {
			delete(a.serials, serial)
		}
		if len(a.serials) == 0 {
			a.then()
			continue
		}
		rest = append(rest, a)
	}
	o.acks = rest
}
