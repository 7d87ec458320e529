package store

import (
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// nudges tell the other nodes what is committed: one message at a time for each, and the newest index last. A node that
// entries are on their way to is told when it has them: it could make nothing of the news before.
type nudges struct {
	others func() []raft.Server
	say    func(id raft.ServerID, to raft.ServerAddress, index uint64)
	run    func(func())

	mu    sync.Mutex
	index uint64                 // the newest that the others should hear to be committed
	busy  map[raft.ServerID]bool // who is being told; true: and must be told once more
	sent  map[raft.ServerID]int  // messages with entries that are on their way
	ended bool
}

func newNudges(n *node) *nudges {
	return &nudges{others: n.others, say: n.say, run: n.store.wg.Go, busy: map[raft.ServerID]bool{}, sent: map[raft.ServerID]int{}}
}

// committed tells everybody.
func (d *nudges) committed(index uint64) {
	d.mu.Lock()
	news := index > d.index
	d.index = max(d.index, index)
	d.mu.Unlock()
	if !news {
		return
	}
	for _, s := range d.others() {
		d.tell(s.ID, s.Address)
	}
}

// leave says that entries are sent to a node, and arrive that this is over, and whether it has them.
func (d *nudges) leave(id raft.ServerID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent[id]++
}

func (d *nudges) arrive(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, there bool) {
	d.mu.Lock()
	if d.sent[id]--; d.sent[id] == 0 {
		delete(d.sent, id)
	}
	late := there && d.index > args.LeaderCommitIndex // committed while they were on their way
	d.mu.Unlock()
	if late {
		d.tell(id, to)
	}
}

// tell sends a node what it should hear. If something is on its way to it, that is sent afterwards.
func (d *nudges) tell(id raft.ServerID, to raft.ServerAddress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.index == 0 || d.sent[id] > 0 {
		return
	}
	if _, telling := d.busy[id]; telling {
		d.busy[id] = true
		return
	}
	d.busy[id] = false
	d.run(func() { d.send(id, to) })
}

func (d *nudges) send(id raft.ServerID, to raft.ServerAddress) {
	for again := true; again; {
		d.mu.Lock()
		index := d.index
		d.busy[id] = false
		d.mu.Unlock()
		d.say(id, to, index)
		d.mu.Lock()
		if again = d.busy[id] && !d.ended; !again {
			delete(d.busy, id)
		}
		d.mu.Unlock()
	}
}

// end begins no more.
func (d *nudges) end() {
	d.mu.Lock()
	d.ended = true
	d.mu.Unlock()
}

// spread has the others hear what is committed, if we lead, while it is carried out here.
func (n *node) spread() {
	select {
	case <-n.ready:
		if n.raft.State() == raft.Leader {
			n.nudges.committed(n.raft.CommitIndex())
		}
	default:
	}
}

func (n *node) others() []raft.Server {
	return slices.DeleteFunc(slices.Clone(n.servers()), func(s raft.Server) bool { return s.ID == raft.ServerID(n.id.Member) })
}

// say tells a node that everything up to the index is committed, if we lead.
func (n *node) say(id raft.ServerID, to raft.ServerAddress, index uint64) {
	var l raft.Log
	term := n.raft.CurrentTerm()
	if err := n.cache.GetLog(index, &l); err != nil || !n.leads(term) || n.raft.CommitIndex() < index {
		return
	}
	_ = n.trans.NetworkTransport.AppendEntries(id, to, &raft.AppendEntriesRequest{
		RPCHeader: n.header(), Term: term, PrevLogEntry: index, PrevLogTerm: l.Term, LeaderCommitIndex: index,
	}, new(raft.AppendEntriesResponse))
}
