// Package apitest is a cluster in memory behind the API, for tests of what talks to it.
//
// It owns a Backend that applies commands to a State of its own, and a server on a socket in a directory of the
// test. It promises that what was proposed can be read back at once. It runs nothing: no plan, no agent.
package apitest

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/wire"
)

// Backend is a cluster in memory. Fields are set before it is used.
type Backend struct {
	Apply   func(cib.State, cib.Command) (cib.State, error)
	Journal *events.Journal
	Node    wire.Node
	Links   []wire.Link
	Waiting []wire.Waiting    // what Rest answers; none: settled
	Inputs  map[string][]byte // of transitions, by id
	Graphs  map[string][]byte
	Plans   []wire.Transition
	Devs    []wire.Device
	Reports map[string][]byte // by node; one that has none cannot be reached
	Now     func() time.Time
	First   func() // is called before each command is applied: what somebody else does first

	mu        sync.Mutex
	state     cib.State
	Commands  []cib.Command // that were proposed
	Requested []cib.FenceRequest
	stopped   []string
}

var _ api.Backend = (*Backend)(nil)

// New makes a cluster from a CIB.
func New(t testing.TB, name, document string) *Backend {
	t.Helper()
	c, err := cib.Decode("test", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	b := &Backend{Journal: events.NewJournal(100), Node: wire.Node{Name: name, ID: "1", Cluster: "test", Leader: name, Term: 3, Quorate: true,
		Version: "test"}, Now: func() time.Time { return time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC) }}
	b.state = cib.State{Index: 7, CIB: c, Cluster: cib.Cluster{Name: "test"}}
	for _, n := range c.Nodes {
		b.state.Cluster.Members = append(b.state.Cluster.Members, cib.Member{ID: n.ID, Name: n.Name, Votes: 1})
	}
	b.Apply = cib.Apply
	return b
}

// Serve puts the cluster behind a socket and returns the socket's path and a client of it.
func (b *Backend) Serve(t testing.TB) (string, *client.Client) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	s := api.New(api.Config{Backend: b, Journal: b.Journal, Log: slog.New(slog.DiscardHandler), Now: b.Now, Socket: socket})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(socket, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Stop()
	})
	return socket, c
}

// Current is the state as it is now.
func (b *Backend) Current() cib.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// State gives the state.
func (b *Backend) State(context.Context, bool) (cib.State, error) { return b.Current(), nil }

