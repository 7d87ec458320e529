package peer

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// tcpWorld starts peers on loopback addresses, each with one for each ring.
func tcpWorld(t testing.TB, n, rings int) []*Peer {
	t.Helper()
	ca, err := MakeCA("test")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		nodes []Node
		peers []*Peer
	)
	for i := range n {
		name := fmt.Sprintf("n%d", i+1)
		id, err := ca.MakeNode(name)
		if err != nil {
			t.Fatal(err)
		}
		conf := Config{
			Name:     name,
			Identity: func() *Identity { return id },
			Peers: func() []Node {
				mu.Lock()
				defer mu.Unlock()
				return nodes
			},
			Log: slog.New(slog.DiscardHandler),
		}
		for ring := range rings {
			conf.Listen = append(conf.Listen, fmt.Sprintf("127.%d.%d.%d:0", 77, ring+1, i+1))
		}
		p := New(conf)
		p.Handle("echo", func(_ context.Context, _ string, req []byte) ([]byte, error) { return req, nil })
		mu.Lock()
		nodes = append(nodes[:len(nodes):len(nodes)], Node{Name: name, KeyHash: id.KeyHash()})
		mu.Unlock()
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Stop)
		mu.Lock()
		nodes = append([]Node(nil), nodes...)
		nodes[i].Addrs = p.Addrs()
		mu.Unlock()
		peers = append(peers, p)
	}
	for _, p := range peers {
		p.Refresh()
	}
	return peers
}

func TestOverTCP(t *testing.T) {
	before := runtime.NumGoroutine()
	peers := tcpWorld(t, 3, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, p := range peers {
		for _, q := range peers {
			if reply, err := p.Call(ctx, q.cfg.Name, "echo", []byte("x")); err != nil || string(reply) != "x" {
				t.Errorf("%s to %s: %q, %v", p.cfg.Name, q.cfg.Name, reply, err)
			}
		}
	}
	l := peers[0].Accept("cerco/raft")
	s, err := peers[1].Stream("n1", "cerco/raft", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range peers[1].Links() {
		if !link.Up {
			continue
		}
		host, _, err := net.SplitHostPort(link.Local)
		if want := fmt.Sprintf("127.77.%d.2", link.Ring+1); err != nil || host != want {
			t.Errorf("ring %d goes from %s, not from %s", link.Ring, link.Local, want)
		}
	}
	_, _ = s.Close(), far.Close()
	if _, err := New(peers[0].cfg).cfg.Listener(peers[0].Addrs()[0]); err == nil || !strings.Contains(err.Error(), "ss -ltnp") {
		t.Errorf("an address that is taken: %v", err)
	}
	for _, p := range peers {
		p.Stop()
		p.Stop()
		if _, err := p.Call(ctx, "n2", "echo", nil); err == nil {
			t.Error("a call after Stop")
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines are left of %d:\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
}

func BenchmarkCall(b *testing.B) {
	peers := tcpWorld(b, 2, 1)
	req := make([]byte, 200)
	for b.Loop() {
		if _, err := peers[0].Call(b.Context(), "n2", "echo", req); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHeartbeats is a second of a cluster at rest: n nodes that send a sign of life to one every 100 ms
// and get one back.
func BenchmarkHeartbeats(b *testing.B) {
	for _, n := range []int{16, 128} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			peers := tcpWorld(b, n, 1)
			beat := make([]byte, 200)
			got := make(chan struct{}, 10*n)
			for i, p := range peers {
				p.HandleSend("beat", func(from string, _ int, _ []byte) {
					if i == 0 {
						p.Send(from, "beat", beat)
						return
					}
					got <- struct{}{}
				})
			}
			for _, p := range peers[1:] {
				if _, err := p.Call(b.Context(), "n1", "echo", nil); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				for range 10 {
					for _, p := range peers[1:] {
						p.Send("n1", "beat", beat)
					}
					for range peers[1:] {
						<-got
					}
				}
			}
		})
	}
}
