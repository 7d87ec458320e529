package store

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Raft's leader sends each node a heartbeat up to 20 times a second, beside the cluster's own signs of life, which say
// the same: who leads, who follows, in which term. Where those come, every second one of them stands for raft's, at both ends, and only
// where they do not raft's are sent. It never changes what a node believes: a sign counts for the leader and the
// term that raft itself has learnt from the log's own messages, one of which still goes out every realEvery.

// Contact is a sign of life of another node, as far as it is about the log.
type Contact struct {
	Node string
	Term uint64

	Leads   bool      // it says that it leads in that term
	Follows bool      // it says that we lead in that term,
	Since   time.Time // and it has heard what we sent at that time
}

const (
	realEvery = time.Second     // how often a heartbeat of raft goes over raft's own connection all the same
	realTrust = 3 * time.Second // after so long without one, signs of a leader's life count no more
)

// contacts are the signs of life of those that follow us, and what raft still sends itself.
type contacts struct {
	mu      sync.Mutex
	signs   map[raft.ServerAddress]sign
	sent    map[raft.ServerAddress]time.Time     // raft's last heartbeat that went out and was answered
	passed  map[raft.ServerAddress]time.Time     // the last one that was answered by whatever
	waiting map[raft.ServerAddress]chan struct{} // closed when it is time to look again; who waits makes it
	asking  int                                  // questions under way that signs of life may not answer

	heartbeat func(raft.RPC) // takes a heartbeat; set once, before anything is heard
	heard     time.Time      // when raft's own last one came

	door  sync.RWMutex // held for reading while a heartbeat is taken
	ended bool         // none is taken any more
}

type sign struct {
	term  uint64
	since time.Time
	fresh bool // no heartbeat was answered by it yet
}

func newContacts() *contacts {
	times := func() map[raft.ServerAddress]time.Time { return map[raft.ServerAddress]time.Time{} }
	return &contacts{signs: map[raft.ServerAddress]sign{}, sent: times(), passed: times(), waiting: map[raft.ServerAddress]chan struct{}{}}
}

// wake wakes who waits for a node; c.mu is held.
func (c *contacts) wake(to raft.ServerAddress) {
	if w := c.waiting[to]; w != nil {
		close(w)
		delete(c.waiting, to)
	}
}

// early is how soon after the last heartbeat that was answered another one is.
func (t Timing) early() time.Duration { return t.Heartbeat / 4 }

// Heard takes a sign of life.
func (s *Store) Heard(c Contact) {
	n := s.node.Load()
	switch {
	case n == nil:
	case c.Leads:
		n.heardLeader(c)
	case c.Follows:
		n.contacts.follows(raft.ServerAddress(c.Node), sign{c.Term, c.Since, true}, s.cfg.Timing)
	}
}

// follows takes a sign of life of a node that follows us. Who waits for one is woken when it has waited for long enough,
// not by each.
func (c *contacts) follows(from raft.ServerAddress, s sign, timing Timing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signs[from] = s
	if time.Since(c.passed[from]) >= timing.early() {
		c.wake(from)
	}
}

// heardLeader has raft know that the leader that it has is alive.
func (n *node) heardLeader(c Contact) {
	n.contacts.mu.Lock()
	take, known := n.contacts.heartbeat, time.Since(n.contacts.heard) < realTrust
	n.contacts.mu.Unlock()
	leader, id, term := n.leader()
	if !known || take == nil || string(leader) != c.Node || term != c.Term || n.raft.State() != raft.Follower {
		return
	}
	addr := n.trans.EncodePeer(id, leader)
	take(raft.RPC{RespChan: make(chan raft.RPCResponse, 1), Command: &raft.AppendEntriesRequest{Term: term,
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(id), Addr: addr}}})
}

// leader is who leads in which term: raft forgets the leader before it raises the term.
func (n *node) leader() (raft.ServerAddress, raft.ServerID, uint64) {
	for {
		term := n.raft.CurrentTerm()
		addr, id := n.raft.LeaderWithID()
		if n.raft.CurrentTerm() == term {
			return addr, id, term
		}
	}
}

// answered waits for a sign of life that answers a heartbeat to a node; false: the heartbeat must be sent. It takes half of
// the time at most after which raft's leader would miss the answer.
func (c *contacts) answered(to raft.ServerAddress, term uint64, timing Timing, done <-chan struct{}) bool {
	late := timing.Heartbeat / 2
	var timer *time.Timer
	for {
		c.mu.Lock()
		s, ago := c.signs[to], time.Since(c.passed[to])
		if c.asking > 0 || ago >= late || time.Since(c.sent[to]) > realEvery || s.term != term || time.Since(s.since) > late {
			c.mu.Unlock()
			return false
		}
		if s.fresh && ago >= timing.early() {
			s.fresh = false
			c.signs[to], c.passed[to] = s, time.Now()
			c.mu.Unlock()
			return true
		}
		changed := c.waiting[to]
		if changed == nil {
			changed = make(chan struct{})
			c.waiting[to] = changed
		}
		c.mu.Unlock()
		if timer == nil {
			timer = time.NewTimer(late - ago)
			defer timer.Stop()
		}
		select {
		case <-changed:
		case <-timer.C:
			return false
		case <-done:
			return false
		}
	}
}

func (c *contacts) reached(to raft.ServerAddress) {
	c.mu.Lock()
	c.sent[to] = time.Now()
	c.passed[to] = c.sent[to]
	c.mu.Unlock()
}

// ask has every heartbeat be raft's own until the answer is there: what is asked is how it is now, not a while ago.
func (c *contacts) ask(question func() error) error {
	count := func(by int) {
		c.mu.Lock()
		c.asking += by
		for to := range c.waiting {
			c.wake(to)
		}
		c.mu.Unlock()
	}
	count(1)
	defer count(-1)
	return question()
}

// end lets no heartbeat in any more, and waits for those that are in: raft takes them in beside its own goroutines, writes its term
// for them, and panics where the disk is closed already.
func (c *contacts) end() {
	c.door.Lock()
	c.ended = true
	c.door.Unlock()
}

// SetHeartbeatHandler is raft's: it takes in what another raft sends.
func (t *transport) SetHeartbeatHandler(raftTakes func(raft.RPC)) {
	c := t.node.contacts
	take := func(rpc raft.RPC) {
		c.door.RLock()
		defer c.door.RUnlock()
		if c.ended {
			rpc.Respond(nil, raft.ErrRaftShutdown)
			return
		}
		raftTakes(rpc)
	}
	c.mu.Lock()
	c.heartbeat = take
	c.mu.Unlock()
	t.NetworkTransport.SetHeartbeatHandler(func(rpc raft.RPC) {
		c.mu.Lock()
		c.heard = time.Now()
		c.mu.Unlock()
		take(rpc)
	})
}
