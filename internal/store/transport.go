package store

import (
	"time"

	"github.com/hashicorp/raft"
)

// transport is raft's network transport with three changes.
//
// Raft waits longer and longer, up to 10 s, before it sends entries again to a node that could not be
// reached. Here the sending of entries itself waits for the node instead, so that a node that is back
// catches up at once.
//
// And raft tells its followers what is committed only with the next entry or after a while. nudges tell
// them at once, in raft's own words: an AppendEntries without entries.
//
// And heartbeats are answered by the cluster's own signs of life where those come: see contacts.
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
	if args.PrevLogEntry == 0 && args.LeaderCommitIndex == 0 && len(args.Entries) == 0 {
		return t.heartbeat(id, to, args, resp)
	}
	for {
		err := t.entries(id, to, args, resp)
		if err == nil || !t.node.wants(id, args.Term) {
			return err
		}
		select {
		case <-time.After(retryEvery):
		case <-t.node.layer.done:
			return err
		}
	}
}

// entries sends entries, or news of a commit, once.
func (t *transport) entries(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		return t.NetworkTransport.AppendEntries(id, to, args, resp)
	}
	t.node.nudges.leave(id)
	err := t.NetworkTransport.AppendEntries(id, to, args, resp)
	t.node.nudges.arrive(id, to, args, err == nil)
	return err
}

func (t *transport) heartbeat(id raft.ServerID, to raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	n := t.node
	if n.contacts.answered(to, args.Term, n.store.cfg.Timing, n.layer.done) {
		*resp = raft.AppendEntriesResponse{RPCHeader: n.header(), Term: args.Term, Success: true}
		return nil
	}
	err := t.NetworkTransport.AppendEntries(id, to, args, resp)
	if err == nil && resp.Success {
		n.contacts.reached(to)
	}
	return err
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
