package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/cerco-ha/cerco/internal/cib"
)

// machine is the state that the log makes: raft's FSM. The State is a value, so a snapshot costs nothing
// until it is written, and readers never wait.
type machine struct {
	log    *slog.Logger
	speaks cib.Vocabulary
	behind func(error) // is told once, with an error that wraps cib.ErrBehind

	stuck error // why nothing is applied any more; used by raft's goroutine only
	state atomic.Pointer[cib.State]
	fed   atomic.Uint64 // the last entry that raft gave us
	tell  func(event)

	committed func() // hears that raft gives us an entry; may be nil
}

// outcome is what an entry of the log has led to, for its proposer.
type outcome struct {
	state cib.State
	err   error
}

var _ raft.FSM = (*machine)(nil)

func (m *machine) view() cib.State {
	if s := m.state.Load(); s != nil {
		return *s
	}
	return cib.NewState(cib.Cluster{})
}

// Apply carries an entry out. Entries that are in the State already, because it was read from the disk
// beyond the last snapshot, are left out.
func (m *machine) Apply(l *raft.Log) any {
	m.fed.Store(l.Index)
	if m.committed != nil {
		m.committed()
	}
	old := m.view()
	if m.stuck != nil {
		return outcome{state: old, err: m.stuck}
	}
	if l.Index <= old.Index {
		return outcome{state: old}
	}
	s, c, err := m.step(old, l)
	if errors.Is(err, cib.ErrBehind) {
		return outcome{state: old, err: m.giveUp(err)}
	}
	m.state.Store(&s)
	if err == nil {
		m.tell(event{state: s, command: c})
	}
	return outcome{state: s, err: err}
}

// giveUp leaves the State as it is from now on: what comes can no longer be understood.
func (m *machine) giveUp(why error) error {
	if m.stuck == nil {
		m.stuck = why
		m.behind(why)
	}
	return why
}

// step is Apply without its effects. What fails leaves the State as it was, its index aside: on every node
// in the same way.
func (m *machine) step(old cib.State, l *raft.Log) (s cib.State, c cib.Command, err error) {
	defer func() {
		if p := recover(); p != nil {
			m.log.Error("a command of the log made us panic: it is left out, here and on every node; please report this",
				"index", l.Index, "panic", p, "stack", string(debug.Stack()))
			s, err = old, fmt.Errorf("the command of index %d cannot be applied: panic: %v", l.Index, p)
		}
		s.Index = l.Index
	}()
	c, err = m.speaks.DecodeCommand(l.Data)
	if err != nil {
		return old, c, fmt.Errorf("the command of index %d cannot be read: %w", l.Index, err)
	}
	s, err = m.speaks.Apply(old, c)
	if err != nil {
		return old, c, err
	}
	return s, c, nil
}

// Snapshot keeps the State as it is now.
func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	s := m.view()
	if m.stuck != nil {
		return nil, m.stuck
	}
	if s.Index > m.fed.Load() {
		return nil, fmt.Errorf("entries up to %d are still being read again", s.Index)
	}
	return snapshot{s}, nil
}

// Restore replaces the State by a snapshot that the leader has sent.
func (m *machine) Restore(r io.ReadCloser) error {
	s, err := m.speaks.DecodeState(r)
	if errors.Is(err, cib.ErrBehind) {
		return m.giveUp(err)
	}
	if err != nil {
		return fmt.Errorf("cannot read the leader's snapshot: %w", err)
	}
	m.state.Store(&s)
	m.tell(event{state: s})
	return nil
}

type snapshot struct {
	state cib.State
}

func (s snapshot) Persist(sink raft.SnapshotSink) error {
	if err := cib.EncodeState(sink, s.state); err != nil {
		_ = sink.Cancel()
		return fmt.Errorf("cannot write a snapshot: %w", err)
	}
	return sink.Close()
}

func (snapshot) Release() {}
