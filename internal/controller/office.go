package controller

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Office is one term of a leader, up to the moment when it may decide: whether the barrier of the term has held, who
// has opened its ledger, and when enough is known of everybody to tell the Controller who is there. Like the
// Controller it performs nothing; it is used by one goroutine at a time.
type Office struct {
	Term uint64

	begun        bool
	open, asking map[string]bool // by name of a member: its ledger
	patience     time.Time       // until then a member that is heard and opens no ledger is waited for
	complete     bool            // it has been known once of everybody whether they are there
	told         Members         // what the Controller was told last
}

// OfficePatience is how long a new leader waits for ledgers before it plans without those that stay closed.
const OfficePatience = 15 * time.Second

// NewOffice is the office of a term whose barrier has not held yet.
func NewOffice(term uint64) *Office {
	return &Office{Term: term, open: map[string]bool{}, asking: map[string]bool{}}
}

// Begin says that all that earlier leaders had committed is known here: the barrier of the term has held.
func (o *Office) Begin(now time.Time) { o.begun, o.patience = true, now.Add(OfficePatience) }

// Begun reports whether Begin has been said.
func (o *Office) Begun() bool { return o.begun }

// Members takes who is heard, and whether that is a quorum. It names those that are now to be asked for their ledgers,
// and says what the Controller is to be told: nil when that is nothing, or nothing new. Of every node that was up, it must
// have been heard, with its ledger open, or be lost. A member that is heard and does not open its ledger holds the others up for
// OfficePatience only; it gets no orders that would not be safe, since it takes none without having seen the new term.
func (o *Office) Members(m Members, s cib.State, now time.Time) (ask []string, tell *Members) {
	if !o.begun {
		return nil, nil
	}
	m.Heard = slices.Clone(m.Heard)
	for i := range m.Heard {
		h := &m.Heard[i]
		if h.Lost {
			delete(o.open, h.Name) // it may act unheard: when it is back it must tell anew
		}
		if h.Ready && !h.Lost && !o.open[h.Name] {
			if !o.asking[h.Name] {
				o.asking[h.Name] = true
				ask = append(ask, h.Name)
			}
			h.Ready = false
		}
	}
	if !o.complete && !complete(m.Heard, s) && now.Before(o.patience) {
		return ask, nil
	}
	o.complete = true
	if sameMembers(m, o.told) {
		return ask, nil
	}
	o.told = m
	return ask, &m
}

// Asked says how the question for a member's ledger went: an open ledger takes no order of an earlier term any more. Whoever has
// not opened it is named by Members again.
func (o *Office) Asked(node string, open bool) { o.open[node], o.asking[node] = open, false }

// complete reports whether of every node that was up it is known what has become of it, and of every one that is
// heard and was never written down what it runs: a plan would take it for unseen, and have it fenced.
func complete(heard []Heard, s cib.State) bool {
	for _, h := range heard {
		if !h.Lost && !h.Ready && s.CIB.NodeState(h.ID) == nil && s.Cluster.Member(h.Name) != nil {
			return false
		}
	}
	for _, n := range s.CIB.Status.Nodes {
		if n.InCCM != "true" || s.Cluster.Member(n.Name) == nil {
			continue
		}
		i := slices.IndexFunc(heard, func(h Heard) bool { return h.ID == n.ID })
		if i < 0 || !heard[i].Lost && !heard[i].Ready {
			return false
		}
	}
	return true
}

// sameMembers reports whether there is nothing new in a: when somebody was heard last is none.
func sameMembers(a, b Members) bool {
	return a.Quorate == b.Quorate && a.Why == b.Why && slices.EqualFunc(a.Heard, b.Heard, func(x, y Heard) bool {
		x.LastHeard, y.LastHeard = time.Time{}, time.Time{}
		return x == y
	})
}

// LedgerOf is what a node's ledger tells a new leader: what is done and may not be known yet counts as in flight too, so
// that nothing is planned that does not know of it.
func LedgerOf(node string, inFlight []cib.Operation, unacked []cib.OpResult) Ledger {
	l := Ledger{Answered: []string{node}, InFlight: slices.Clone(inFlight), Unacked: unacked}
	for _, r := range unacked {
		l.InFlight = append(l.InFlight, r.Op)
	}
	return l
}
