package store

import (
	"sync"

	"github.com/hashicorp/raft"
)

// nudges tell the other nodes what is committed: one message at a time for each, and the newest index last.
type nudges struct {
	node *node

	mu    sync.Mutex
	index uint64                   // the newest that the others should hear to be committed
	busy  map[raft.ServerID]uint64 // what is on its way
	ended bool
}

func newNudges(n *node) *nudges { return &nudges{node: n, busy: map[raft.ServerID]uint64{}} }

// committed tells everybody.
func (d *nudges) committed(index uint64) {
	d.mu.Lock()
	news := index > d.index
	d.index = max(d.index, index)
	d.mu.Unlock()
	if !news {
		return
	}
	for _, s := range d.node.servers() {
		if s.ID != raft.ServerID(d.node.id.Member) {
			d.tell(s)
		}
	}
}

// arrived says that a node has taken in entries. If some were committed while they were on their way, it could make
// nothing of that news.
func (d *nudges) arrived(id raft.ServerID, args *raft.AppendEntriesRequest) {
	d.mu.Lock()
	late := d.index >= args.Entries[0].Index && d.index > args.LeaderCommitIndex
	d.mu.Unlock()
	if !late {
		return
	}
	for _, s := range d.node.servers() {
		if s.ID == id {
			d.tell(s)
		}
	}
}

// tell sends a node what it should hear, if nothing is on its way to it: then that is sent afterwards.
func (d *nudges) tell(s raft.Server) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, sending := d.busy[s.ID]; sending || d.ended || d.index == 0 {
		return
	}
	d.busy[s.ID] = d.index
	d.node.store.wg.Go(func() { d.send(s) })
}

func (d *nudges) send(s raft.Server) {
	for {
		d.mu.Lock()
		index := d.index
		d.busy[s.ID] = index
		d.mu.Unlock()
		if req := d.node.nudgeFor(index); req != nil {
			_ = d.node.trans.NetworkTransport.AppendEntries(s.ID, s.Address, req, new(raft.AppendEntriesResponse))
		}
		d.mu.Lock()
		if d.index == index || d.ended {
			delete(d.busy, s.ID)
			d.mu.Unlock()
			return
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

// nudgeFor is the message that says that everything up to the index is committed; nil when we do not lead.
func (n *node) nudgeFor(index uint64) *raft.AppendEntriesRequest {
	var l raft.Log
	term := n.raft.CurrentTerm()
	if err := n.cache.GetLog(index, &l); err != nil || !n.leads(term) || n.raft.CommitIndex() < index {
		return nil
	}
	return &raft.AppendEntriesRequest{
		RPCHeader: n.header(), Term: term, PrevLogEntry: index, PrevLogTerm: l.Term, LeaderCommitIndex: index,
	}
}
