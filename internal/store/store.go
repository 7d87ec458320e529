// Package store holds the state that the nodes of a cluster agree on: a replicated log of commands
// (hashicorp/raft, in a bbolt file with a journal) and the State that cib.Apply makes of it.
//
// It promises that a command whose Propose returned without an error is on the disks of a majority and will
// be in every State from then on, also after crashes; that all nodes go through the same States in the same
// order; and that a disk that refuses or a log that is damaged is said out loud and acknowledges nothing.
// It keeps the log's voters in step with the members of the cluster, and keeps nodes whose log is another
// apart.
//
// It never decides who is alive or whether the cluster is quorate, never looks into commands, and never
// gives up a log in which a majority lives.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Config is what a store needs. Name, Dir, Dial and Listener are required.
type Config struct {
	Dir  string // where the log is kept; made with mode 0700 when it is not there
	Name string // this node's

	// Dial connects to the store of another node, Listener is where theirs connect to ours. Who is at the
	// other end is the transport's to make sure of. The store closes the listener.
	Dial     func(node string, timeout time.Duration) (net.Conn, error)
	Listener net.Listener

	Log      *slog.Logger
	Timing   Timing               // zero values: DefaultTiming
	SlowDisk func() time.Duration // the lab's: each write takes that much longer; may be nil

	// Behind is told when the cluster agrees on a vocabulary of commands that this program does not speak, with an
	// error that wraps cib.ErrBehind. The State stays as it was before: the node must stop. It must not block.
	Behind func(error)
	Speaks cib.Vocabulary // default: that of this program
}

// Timing is how fast raft notices and how much it keeps.
type Timing struct {
	Heartbeat time.Duration // a follower that has not heard the leader for so long (up to twice that) holds an election
	Election  time.Duration // an election that takes longer is begun again
	Lease     time.Duration // a leader that has not heard a majority for so long steps down; at most Heartbeat
	Commit    time.Duration // the leader repeats at least that often how far the log is committed
	RPC       time.Duration // a message that has no answer by then has failed
	Voters    time.Duration // how soon the leader looks after the voters when something has changed or they are not as they should be

	SnapshotInterval  time.Duration // how often it is considered whether a snapshot is due
	SnapshotThreshold uint64        // entries since the last one that make it due
	TrailingLogs      uint64        // entries that are kept below a snapshot, for nodes that were away
}

// DefaultTiming gives a new leader about a second after the old one's death.
var DefaultTiming = Timing{
	Heartbeat: 500 * time.Millisecond, Election: 500 * time.Millisecond, Lease: 500 * time.Millisecond,
	Commit: time.Second, RPC: 2 * time.Second, Voters: 250 * time.Millisecond,
	SnapshotInterval: 30 * time.Second, SnapshotThreshold: 4096, TrailingLogs: 4096,
}

func (t Timing) withDefaults() Timing {
	d := DefaultTiming
	for _, f := range []struct{ have, want *time.Duration }{
		{&t.Heartbeat, &d.Heartbeat}, {&t.Election, &d.Election}, {&t.Lease, &d.Lease}, {&t.Commit, &d.Commit},
		{&t.RPC, &d.RPC}, {&t.Voters, &d.Voters}, {&t.SnapshotInterval, &d.SnapshotInterval},
	} {
		if *f.have == 0 {
			*f.have = *f.want
		}
	}
	if t.SnapshotThreshold == 0 {
		t.SnapshotThreshold = d.SnapshotThreshold
	}
	if t.TrailingLogs == 0 {
		t.TrailingLogs = d.TrailingLogs
	}
	return t
}

// Store is one node's part in the replicated state.
type Store struct {
	cfg    Config
	ctx    context.Context // ended by Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	events *events

	turn   chan struct{}        // holds one item, which whoever exchanges the log for another has taken
	node   atomic.Pointer[node] // nil while there is no log, and for moments between two
	former atomic.Pointer[node] // the last one that there was

	blank atomic.Bool // there is no log, for sure

	voters chan struct{} // a reason to look after the voters now
	news   chan struct{} // there is a new State, and so maybe one to look after them soon

	mu      sync.Mutex
	leads   bool
	term    uint64 // of our leadership, while leads
	disk    error  // why the last write to the disk failed
	strange map[string]answer
	closed  bool
}

// What callers tell apart.
var (
	// ErrNoLog says that this node has not joined a cluster's log yet.
	ErrNoLog = errors.New("this node has no log: it waits for the leader of its cluster to take it in")
	// ErrUncertain says that nobody knows whether a command will be carried out: leadership was lost, or the
	// time was up, while it was on its way.
	ErrUncertain = errors.New("it is not known whether the change was made")
	// ErrClosed says that the store has been closed.
	ErrClosed = errors.New("the store is closed")
)

