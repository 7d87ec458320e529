package membership

import (
	"slices"
	"sort"
	"time"
)

// lease is until when this node may act: as long as the leader has answered, or as those that answer have quorum
// with us, counted from when what they have answered was sent.
func (d *detector) lease(now time.Time, quorate func(heard []string) bool) time.Time {
	var until time.Time
	for _, p := range d.peers {
		until = later(until, p.granted)
	}
	if d.mode == leading { // what another leader has given is the other's
		until = time.Time{}
	}
	heard := []string{d.self.id}
	if quorate(heard) {
		return later(until, now.Add(d.timing.lease))
	}
	var answered []*peer
	for _, m := range d.members {
		if p := d.peers[m.ID]; p != nil && now.Sub(p.acked) < d.timing.lease {
			answered = append(answered, p)
		}
	}
	slices.SortStableFunc(answered, func(a, b *peer) int { return b.acked.Compare(a.acked) })
	for _, p := range answered {
		heard = append(heard, p.id)
	}
	if len(answered) == 0 || !quorate(heard) {
		return until
	}
	n := sort.Search(len(answered)-1, func(n int) bool { return quorate(heard[:n+2]) }) // who comes earlier counts for more
	return later(until, answered[n].acked.Add(d.timing.lease))
}
