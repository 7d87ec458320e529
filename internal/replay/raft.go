package replay

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// entry is one of a replicated log, with the state that it leads to. Logs are paths through a tree of entries:
// those of the same log share them.
type entry struct {
	parent *entry
	index  uint64
	term   uint64
	gen    uint64 // of the log
	cmd    *cib.Command
	err    error // why the command is refused
	state  cib.State
	voters []*Node
	by     uint64 // tells proposals apart; 0: nobody waits for it
}

// at is the entry of that index on the way to this one; nil: there is none.
func (e *entry) at(index uint64) *entry {
	for e != nil && e.index > index {
		e = e.parent
	}
	if e == nil || e.index != index {
		return nil
	}
	return e
}

// holds reports whether a log that ends here has an entry.
func (e *entry) holds(o *entry) bool { return e != nil && e.at(o.index) == o }

// newer reports whether a log that ends here may be given up for none that ends there.
func (e *entry) newer(o *entry) bool {
	return e.term > o.term || e.term == o.term && e.index > o.index
}

// disk is what survives a loss of power, but for what was on its way.
type disk struct {
	gen  uint64
	term uint64
	vote *Node
	tip  *entry // the log
	snap *entry // the state that a daemon begins with
	torn []byte // what is left of a snapshot that was being written
}

// standing is what a daemon is in its log.
type standing uint8

const (
	follows standing = iota
	canvasses
	leads
)

// log is a daemon's part in replicating the log, as raft does it.
type log struct {
	role    standing
	tip     *entry // with what is on its way to the disk
	commit  *entry
	leader  *Node                   // that we know of
	contact time.Duration           // when we last heard it, by our clock
	patient time.Duration           // so long
	match   map[*Node]*entry        // as leader: what others have on their disks
	acked   map[*Node]time.Duration // when what they have answered last was sent, by our clock
	kicked  bool
	round   int // of appends
}

// The log's times, as internal/store sets them.
const (
	raftBeat  = 100 * time.Millisecond
	raftLease = 400 * time.Millisecond
)

// electionTime is for how long a follower hears no leader before it wants to be one.
func (n *Node) electionTime() time.Duration {
	e := n.w.delay.Election
	if !n.w.cfg.Jitter {
		return e + e/4*time.Duration(n.number)
	}
	return e/2 + time.Duration(n.w.rng.Int64N(int64(e/2)))
}

func (n *Node) joinLog() {
	d := n.d
	d.tip, d.commit, d.contact = n.disk.tip, n.disk.snap, n.clock()
	d.match, d.acked = map[*Node]*entry{}, map[*Node]time.Duration{}
	d.patient = n.electionTime()
	n.watchLeader()
}

// watchLeader wants to lead when nobody else does.
func (n *Node) watchLeader() {
	d := n.d
	left := d.contact + d.patient - n.clock()
	if d.role == leads || left > 0 {
		n.after(max(left, 10*time.Millisecond), n.watchLeader)
		return
	}
	d.contact, d.patient = n.clock(), n.electionTime()
	n.after(d.patient, n.watchLeader)
	n.hearLeader(nil)
	if d.role = follows; !n.d.leaving && slices.Contains(d.tip.voters, n) {
		n.canvass(true)
	}
}

// canvass asks for votes; first only whether there would be any.
func (n *Node) canvass(pre bool) {
	d, gen := n.d, n.disk.gen
	ask := n.disk.term
	if pre {
		ask++
	}
	votes := map[*Node]bool{}
	count := func(o *Node) {
		votes[o] = true
		if d.role == leads || n.disk.gen != gen || 2*len(votes) <= len(d.tip.voters) {
			return
		}
		switch {
		case pre && n.disk.term+1 == ask:
			n.disk.term, n.disk.vote, d.role = ask, n, canvasses
			n.canvass(false)
		case !pre && n.disk.term == ask && d.role == canvasses:
			n.beginToLead()
		}
	}
	tip := d.tip
	for _, o := range tip.voters {
		if o == n {
			continue
		}
		n.send(o, func() {
			if !o.grants(n, gen, ask, tip, pre) {
				return
			}
			o.send(n, func() { count(o) })
		})
	}
	count(n)
}

