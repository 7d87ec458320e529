package membership

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Position is where this node's copy of the log is.
type Position struct {
	Leader     string // name; empty: none is known
	Term       uint64
	LastTerm   uint64
	LastIndex  uint64
	Generation uint64
}

// mode is how a node listens.
type mode uint8

const (
	following mode = iota // the leader is there: heartbeats go to it, and it alone is listened to
	leading               // everybody's heartbeats come to us
	open                  // there is no leader, or it is silent: everybody sends to everybody
)

// detector is what one node hears, and what follows from it. It is pure: every method is told the time.
type detector struct {
	self     identity
	timing   timing
	members  []cib.Member
	peers    map[string]*peer // by id, all but ourselves
	mode     mode
	position Position
	ready    bool

	last     time.Time
	attended time.Duration // how long we were there to listen: time that we slept through does not count
	woke     time.Duration // when we were last away, as attended

	took    time.Duration   // since when we lead, as attended
	floor   time.Duration   // while we lead: until then leases may hold that another leader has given, as attended
	reports map[string]bool // ids of those that have told us since then whom they have heard

	seq  uint64
	sent [1024]sending // the last ones, by seq: with 128 nodes a leader sends as many within a token
}

type identity struct {
	id, name, boot, run string
	speaks              cib.Vocabulary
}

type sending struct {
	seq uint64
	at  time.Time
}

type timing struct{ heartbeat, lease, token time.Duration }

// timingOf is the cluster's timing as durations.
func timingOf(t cib.Timing) timing {
	t = t.WithDefaults()
	return timing{time.Duration(t.HeartbeatMS) * time.Millisecond, time.Duration(t.LeaseMS) * time.Millisecond,
		time.Duration(t.TokenMS) * time.Millisecond}
}

// next is when heartbeats are due after those of a time: at the same moments everywhere, as far as the clocks agree, so
// that who hears many of them, and has other things to do then, is woken once.
func (t timing) next(sent time.Time) time.Time {
	at := sent.Add(t.heartbeat)
	late := time.Duration(at.UnixNano() % int64(t.heartbeat))
	if late > t.heartbeat*9/10 { // by very little too early
		return at.Add(t.heartbeat - late)
	}
	return at.Add(-late)
}

// peer is what is known of another member.
type peer struct {
	id, name string
	beat     Beat      // the newest
	before   string    // the run before this one: its stragglers do not count
	ever     bool      // heard at all
	heard    time.Time // when it was heard last
	heardAt  time.Duration
	toldAt   time.Duration // when it was last heard by somebody who told us
	since    time.Duration // from when on it should have been sending to us, as attended
	expected bool          // it should be sending to us
	lost     bool

	acked   time.Time     // when we sent the newest beat that it has answered
	granted time.Time     // until when its answers, while it led, have given us a lease
	ledAt   time.Duration // when it was last heard to lead, as attended; 0: never
	replied time.Time
}

func newDetector(self identity, now time.Time) *detector {
	return &detector{self: self, peers: make(map[string]*peer), last: now, mode: open}
}

// attend lets time pass. However long we were away, it counts as little more than a heartbeat.
func (d *detector) attend(now time.Time) {
	gap := now.Sub(d.last)
	d.last = now
	if gap > 0 {
		d.attended += min(gap, d.timing.heartbeat*3/2)
	}
	if gap > d.timing.heartbeat*2 {
		d.woke = d.attended
	}
}

// update takes over who belongs to the cluster, and where the log is.
func (d *detector) update(c *cib.Cluster, p Position, ready bool) {
	d.timing, d.members, d.position, d.ready = timingOf(c.Timing), c.Members, p, ready
	for _, m := range c.Members {
		if m.ID == d.self.id {
			continue
		}
		if have := d.peers[m.ID]; have == nil || have.name != m.Name {
			d.peers[m.ID] = &peer{id: m.ID, name: m.Name}
		}
	}
	for id := range d.peers {
		if !slices.ContainsFunc(c.Members, func(m cib.Member) bool { return m.ID == id }) {
			delete(d.peers, id)
		}
	}
	d.listen()
}

// listen decides how we listen, and from whom on something is to be heard from now on.
func (d *detector) listen() {
	was := d.mode
	d.mode = following
	leader := d.leader()
	switch {
	case d.position.Leader == d.self.name:
		d.mode = leading
	case leader == nil || leader.expected && d.silence(leader) >= d.suspicion():
		d.mode = open
	}
	if d.mode == leading && was != leading {
		d.takeOver()
	}
	for _, p := range d.peers {
		expected := d.mode != following || p == leader
		if expected && !p.expected {
			p.since = d.attended
		}
		p.expected = expected
	}
}

