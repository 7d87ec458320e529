package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/memnet"
)

// rig is a cluster of stores over a network in memory. It runs in a synctest bubble: time is virtual.
type rig struct {
	t      testing.TB
	net    *memnet.Network
	base   string
	names  []string
	mu     sync.Mutex // never held while time passes: mutexes are nothing that synctest waits for
	stores map[string]*Store
	timing Timing
	log    *slog.Logger
	slow   func() time.Duration
}

func newRig(t testing.TB, nodes int) *rig {
	r := &rig{t: t, net: &memnet.Network{}, base: t.TempDir(), stores: map[string]*Store{}, log: slog.New(slog.DiscardHandler)}
	if os.Getenv("STORE_LOG") != "" {
		r.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	for i := range nodes {
		r.names = append(r.names, fmt.Sprintf("n%d", i+1))
	}
	t.Cleanup(func() {
		for _, n := range r.names {
			r.stop(n)
		}
	})
	return r
}

func member(i int) cib.Member {
	return cib.Member{ID: fmt.Sprint(i), Name: fmt.Sprintf("n%d", i), Addrs: []string{fmt.Sprintf("n%d:2225", i)}, Votes: 1}
}

func clusterOf(n int) cib.Cluster {
	c := cib.Cluster{Name: "test", Generation: 1, LastID: n}
	for i := range n {
		c.Members = append(c.Members, member(i+1))
	}
	return c
}

func (r *rig) start(name string) *Store {
	r.t.Helper()
	l, err := r.net.Listen(name + ":raft")
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := Open(Config{
		Dir: filepath.Join(r.base, name), Name: name, Listener: l, Timing: r.timing, Log: r.log.With("node", name), SlowDisk: r.slow,
		Dial: func(node string, timeout time.Duration) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			defer cancel()
			return r.net.Dial(ctx, name, node+":raft")
		},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.set(name, s)
	return s
}

func (r *rig) set(name string, s *Store) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s == nil {
		delete(r.stores, name)
	} else {
		r.stores[name] = s
	}
}

func (r *rig) get(name string) *Store {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stores[name]
}

// stop ends a store in good order.
func (r *rig) stop(name string) {
	if s := r.get(name); s != nil {
		r.set(name, nil)
		if err := s.Close(); err != nil {
			r.t.Errorf("%s: close: %v", name, err)
		}
	}
}

// up starts all stores; the first one founds the cluster and takes the others in.
func (r *rig) up() *Store {
	r.t.Helper()
	for _, n := range r.names {
		r.start(n)
	}
	first := r.stores[r.names[0]]
	if err := first.Bootstrap(cib.NewState(clusterOf(len(r.names)))); err != nil {
		r.t.Fatal(err)
	}
	r.until("all vote", func() bool {
		lead := r.leader()
		return lead != nil && r.voters(lead) == min(len(r.names), MaxVoters)
	})
	return first
}

func (r *rig) voters(s *Store) int {
	n := 0
	for _, v := range s.Voters() {
		if v.Votes {
			n++
		}
	}
	return n
}

// leader is the one store that leads, or nil.
func (r *rig) leader() *Store {
	var best *Store
	var top uint64
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.stores {
		n := s.node.Load()
		if n == nil {
			continue
		}
		if name, term := s.Leader(); name == s.cfg.Name && term > top && n.leads(term) {
			best, top = s, term
		}
	}
	return best
}

// until waits, in virtual time, for something to become true.
func (r *rig) until(what string, ok func() bool) time.Duration {
	r.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > time.Minute {
			r.t.Fatalf("not within a minute: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

func setAttr(node, name, value string) cib.Command {
	return cib.Command{At: time.Unix(1e9, 0), By: "test",
		Attributes: []cib.AttributeUpdate{{Node: node, Name: name, Value: value, Permanent: true}}}
}

// attr reads what setAttr has set.
func attr(s cib.State, node, name string) string {
	for _, n := range s.CIB.Nodes {
		if n.Name != node {
			continue
		}
		for _, set := range n.Attrs {
			for _, p := range set.Pairs {
				if p.Name == name {
					return p.Value
				}
			}
		}
	}
	return ""
}

func (r *rig) propose(s *Store, value string) {
	r.t.Helper()
	if _, err := s.Propose(context.Background(), setAttr("n1", "v", value)); err != nil {
		r.t.Fatalf("propose %s: %v", value, err)
	}
}

func (r *rig) sees(name, value string) func() bool {
	return func() bool { return attr(r.stores[name].View(), "n1", "v") == value }
}

func TestThreeNodesAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		var mu sync.Mutex
		var seen []string
		r.stores["n3"].Watch(func(s cib.State, c cib.Command) {
			mu.Lock()
			defer mu.Unlock()
			if len(c.Attributes) > 0 {
				seen = append(seen, c.Attributes[0].Value)
			}
		})
		for i := range 20 {
			r.propose(first, fmt.Sprint(i))
		}
		for _, n := range r.names {
			// As a rule at once, since the leader tells of a commit; its next heartbeat at the latest does.
			if took := r.until(n+" has it", r.sees(n, "19")); took > DefaultTiming.Heartbeat {
				t.Errorf("%s learnt it after %v", n, took)
			}
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if got := strings.Join(seen, " "); got != "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19" {
			t.Errorf("n3 saw %s", got)
		}
		if _, err := r.stores["n2"].Propose(context.Background(), setAttr("n1", "v", "x")); !errors.As(err, new(*NotLeaderError)) {
			t.Errorf("a follower took a proposal: %v", err)
		}
		if _, err := first.Propose(context.Background(), setAttr("nobody", "v", "x")); !errors.As(err, new(*cib.CommandError)) {
			t.Errorf("the error of Apply did not come back: %v", err)
		}
	})
}

func TestLeaderDiesAndAnotherLeadsWithAllThatWasAgreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		r.propose(first, "kept")
		r.net.Partition([]string{"n1"}, []string{"n2", "n3"})
		var next *Store
		took := r.until("another leads", func() bool { next = r.leader(); return next != nil && next != first })
		t.Logf("a new leader after %v", took)
		if took > 2500*time.Millisecond {
			t.Errorf("a new leader after %v", took)
		}
		if err := next.Barrier(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := attr(next.View(), "n1", "v"); got != "kept" {
			t.Errorf("the new leader has %q", got)
		}
		r.propose(next, "later")
		if err := first.VerifyLeader(context.Background()); err == nil {
			t.Error("the old leader still takes itself for one")
		}
		r.net.HealAll()
		if took := r.until("the old one follows", r.sees("n1", "later")); took > time.Second {
			t.Errorf("the old leader caught up after %v", took)
		}
	})
}
