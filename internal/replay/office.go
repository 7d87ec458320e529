package replay

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// office is a node's time as the leader: one term. What it decides is the controller's Office, as in the daemon.
type office struct {
	*controller.Office
	acks []*ack
}

const (
	ledgerPatience = 2 * time.Second
	orderPatience  = 5 * time.Second
	ackPatience    = 2 * time.Second
	barrierAgain   = 100 * time.Millisecond
)

// lead takes an office: once the barrier of the term is committed.
func (n *Node) lead(barrier *entry) {
	o := &office{Office: controller.NewOffice(n.disk.term)}
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
		o.Begin(n.now())
		n.d.put(controller.Lead{Term: o.Term, State: n.view()})
		n.poke()
		n.membersChanged()
		n.after(controller.OfficePatience, n.membersChanged)
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
	if o == nil || !o.Begun() || n.d.members == nil {
		return
	}
	v := n.d.members.View()
	if !v.Leads {
		return
	}
	now := controller.Members{Quorate: v.Verdict.Quorate, Why: v.Verdict.Why}
	for _, s := range v.Seen {
		now.Heard = append(now.Heard, controller.Heard{ID: s.ID, Name: s.Name, BootID: s.BootID, Run: s.Run, Lost: s.Lost, LastHeard: s.LastHeard, Ready: s.Ready})
	}
	ask, tell := o.Members(now, n.view(), n.now())
	for _, name := range ask {
		n.askLedger(o, n.w.Node(name))
	}
	if tell != nil {
		n.d.put(*tell)
	}
}

// askLedger has a member open its ledger: from then on it takes no order of an earlier term.
func (n *Node) askLedger(o *office, other *Node) {
	done := func(ok bool) {
		if n.d.office == o {
			o.Asked(other.Name, ok)
			n.membersChanged()
		}
	}
	n.call(other, ledgerPatience, func(answer func(func())) {
		l, ok := other.openLedger(cib.Epoch{Term: o.Term})
		answer(func() {
			if n.d.office != o {
				return
			}
			if !ok {
				n.after(ledgerPatience/10, func() { done(false) })
				return
			}
			n.d.put(controller.LedgerOf(other.Name, l.InFlight, l.Unacked))
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
	if o == nil || !o.Begun() {
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
