package peer

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/memnet"
)

// world is a cluster of peers on a network in memory.
type world struct {
	t     *testing.T
	net   *memnet.Network
	ca    *Identity
	rings int

	mu    sync.Mutex
	nodes []Node
	ids   map[string]*Identity
	peers map[string]*Peer
	cuts  map[cut]bool
	open  map[string]bool // invitations
}

// cut is a direction on a ring that loses everything; ring -1 is all.
type cut struct {
	from, to string
	ring     int
}

func newWorld(t *testing.T, rings int, names ...string) *world {
	t.Helper()
	ca, err := MakeCA("test")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, net: &memnet.Network{}, ca: ca, rings: rings, ids: map[string]*Identity{}, peers: map[string]*Peer{}, cuts: map[cut]bool{}, open: map[string]bool{}}
	for _, name := range names {
		w.add(name)
	}
	return w
}

func (w *world) addr(name string, ring int) string { return fmt.Sprintf("%s-%d:2225", name, ring) }

// add makes a member without starting it.
func (w *world) add(name string) {
	w.t.Helper()
	id, err := w.ca.MakeNode(name)
	if err != nil {
		w.t.Fatal(err)
	}
	n := Node{Name: name, KeyHash: id.KeyHash()}
	for ring := range w.rings {
		n.Addrs = append(n.Addrs, w.addr(name, ring))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[name] = id
	w.nodes = append(w.nodes, n)
}

func (w *world) list() []Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.nodes)
}

func (w *world) remove(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = slices.DeleteFunc(slices.Clone(w.nodes), func(n Node) bool { return n.Name == name })
}

func (w *world) identity(name string) *Identity {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ids[name]
}

func (w *world) config(name string) Config {
	conf := Config{
		Name:     name,
		Identity: func() *Identity { return w.identity(name) },
		Peers:    w.list,
		Invited: func(hash string) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.open[hash]
		},
		Faults:   faults{w, name},
		Log:      slog.New(slog.NewTextHandler(testWriter{w.t}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Listener: w.net.Listen,
		Dial: func(ctx context.Context, local, remote string) (net.Conn, error) {
			c, err := w.net.Dial(ctx, local, remote)
			if err != nil {
				return nil, err
			}
			host, _, _ := net.SplitHostPort(remote)
			node, ring, _ := strings.Cut(host, "-")
			k := int(ring[0] - '0')
			return &ringConn{gate: newGate(c, ringFaults{w, name, k}, node)}, nil
		},
	}
	for ring := range w.rings {
		conf.Listen = append(conf.Listen, w.addr(name, ring))
	}
	return conf
}

// start makes and starts peers; they are stopped at the end of the test.
func (w *world) start(names ...string) {
	w.t.Helper()
	for _, name := range names {
		p := New(w.config(name))
		p.Handle("echo", func(_ context.Context, from string, req []byte) ([]byte, error) {
			return []byte(from + " said " + string(req)), nil
		})
		if err := p.Start(); err != nil {
			w.t.Fatal(err)
		}
		w.peers[name] = p
		w.t.Cleanup(p.Stop)
	}
}

func (w *world) cut(c cut, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cuts[c] = on
}

func (w *world) isCut(from, to string, ring int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cuts[cut{from, to, ring}]
}

// faults are those of one node on all rings.
type faults struct {
	w    *world
	name string
}

func (f faults) Blocked(string) bool          { return false }
func (f faults) BlockedTo(node string) bool   { return f.w.isCut(f.name, node, -1) }
func (f faults) BlockedFrom(node string) bool { return f.w.isCut(node, f.name, -1) }

// ringFaults cut one ring, on the side that dialled.
type ringFaults struct {
	w    *world
	name string
	ring int
}

func (f ringFaults) Blocked(string) bool          { return false }
func (f ringFaults) BlockedTo(node string) bool   { return f.w.isCut(f.name, node, f.ring) }
func (f ringFaults) BlockedFrom(node string) bool { return f.w.isCut(node, f.name, f.ring) }

type ringConn struct{ *gate }

// cutRing cuts a ring between two nodes, whoever dialled.
func (w *world) cutRing(a, b string, ring int, on bool) {
	w.cut(cut{a, b, ring}, on)
	w.cut(cut{b, a, ring}, on)
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

func (w *world) call(from, to, text string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	reply, err := w.peers[from].Call(ctx, to, "echo", []byte(text))
	return string(reply), err
}

func (w *world) mustCall(from, to string) {
	w.t.Helper()
	got, err := w.call(from, to, "hello")
	if err != nil || got != from+" said hello" {
		w.t.Fatalf("call from %s to %s: %q, %v", from, to, got, err)
	}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func tokenFor(t *testing.T, w *world, addrs ...string) (string, string) {
	t.Helper()
	token, hash, err := NewToken(w.ca.Fingerprint(), addrs)
	if err != nil {
		t.Fatal(err)
	}
	return token, hash
}