// Propose applies a command.
func (b *Backend) Propose(_ context.Context, c cib.Command) (cib.State, error) {
	if b.First != nil {
		b.First()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c.At = b.Now()
	next, err := b.Apply(b.state, c)
	if err == nil && c.Config != nil {
		err = cib.Refuse(b.state.CIB, next.CIB)
	}
	if err != nil {
		return cib.State{}, err
	}
	next.Index = b.state.Index + 1
	b.Commands = append(b.Commands, c)
	b.Journal.Add(events.Derive(b.state, next, c)...)
	b.state = next
	return next, nil
}

// Rest answers with what the test says.
func (b *Backend) Rest(context.Context, uint64) (wire.Rest, error) {
	return wire.Rest{Settled: len(b.Waiting) == 0, Plan: "3/4", Waiting: b.Waiting}, nil
}

// Settle waits until the context ends if there is something to wait for.
func (b *Backend) Settle(ctx context.Context, index uint64) (wire.Rest, error) {
	if len(b.Waiting) > 0 {
		<-ctx.Done()
	}
	return b.Rest(ctx, index)
}

// Fence succeeds, except for a node that is not there.
func (b *Backend) Fence(_ context.Context, r cib.FenceRequest) (cib.FenceRecord, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Requested = append(b.Requested, r)
	rec := cib.FenceRecord{FenceRequest: r, State: cib.FenceDone, Evidence: cib.ByAgent, Node: b.Node.Name, Requested: b.Now(), Completed: b.Now()}
	if b.state.CIB.NodeByName(r.Target) == nil {
		rec.State, rec.Evidence, rec.Error = cib.FenceFailed, "", "no device can fence "+r.Target
	}
	b.state.Fencing = append(slices.Clip(b.state.Fencing), rec)
	return rec, nil
}

// Confirm records an operator's word.
func (b *Backend) Confirm(_ context.Context, target, by string) (cib.FenceRecord, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.CIB.NodeByName(target) == nil {
		return cib.FenceRecord{}, fmt.Errorf("node %s: %w", target, api.ErrNotFound)
	}
	rec := cib.FenceRecord{FenceRequest: cib.FenceRequest{Target: target, Action: "off", By: by}, State: cib.FenceDone,
		Evidence: cib.ByOperator, Requested: b.Now(), Completed: b.Now()}
	b.state.Fencing = append(slices.Clip(b.state.Fencing), rec)
	return rec, nil
}

// Devices lists what the test says.
func (b *Backend) Devices(context.Context, string) ([]wire.Device, error) { return b.Devs, nil }

// Transitions lists what the test says.
func (b *Backend) Transitions(context.Context) ([]wire.Transition, error) { return b.Plans, nil }

// TransitionInput gives what the test says.
func (b *Backend) TransitionInput(_ context.Context, id string) ([]byte, error) {
	return lookup(b.Inputs, id)
}

// TransitionGraph gives what the test says.
func (b *Backend) TransitionGraph(_ context.Context, id string) ([]byte, error) {
	return lookup(b.Graphs, id)
}

func lookup(m map[string][]byte, id string) ([]byte, error) {
	if data, ok := m[id]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("transition %s: %w", id, api.ErrNotFound)
}

// Self is the node that answers.
func (b *Backend) Self() wire.Node {
	n := b.Node
	n.Index = b.Current().Index
	return n
}

// Cluster describes the members: those are heard that were not stopped.
func (b *Backend) Cluster(context.Context) (wire.Cluster, error) {
	st := b.Current()
	b.mu.Lock()
	stopped := slices.Clone(b.stopped)
	b.mu.Unlock()
	c := wire.Cluster{Cluster: st.Cluster, Links: b.Links}
	for _, m := range st.Cluster.Members {
		c.Seen = append(c.Seen, wire.Seen{Name: m.Name, ID: m.ID, Heard: !slices.Contains(stopped, m.Name), LastHeard: b.Now(), Ready: true})
		c.Voters = append(c.Voters, m.Name)
	}
	c.Quorum = wire.Quorum{Quorate: true, Votes: len(c.Members), Expected: len(c.Members), Needed: len(c.Members)/2 + 1}
	return c, nil
}

// Invite makes a token that opens nothing.
func (b *Backend) Invite(_ context.Context, i wire.Invite, _ string) (wire.Invited, error) {
	return wire.Invited{Token: "token", Expires: b.Now().Add(time.Duration(i.ValidMS) * time.Millisecond)}, nil
}

// Remove takes a member out.
func (b *Backend) Remove(_ context.Context, node string, _ bool, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.Cluster.Member(node) == nil {
		return fmt.Errorf("node %s: %w", node, api.ErrNotFound)
	}
	b.state.Cluster.Members = slices.DeleteFunc(slices.Clone(b.state.Cluster.Members), func(m cib.Member) bool { return m.Name == node })
	return nil
}

// Options sets what is given.
func (b *Backend) Options(_ context.Context, o wire.Options, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.Quorum != nil {
		b.state.Cluster.Quorum = *o.Quorum
	}
	if o.Timing != nil {
		b.state.Cluster.Timing = *o.Timing
	}
	if o.KeyDays != nil {
		b.state.Cluster.KeyDays = *o.KeyDays
	}
	return nil
}

// Stop has a member not be heard any more; the server goes on.
func (b *Backend) Stop(_ context.Context, node, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = append(b.stopped, node)
	return nil
}

// Debug knows one topic.
func (b *Backend) Debug(_ context.Context, what string) (any, error) {
	if what == "" {
		return []string{"state"}, nil
	}
	return nil, fmt.Errorf("topic %s: %w", what, api.ErrNotFound)
}

// Upgrade says that there is nothing to upgrade.
func (b *Backend) Upgrade(context.Context, bool, string) (wire.Upgrade, error) {
	st := b.Current()
	return wire.Upgrade{Agreed: st.Agreed(), Members: []wire.Speaks{{Node: b.Node.Name, Speaks: st.Agreed()}}}, nil
}

// Rotate and RotateCA are accepted, and do nothing.
func (b *Backend) Rotate(context.Context, string, string) error { return nil }

// RotateCA is.
func (b *Backend) RotateCA(context.Context, string) error { return nil }

// Report is what was set; a node without one cannot be reached.
func (b *Backend) Report(_ context.Context, node string, _, _ time.Time) ([]byte, error) {
	if data, ok := b.Reports[node]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("%s cannot be reached", node)
}