// takeOver begins to judge as a leader, who has to reckon with what those that follow now have heard and given.
func (d *detector) takeOver() {
	d.took, d.floor, d.reports = d.attended, 0, make(map[string]bool)
	for _, p := range d.peers {
		p.lost = false
		if p.ledAt > 0 {
			d.floor = max(d.floor, p.ledAt+d.timing.lease)
		}
	}
}

// suspicion is after how long without an answer we ask the others too: so early that they have answered before
// the lease ends that the leader has given.
func (d *detector) suspicion() time.Duration { return d.timing.heartbeat * 2 }

// leader is the peer that leads, nil if none does or we do.
func (d *detector) leader() *peer {
	for _, p := range d.peers {
		if p.name == d.position.Leader {
			return p
		}
	}
	return nil
}

// silence is for how long nothing was heard of a peer that should have been heard, by us or by those who tell us.
func (d *detector) silence(p *peer) time.Duration {
	return d.attended - max(p.heardAt, p.toldAt, p.since)
}

// Sign is what a heartbeat tells of who leads the log that is ours.
type Sign struct {
	From    string
	Term    uint64
	Leads   bool      // the sender takes itself for the leader of that term
	Follows bool      // it takes us for it,
	Since   time.Time // and has heard what we sent at that time
}

// hear takes a heartbeat. It reports whether it is to be answered at once, and what it tells of the log.
func (d *detector) hear(b Beat, now time.Time) (answer bool, sign Sign) {
	p := d.peers[b.ID]
	if p == nil || p.name != b.Name || b.Run == p.before || b.Run == p.beat.Run && b.Seq <= p.beat.Seq {
		return false, sign
	}
	if b.Run != p.beat.Run {
		p.before = p.beat.Run
	}
	if b.Leads {
		p.ledAt = d.attended
	}
	p.beat, p.ever, p.heard, p.heardAt, p.lost = b, true, now, d.attended, false
	ours := b.Generation == d.position.Generation && b.Term == d.position.Term
	if ours && d.mode != leading && b.Leader == b.Name {
		sign = Sign{From: b.Name, Term: b.Term, Leads: true}
	}
	if s := d.sent[b.Ack%uint64(len(d.sent))]; b.AckRun == d.self.run && s.seq == b.Ack && b.Ack > 0 {
		// An answer counts for one leader, or for those that have none: so no two sides count the same one.
		if d.mode == leading && b.Leader == d.self.name || d.mode != leading && b.Open {
			p.acked = later(p.acked, s.at)
			if ours && d.mode == leading {
				sign = Sign{From: b.Name, Term: b.Term, Follows: true, Since: s.at}
			}
		}
		if b.Leads && d.mode != leading && b.Generation == d.position.Generation && b.Term >= d.position.Term {
			p.granted = later(p.granted, s.at.Add(min(d.timing.lease, time.Duration(b.Lease)*time.Millisecond)))
		}
	}
	for id, age := range b.Heard {
		if other := d.peers[id]; other != nil && age >= 0 && age < d.timing.token.Milliseconds() {
			other.toldAt = max(other.toldAt, d.attended-time.Duration(age)*time.Millisecond)
		}
	}
	if d.mode == leading && b.Leader == d.self.name {
		d.reports[b.ID] = true
		if b.Led >= 0 && b.Led < d.timing.lease.Milliseconds() {
			d.floor = max(d.floor, d.attended+d.timing.lease-time.Duration(b.Led)*time.Millisecond)
		}
	}
	if d.mode != leading || b.Leads || now.Sub(p.replied) < d.timing.heartbeat/2 {
		return false, sign
	}
	p.replied = now
	return true, sign
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// judge finds out who is lost. It returns when to look again at the latest. A new leader first hears from a
// quorum whom they have heard, and since when there is no other leader for them: any lease was given by one of
// them. Without their word it waits for as long as a lease may last.
func (d *detector) judge(quorate func(ids []string) bool) (next time.Duration) {
	next = d.timing.heartbeat
	if p := d.leader(); p != nil && d.mode == following {
		next = min(next, d.suspicion()-d.silence(p))
	}
	if d.mode == leading && d.attended-d.took < d.timing.lease {
		told := []string{d.self.id}
		for _, m := range d.members {
			if d.reports[m.ID] {
				told = append(told, m.ID)
			}
		}
		if !quorate(told) {
			return max(next, time.Millisecond)
		}
	}
	if left := d.floor - d.attended; d.mode == leading && left > 0 {
		return max(min(next, left), time.Millisecond)
	}
	for _, p := range d.peers {
		if !p.expected || p.lost {
			continue
		}
		if left := d.timing.lease - (d.attended - p.heardAt); left > 0 { // not near any more
			next = min(next, left)
		}
		if left := d.timing.token - d.silence(p); left > 0 {
			next = min(next, left)
		} else {
			p.lost = true
		}
	}
	return max(next, time.Millisecond)
}

// forgive gives everybody who is not heard the time of a token anew.
func (d *detector) forgive() {
	for _, p := range d.peers {
		if p.lost || !d.fresh(p) {
			p.since, p.lost = d.attended, false
		}
	}
}

// targets are the peers that a heartbeat is due for.
func (d *detector) targets(now time.Time) []*peer {
	var list []*peer
	for _, m := range d.members { // in order
		p := d.peers[m.ID]
		if p == nil {
			continue
		}
		switch d.mode {
		case open:
		case leading:
			if now.Sub(p.replied) < d.timing.heartbeat*3/2 {
				continue
			}
		default:
			if p.name != d.position.Leader {
				continue
			}
		}
		list = append(list, p)
	}
	return list
}

// beat makes a heartbeat; that for each peer differs in what it answers.
func (d *detector) beat(now time.Time, quorate, leads bool) Beat {
	d.seq++
	d.sent[d.seq%uint64(len(d.sent))] = sending{d.seq, now}
	return Beat{ID: d.self.id, Name: d.self.name, Boot: d.self.boot, Run: d.self.run, Seq: d.seq, Ready: d.ready, Speaks: d.self.speaks,
		Leader: d.position.Leader, Term: d.position.Term, LastTerm: d.position.LastTerm, LastIndex: d.position.LastIndex,
		Generation: d.position.Generation, Open: d.mode == open && d.leaderless(), Heard: d.ages(), Quorate: quorate, Leads: leads}
}

// leaderless reports whether no leader was heard for as long as a lease lasts, so that none holds any more to which
// we have helped.
func (d *detector) leaderless() bool {
	for _, p := range d.peers {
		if p.ledAt > 0 && d.attended-p.ledAt < d.timing.lease {
			return false
		}
	}
	return true
}

// near are the ids of those that were heard as lately as a lease lasts, ourselves too.
func (d *detector) near() []string {
	list := []string{d.self.id}
	for _, m := range d.members {
		if p := d.peers[m.ID]; p != nil && p.ever && d.attended-p.heardAt < d.timing.lease {
			list = append(list, p.id)
		}
	}
	return list
}

// ages are how long ago we have heard the others; a leader's would tell nobody anything.
func (d *detector) ages() map[string]int64 {
	if d.mode == leading {
		return nil
	}
	ages := make(map[string]int64)
	for id, p := range d.peers {
		if p.ever && d.fresh(p) {
			ages[id] = (d.attended - p.heardAt).Milliseconds()
		}
	}
	return ages
}

// to is the beat for a peer.
func (d *detector) to(b Beat, p *peer) Beat {
	b.AckRun, b.Ack, b.Led = p.beat.Run, p.beat.Seq, -1
	for _, other := range d.peers {
		if ago := d.attended - other.ledAt; other != p && other.ledAt > 0 && ago < d.timing.token && (b.Led < 0 || ago.Milliseconds() < b.Led) {
			b.Led = ago.Milliseconds()
		}
	}
	return b
}

// present are the ids of those that are there, ourselves first; doubt are those among them of which nothing was
// heard yet, and no time to be heard has passed: the benefit of it is given to members that were up.
func (d *detector) present(up func(id string) bool) (heard, doubt []string) {
	heard = append(heard, d.self.id)
	for _, m := range d.members {
		p := d.peers[m.ID]
		switch {
		case p == nil || p.lost:
		case p.ever && d.fresh(p):
			heard = append(heard, p.id)
		case d.mode == leading && up(p.id):
			heard, doubt = append(heard, p.id), append(doubt, p.id)
		}
	}
	return heard, doubt
}

// beyond are those that have gone on with a later log than ours: that they are there makes our log no whole one.
func (d *detector) beyond() (ids []string) {
	for _, m := range d.members {
		if p := d.peers[m.ID]; p != nil && p.ever && p.beat.Generation > d.position.Generation {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// fresh reports whether a peer was heard since it should be, or not longer ago than the token.
func (d *detector) fresh(p *peer) bool { return d.attended-p.heardAt <= d.timing.token }

// awake reports whether we were there long enough to have been answered.
func (d *detector) awake() bool { return d.attended-d.woke >= 3*d.timing.heartbeat }

// settled reports whether of each peer it is known whether it is there.
func (d *detector) settled() bool {
	for _, p := range d.peers {
		if !p.lost && !(p.ever && d.fresh(p)) {
			return false
		}
	}
	return true
}