// NotLeaderError says that another node, or nobody, leads. The command has surely not been carried out.
type NotLeaderError struct{ Leader string } // "" when there is none

func (e *NotLeaderError) Error() string {
	if e.Leader == "" {
		return "there is no leader at the moment"
	}
	return fmt.Sprintf("node %s leads, not this one", e.Leader)
}

// Open takes part in the log that Config.Dir has. When there is none it waits until the leader of a cluster
// takes this node in, or Bootstrap begins one.
func Open(cfg Config) (*Store, error) {
	if cfg.Name == "" || cfg.Name != filepath.Base(cfg.Name) {
		return nil, fmt.Errorf("%q is no name for a node", cfg.Name)
	}
	cfg.Timing = cfg.Timing.withDefaults()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Speaks == 0 {
		cfg.Speaks = cib.CommandVersion
	}
	if cfg.Behind == nil {
		cfg.Behind = func(error) {}
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, diskError("make", cfg.Dir, err)
	}
	id, err := readCurrent(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, turn: make(chan struct{}, 1), events: newEvents(), voters: make(chan struct{}, 1), news: make(chan struct{}, 1), strange: map[string]answer{}}
	s.turn <- struct{}{}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.blank.Store(id == nil)
	if id != nil {
		n, err := s.startNode(*id)
		if err != nil {
			s.cancel()
			return nil, err
		}
		s.adopt(n)
	}
	s.wg.Go(s.events.run)
	s.wg.Add(1)
	go s.serve()
	s.wg.Go(s.keepVoters)
	return s, nil
}

// adopt makes n the log that counts.
func (s *Store) adopt(n *node) {
	s.blank.Store(false)
	s.former.Store(n)
	s.node.Store(n)
	if n.alone() {
		s.wg.Go(func() {
			if err := n.campaign(); err != nil && s.ctx.Err() == nil {
				s.cfg.Log.Debug("no election before its time", "err", err)
			}
		})
	}
}

// Close ends our part in the log. It is safe to call it more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.blank.Store(false)
	s.cancel()
	err := s.cfg.Listener.Close()
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if n := s.node.Swap(nil); n != nil {
		err = errors.Join(err, n.stop())
	}
	s.events.close()
	s.wg.Wait()
	return err
}

// Blank reports whether this node has no log yet.
func (s *Store) Blank() bool { return s.blank.Load() }

// ID tells our log from others; the zero LogID while there is none.
func (s *Store) ID() LogID {
	if n := s.node.Load(); n != nil {
		return n.id.Log
	}
	return LogID{}
}

// View returns the newest State that is known here to be agreed on. While the log is exchanged for another,
// and after Close, it is the last one that was.
func (s *Store) View() cib.State {
	if n := s.node.Load(); n != nil {
		return n.fsm.view()
	}
	if n := s.former.Load(); n != nil {
		return n.fsm.view()
	}
	return cib.NewState(cib.Cluster{})
}

// DiskError returns why the last write to the log failed; nil when it did not.
func (s *Store) DiskError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disk
}

func (s *Store) heardDisk(err error) {
	s.mu.Lock()
	old := s.disk
	s.disk = err
	s.mu.Unlock()
	switch {
	case err != nil && (old == nil || old.Error() != err.Error()):
		s.cfg.Log.Error("the log cannot be written", "err", err)
	case err == nil && old != nil:
		s.cfg.Log.Info("the log can be written again")
	}
}

// Leader returns the name of the leader, "" when none is known, and raft's current term.
func (s *Store) Leader() (name string, term uint64) {
	n := s.node.Load()
	if n == nil {
		return "", 0
	}
	addr, _, term := n.leader()
	return string(addr), term
}

// Last returns term and index of the last entry that is in our log, committed or not. Of several
// survivors, the one with the greatest (term, index) knows all that the others know.
func (s *Store) Last() (term, index uint64) {
	n := s.node.Load()
	if n == nil {
		return 0, 0
	}
	return n.last()
}

// LastContact returns when the leader was last heard; now when we lead ourselves.
func (s *Store) LastContact() time.Time {
	n := s.node.Load()
	switch {
	case n == nil:
		return time.Time{}
	case n.raft.State() == raft.Leader:
		return time.Now()
	}
	return n.raft.LastContact()
}

// Campaign asks raft for an election now. It is for a node that knows from elsewhere that the leader is
// gone; with a leader that lives it costs that one its office.
func (s *Store) Campaign() error {
	n := s.node.Load()
	if n == nil {
		return ErrNoLog
	}
	return n.campaign()
}