// grants decides on a vote.
func (n *Node) grants(to *Node, gen, term uint64, tip *entry, pre bool) bool {
	d := n.d
	switch {
	case gen != n.disk.gen || term < n.disk.term || d.tip.newer(tip):
		return false
	case d.role == leads && term <= n.disk.term, d.leader != nil && d.leader != to && n.clock()-d.contact < n.w.delay.Election/2:
		return false // there is a leader
	case pre:
		return term > n.disk.term
	case term > n.disk.term:
		n.ceaseToLead("another term")
		n.disk.term, n.disk.vote = term, nil
	}
	if n.disk.vote != nil && n.disk.vote != to {
		return false
	}
	n.disk.vote = to
	d.contact = n.clock()
	return true
}

func (n *Node) hearLeader(l *Node) {
	if d := n.d; d.leader != l {
		d.leader = l
		if d.hands.queues != nil { // who waits for the answer of another one need not
			d.hands.reporting = false
			n.report()
		}
		n.poke()
	}
}

// beginToLead is what an election was for.
func (n *Node) beginToLead() {
	d := n.d
	d.role = leads
	d.match, d.acked = map[*Node]*entry{}, map[*Node]time.Duration{}
	for _, o := range d.tip.voters {
		d.acked[o] = n.clock() // they have just voted, or have the time of a lease to be heard
	}
	n.w.trace("%s leads, term %d", n.Name, n.disk.term)
	n.w.mark(n, "L leads")
	n.hearLeader(n)
	barrier := n.extend(nil, 0)
	n.beat()
	n.lead(barrier)
	n.keepVoters()
}

// ceaseToLead, if it did.
func (n *Node) ceaseToLead(why string) {
	d := n.d
	if d.role == leads {
		n.w.trace("%s leads no longer: %s", n.Name, why)
		n.w.mark(n, "| leads no longer")
		d.role, d.contact = follows, n.clock()
		n.hearLeader(nil)
		n.lose()
		return
	}
	d.role = follows
}

// extend adds an entry to the log that we lead.
func (n *Node) extend(cmd *cib.Command, by uint64) *entry {
	d, old := n.d, n.d.tip
	e := &entry{parent: old, index: old.index + 1, term: n.disk.term, gen: old.gen, cmd: cmd, state: old.state, voters: old.voters, by: by}
	if cmd != nil {
		if next, err := cib.Apply(old.state, *cmd); err != nil {
			e.err = err
		} else {
			e.state = next
		}
	}
	e.state.Index = e.index
	n.grow(e, func() {
		if len(e.voters) != len(old.voters) {
			n.w.watchMajorities()
		}
		n.advance()
		if d.kicked {
			return
		}
		d.kicked = true
		n.afterReal(0, func() {
			d.kicked = false
			if d.role == leads {
				n.appendAll()
			}
		})
	})
	return e
}

// grow makes an entry the end of our log.
func (n *Node) grow(e *entry, then func()) {
	d := n.d
	d.tip = e
	n.write(func() { n.disk.tip = e }, then)
}

// beat keeps the office: others hear of it, and it ends when a majority is not heard.
func (n *Node) beat() {
	d := n.d
	if d.role != leads {
		return
	}
	heard := 1
	for _, o := range d.tip.voters {
		if o != n && n.clock()-d.acked[o] <= raftLease {
			heard++
		}
	}
	if 2*heard <= len(d.tip.voters) && !n.w.cfg.Plant.NoVerify {
		n.ceaseToLead("no majority is heard")
		return
	}
	n.appendAll()
	n.after(raftBeat, n.beat)
}

func (n *Node) appendAll() {
	for _, o := range n.w.nodes {
		if o != n {
			n.append(o)
		}
	}
}

// append tells another what our log holds, as far as our own disk has it. Who has another log is offered ours.
func (n *Node) append(o *Node) {
	d := n.d
	d.round++
	round, sent, term, tip, commit := d.round, n.clock(), n.disk.term, n.disk.tip, d.commit
	n.send(o, func() {
		o.appended(n, term, tip, commit, func(theirs uint64, has *entry) {
			o.send(n, func() { n.answered(o, round, sent, term, theirs, has) })
		})
	})
}

