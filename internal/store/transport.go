package store

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// transport is raft's network transport with two changes.
//
// Raft waits longer and longer, up to 10 s, before it sends entries again to a node that could not be
// reached. Here the sending of entries itself waits for the node instead, so that a node that is back
// catches up at once.
//
// And raft tells its followers what is committed only with the next entry or after a while. nudges tell
// them at once, in raft's own words: an AppendEntries without entries.
type transport struct {
	*raft.NetworkTransport
	node *node
}

var (
	_ raft.Transport   = (*transport)(nil)
	_ raft.WithPreVote = (*transport)(nil)
	_ raft.WithClose   = (*transport)(nil)
)

// retryEvery is how often a node is tried that cannot be reached.
const retryEvery = 100 * time.Millisecond

// AppendEntries sends entries until they arrive or nobody wants them sent any more. Heartbeats are sent
// once.
func (t *transport) AppendEntries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	for {
		err := t.NetworkTransport.AppendEntries(id, to, args, resp)
		heartbeat := args.PrevLogEntry == 0 && args.LeaderCommitIndex == 0 && len(args.Entries) == 0
		if err == nil || heartbeat || !t.node.wants(id, args.Term) {
			return err
		}
		select {
		case <-time.After(retryEvery):
		case <-t.node.layer.done:
			return err
		}
	}
}

// wants reports whether we lead in that term, and the node belongs to the log.
func (n *node) wants(id raft.ServerID, term uint64) bool {
	select {
	case <-n.ready:
	default:
		return false
	}
	if !n.leads(term) {
		return false
	}
	for _, s := range n.servers() {
		if s.ID == id {
			return true
		}
	}
	return false
}

// leads reports whether we lead, now, in that term. Raft leaves the leader's state before it raises the
// term, so the two readings of the term make sure of it.
func (n *node) leads(term uint64) bool {
	return n.raft.CurrentTerm() == term && n.raft.State() == raft.Leader && n.raft.CurrentTerm() == term
}

// committed asks for a nudge.
func (n *node) committed(index uint64) {
	for {
		select {
		case n.nudge <- index:
			return
		case old := <-n.nudge:
			index = max(index, old)
		}
	}
}

// sendNudges tells the others what is committed, one message at a time for each.
func (n *node) sendNudges() {
	var mu sync.Mutex
	busy := map[raft.ServerID]bool{}
	for {
		select {
		case index := <-n.nudge:
			req := n.nudgeFor(index)
			if req == nil {
				continue
			}
			for _, s := range n.servers() {
				mu.Lock()
				skip := busy[s.ID] || s.ID == raft.ServerID(n.id.Member)
				if !skip {
					busy[s.ID] = true
				}
				mu.Unlock()
				if skip {
					continue
				}
				n.store.wg.Go(func() {
					_ = n.trans.NetworkTransport.AppendEntries(s.ID, s.Address, req, new(raft.AppendEntriesResponse))
					mu.Lock()
					delete(busy, s.ID)
					mu.Unlock()
				})
			}
		case <-n.done:
			return
		}
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
