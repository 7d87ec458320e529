package membership

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// View is what a node sees at a time.
type View struct {
	At      time.Time
	Leader  string // name; empty: there is none
	Leads   bool   // we are the leader
	Open    bool   // there is no leader that can be heard: what is seen is what we hear ourselves
	Seen    []Seen // the members that something can be said of, by id; while another leads only the two of us
	Verdict Verdict
	Lease   Lease

	// Waiting says what a partition without a leader waits for, and what would release it; empty: nothing.
	Waiting string
}

// Seen is what is known of one member.
type Seen struct {
	ID, Name, BootID, Run string
	Lost                  bool // silent for longer than the token
	LastHeard             time.Time
	Ready                 bool
	Speaks                cib.Vocabulary // of commands, the newest that it knows
}

// Lease is the right to act.
type Lease struct {
	Until time.Time // it may have passed
	Ever  bool      // there was one since the daemon has started
}

// Held reports whether the lease holds.
func (l Lease) Held(now time.Time) bool { return now.Before(l.Until) }

// differs reports whether there is news in v.
func (v *View) differs(old *View) bool {
	return v.Leader != old.Leader || v.Open != old.Open || v.Verdict.Quorate != old.Verdict.Quorate || v.Verdict.Why != old.Verdict.Why ||
		v.Waiting != old.Waiting || !slices.EqualFunc(v.Seen, old.Seen, func(a, b Seen) bool {
		return a.ID == b.ID && a.BootID == b.BootID && a.Run == b.Run && a.Lost == b.Lost && a.Ready == b.Ready && a.Speaks == b.Speaks
	})
}

// seen lists the members that something can be said of.
func (d *detector) seen(now time.Time) []Seen {
	var list []Seen
	for _, m := range d.members {
		if m.ID == d.self.id {
			list = append(list, Seen{m.ID, m.Name, d.self.boot, d.self.run, false, now, d.ready, d.self.speaks})
			continue
		}
		p := d.peers[m.ID]
		if !p.expected || !p.lost && !(p.ever && d.fresh(p)) {
			continue
		}
		list = append(list, Seen{p.id, p.name, p.beat.Boot, p.beat.Run, p.lost, p.heard, p.beat.Ready && !p.lost, max(p.beat.Speaks, 1)})
	}
	slices.SortFunc(list, func(a, b Seen) int { return compareIDs(a.ID, b.ID) })
	return list
}