// appended takes what a leader's log holds. It answers once that is on the disk.
func (n *Node) appended(from *Node, term uint64, tip, commit *entry, answer func(term uint64, has *entry)) {
	d := n.d
	switch {
	case tip.gen != n.disk.gen:
		if tip.gen < n.disk.gen || n.inCompany() {
			return
		}
		n.changeLog(tip)
	case term < n.disk.term:
		answer(n.disk.term, nil)
		return
	}
	if term > n.disk.term || d.role != follows {
		n.ceaseToLead("another leads")
		if term > n.disk.term {
			n.disk.term, n.disk.vote = term, nil
		}
	}
	n.hearLeader(from)
	d.contact = n.clock()
	has := func() {
		if n.disk.term == term {
			answer(term, tip)
			if commit.index > d.commit.index && tip.holds(commit) {
				n.committed(commit)
			}
		}
	}
	switch {
	case n.disk.tip.holds(tip) && d.tip.holds(tip):
		has()
	case d.tip.holds(tip): // on its way
		if tip.holds(n.disk.tip) {
			answer(term, n.disk.tip)
		} else {
			answer(term, nil)
		}
	default:
		n.grow(tip, has)
	}
}

// answered takes a follower's answer.
func (n *Node) answered(o *Node, round int, sent time.Duration, term, theirs uint64, has *entry) {
	d := n.d
	switch {
	case theirs > n.disk.term:
		n.ceaseToLead("another term")
		n.disk.term, n.disk.vote = theirs, nil
	case d.role != leads || term != n.disk.term:
	default:
		d.acked[o] = max(d.acked[o], sent)
		if m := d.match[o]; has != nil && (m == nil || m.index < has.index) {
			d.match[o] = has
			n.advance()
		}
		n.verified(round, o)
	}
}

// advance commits what a majority has on its disks.
func (n *Node) advance() {
	d := n.d
	if d.role != leads {
		return
	}
	var have []uint64
	for _, o := range d.tip.voters {
		switch m := d.match[o]; {
		case o == n:
			have = append(have, n.disk.tip.index)
		case m != nil && d.tip.holds(m):
			have = append(have, m.index)
		default:
			have = append(have, 0)
		}
	}
	slices.Sort(have)
	upTo := have[(len(have)-1)/2]
	if n.w.cfg.Plant.CommitAlone {
		upTo = n.disk.tip.index
	}
	if e := d.tip.at(upTo); e != nil && e.index > d.commit.index && e.term == n.disk.term {
		n.committed(e)
		n.appendAll()
	}
}

// committed makes entries part of this node's state.
func (n *Node) committed(e *entry) {
	var list []*entry
	for x := e; x != n.d.commit && x != nil && x.index > n.d.commit.index; x = x.parent {
		list = append(list, x)
	}
	n.w.checkCommit(n, e)
	for _, x := range slices.Backward(list) {
		n.d.commit = x
		n.applied(x)
	}
	n.snapshot()
}

// inCompany reports whether our log lives in others too, as far as we know: it is not given up for another then.
func (n *Node) inCompany() bool {
	d := n.d
	if d.role == leads {
		return len(d.tip.voters) > 1
	}
	return d.leader != nil && n.clock()-d.contact < n.w.delay.Election
}

// changeLog gives our log up for another.
func (n *Node) changeLog(tip *entry) {
	n.ceaseToLead("its log gives way")
	first := tip
	for first.parent != nil && first.parent.gen == tip.gen {
		first = first.parent
	}
	n.w.trace("%s gives its log up for that of generation %d", n.Name, tip.gen)
	n.w.mark(n, "| joins another log")
	n.torn()
	n.disk = disk{gen: tip.gen, term: n.disk.term + 1, tip: first, snap: first}
	n.d.tip, n.d.commit = first, first
	n.d.told = nil
	n.applied(first)
	n.w.watchMajorities()
}

// keepVoters takes those into the log that are not in it, and the vote of two from the one that is off.
func (n *Node) keepVoters() {
	d := n.d
	if d.role != leads {
		return
	}
	if d.commit.voters != nil && len(d.commit.voters) == len(d.tip.voters) {
		n.dropVoter()
	}
	if d.role == leads && d.commit.voters != nil && len(d.tip.voters) < len(n.w.nodes) && len(d.commit.voters) == len(d.tip.voters) {
		for _, o := range n.w.nodes {
			if m := d.match[o]; !slices.Contains(d.tip.voters, o) && !(n.ofTwo() == o && n.isDown(o)) && m != nil && m.index+8 >= d.tip.index && n.clock()-d.acked[o] < raftLease {
				e := n.extend(nil, 0)
				e.voters = append(slices.Clone(e.voters), o)
				n.w.trace("%s: %s votes on the log now", n.Name, o.Name)
				break
			}
		}
	}
	n.after(250*time.Millisecond, n.keepVoters)
}
