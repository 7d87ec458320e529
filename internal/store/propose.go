package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Propose has a command carried out, and returns the State that it has led to. Only the leader can;
// elsewhere it returns a NotLeaderError. Errors of cib.Apply come back as they are: the command is in the
// log and has changed nothing. With ErrUncertain nobody knows. Proposals made at the same time share a write
// to the disk.
func (s *Store) Propose(ctx context.Context, c cib.Command) (cib.State, error) {
	return s.Begin(c)(ctx)
}

// Begin is Propose in two steps: the command takes its place in the log's order now, behind those that were begun
// before it, and what is returned waits for the outcome. It must be called, once.
func (s *Store) Begin(c cib.Command) (outcomeOf func(context.Context) (cib.State, error)) {
	n := s.node.Load()
	if n == nil {
		return func(context.Context) (cib.State, error) { return cib.NewState(cib.Cluster{}), s.noNode() }
	}
	if n.raft.State() != raft.Leader {
		return func(context.Context) (cib.State, error) { return n.fsm.view(), s.notLeader(n) }
	}
	var f raft.ApplyFuture
	answer := n.ask(func() raft.Future { f = n.raft.Apply(c.Stamped().Encode(), 0); return f })
	return func(ctx context.Context) (cib.State, error) {
		if err := answer(ctx); err != nil {
			return n.fsm.view(), s.explain(n, err)
		}
		o, ok := f.Response().(outcome)
		if !ok {
			return n.fsm.view(), fmt.Errorf("%w: the log answered %T", ErrUncertain, f.Response())
		}
		return o.state, o.err
	}
}

// Barrier waits until everything that was committed before is in View.
func (s *Store) Barrier(ctx context.Context) error {
	n := s.node.Load()
	if n == nil {
		return s.noNode()
	}
	if n.raft.State() != raft.Leader {
		return s.notLeader(n)
	}
	if err := n.ask(func() raft.Future { return n.raft.Barrier(0) })(ctx); err != nil {
		return s.explain(n, err)
	}
	n.nudges.committed(n.raft.CommitIndex())
	return nil
}

// VerifyLeader asks a majority whether we still lead: what is decided on View before it returns was
// decided by the one leader there is.
func (s *Store) VerifyLeader(ctx context.Context) error {
	n := s.node.Load()
	if n == nil {
		return s.noNode()
	}
	if err := n.contacts.ask(func() error { return n.ask(n.raft.VerifyLeader)(ctx) }); err != nil {
		return s.notLeader(n)
	}
	return nil
}

func (s *Store) noNode() error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	return ErrNoLog
}

func (s *Store) notLeader(n *node) error {
	leader, _ := n.raft.LeaderWithID()
	if string(leader) == s.cfg.Name {
		leader = ""
	}
	return &NotLeaderError{Leader: string(leader)}
}

// explain turns raft's errors into ours.
func (s *Store) explain(n *node, err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return s.notLeader(n)
	case errors.Is(err, raft.ErrLeadershipLost):
		return fmt.Errorf("%w: this node lost the leadership meanwhile", ErrUncertain)
	case errors.Is(err, raft.ErrRaftShutdown):
		return fmt.Errorf("%w: %w", ErrUncertain, errStopped)
	case errors.Is(err, errEnded), errors.Is(err, errStopped):
		return fmt.Errorf("%w: %w", ErrUncertain, err)
	}
	if d := s.DiskError(); d != nil && strings.Contains(err.Error(), d.Error()) {
		return fmt.Errorf("%w: %w", ErrUncertain, d)
	}
	return fmt.Errorf("%w: %w", ErrUncertain, err)
}
