package replay

import (
	"bytes"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// view is the state that a daemon has.
func (n *Node) view() cib.State { return n.d.commit.state }

// propose has a command committed, if this node leads; told is called with the entry once it is, or is refused.
func (n *Node) propose(cmd cib.Command, told func(e *entry)) {
	d := n.d
	if d.role != leads {
		return
	}
	if cmd.At.IsZero() {
		cmd.At = n.now()
	}
	n.w.seq++
	by := uint64(n.w.seq)
	e := n.extend(&cmd, by)
	if told != nil {
		d.waiting = append(d.waiting, waiting{e, told})
	}
}

// waiting is somebody who waits for a commit.
type waiting struct {
	e    *entry
	told func(*entry)
}

// applied makes an entry part of what this daemon knows.
func (n *Node) applied(e *entry) {
	d := n.d
	d.told = slices.DeleteFunc(d.told, func(t told) bool { return t.gen != e.gen || t.index <= e.index })
	if e.cmd != nil && e.err == nil {
		n.poke()
		d.put(applied(e))
	}
	rest := d.waiting[:0:0]
	for _, x := range d.waiting {
		switch {
		case x.e == e:
			x.told(e)
		case x.e.index > e.index:
			rest = append(rest, x)
		}
	}
	d.waiting = rest
}

// verify asks a majority whether we still lead. The answer comes once.
func (n *Node) verify(then func(confirmed bool)) {
	d := n.d
	if n.w.cfg.Plant.NoVerify && d.role == leads {
		n.afterReal(0, func() { then(true) })
		return
	}
	if d.role != leads {
		n.afterReal(0, func() { then(false) })
		return
	}
	v := &verification{round: d.round, term: n.disk.term, votes: map[*Node]bool{n: true}, then: then}
	d.verifying = append(d.verifying, v)
	n.appendAll()
	n.settleVerify(v)
	n.after(verifyPatience, func() {
		if !v.done {
			v.done = true
			then(false)
		}
	})
}

const verifyPatience = 2 * time.Second

type verification struct {
	round int // answers to what was sent after it count
	term  uint64
	votes map[*Node]bool
	then  func(bool)
	done  bool
}

// verified notes that another has answered something, which was sent after some verifications were asked for.
func (n *Node) verified(round int, o *Node) {
	for _, v := range slices.Clone(n.d.verifying) {
		if round > v.round {
			v.votes[o] = true
			n.settleVerify(v)
		}
	}
}

func (n *Node) settleVerify(v *verification) {
	d := n.d
	votes := 0
	for _, o := range d.tip.voters {
		if v.votes[o] {
			votes++
		}
	}
	lost := d.role != leads || n.disk.term != v.term
	if !v.done && (lost || 2*votes > len(d.tip.voters)) {
		v.done = true
		n.afterReal(0, func() { v.then(!lost) })
	}
	d.verifying = slices.DeleteFunc(d.verifying, func(x *verification) bool { return x.done })
}

// termLeap is how much higher the term of a log begins that another has given way to.
const termLeap = 1000

// recoverLog goes on alone with a log of our own, from all that our log holds.
func (n *Node) recoverLog(first cib.Command) error {
	old := n.disk.tip
	next, err := cib.Apply(old.state, first)
	if err != nil {
		return err
	}
	n.ceaseToLead("its log has ended")
	n.torn()
	e := &entry{parent: old, index: old.index + 1, term: max(n.disk.term, old.term) + termLeap, gen: old.gen + 1, cmd: &first, state: next, voters: []*Node{n}}
	e.state.Index, e.state.Cluster.Generation = e.index, e.gen
	n.w.trace("%s goes on with a log of its own, generation %d", n.Name, e.gen)
	n.w.mark(n, "| goes on alone, log "+number(e.gen))
	n.w.count("log begun anew")
	n.disk = disk{gen: e.gen, term: e.term, tip: e, snap: e}
	n.d.tip = e
	n.d.told = nil
	n.committed(e)
	n.d.contact, n.d.patient = n.clock()-n.d.patient, 0
	n.w.watchMajorities()
	return nil
}

// Snapshots are taken now and then, beside the way. One that is cut short must not be taken for a state.
const snapshotEvery = 15

func (n *Node) snapshot() {
	if n.d.snapping != nil || n.d.commit.index < n.disk.snap.index+snapshotEvery || !n.w.cfg.Jitter {
		return
	}
	e := n.d.commit
	n.d.snapping = e
	n.afterReal(n.w.vary(60*time.Millisecond)+n.lag, func() {
		n.d.snapping = nil
		if e.gen == n.disk.gen {
			n.disk.snap, n.disk.torn = e, nil
		}
	})
}

// tearSnapshot is what the end of a daemon does to a snapshot that it was writing.
func (n *Node) tearSnapshot() {
	if n.d.snapping == nil {
		return
	}
	n.w.count("torn snapshot")
	whole := encode(n.d.snapping.state)
	n.disk.torn = whole[:n.w.rng.IntN(len(whole))]
}

// readSnapshot reads what an earlier daemon has left; of a torn one nothing counts.
func (n *Node) readSnapshot() {
	if n.disk.torn != nil {
		if s, err := cib.DecodeState(bytes.NewReader(n.disk.torn)); err == nil {
			n.w.breach("I9: %s takes a torn snapshot for a state, of index %d", n.Name, s.Index)
		}
		n.disk.torn = nil
	}
	if n.disk.snap.parent == nil || !n.w.chance(4) {
		return
	}
	whole := encode(n.disk.snap.state)
	s, err := cib.DecodeState(bytes.NewReader(whole))
	if err != nil {
		n.w.breach("I9: the snapshot of %s cannot be read: %v", n.Name, err)
	} else if !bytes.Equal(encode(s), whole) {
		n.w.breach("I9: the snapshot of %s is another state than the one that was written", n.Name)
	}
}

func encode(s cib.State) []byte {
	var b bytes.Buffer
	if err := cib.EncodeState(&b, s); err != nil {
		panic("replay: a state that cannot be written: " + err.Error())
	}
	return b.Bytes()
}
