package peer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// listen collects the messages of one service that a node gets.
type mailbox struct {
	mu  sync.Mutex
	got map[int][]string // by ring
}

func (w *world) mailbox(name, service string) *mailbox {
	m := &mailbox{got: map[int][]string{}}
	w.peers[name].HandleSend(service, func(from string, ring int, msg []byte) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.got[ring] = append(m.got[ring], from+":"+string(msg))
	})
	return m
}

func (m *mailbox) take() map[int][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = map[int][]string{}
	return got
}

func TestMessagesGoOverAllRings(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2")
		w.start("n1", "n2")
		m := w.mailbox("n2", "beat")
		w.peers["n1"].Send("n2", "beat", []byte("1"))
		w.peers["n1"].Send("n9", "beat", []byte("1"))
		w.peers["n1"].Send("n2", "nobody", []byte("1"))
		synctest.Wait()
		if got := fmt.Sprint(m.take()); got != "map[0:[n1:1] 1:[n1:1]]" {
			t.Errorf("the first message: %v", got)
		}
	})
}

// TestOnlyTheNewestWaits wants a slow link to get the newest message, and the sender never to wait.
func TestOnlyTheNewestWaits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		m := w.mailbox("n2", "beat")
		time.Sleep(3 * time.Second) // until one connection is left
		w.cut(cut{"n1", "n2", -1}, true)
		for i := range 10000 {
			w.peers["n1"].Send("n2", "beat", fmt.Append(nil, i))
		}
		w.cut(cut{"n1", "n2", -1}, false)
		time.Sleep(time.Second)
		got := m.take()[0]
		if len(got) == 0 || len(got) > 2 || got[len(got)-1] != "n1:9999" {
			t.Errorf("after a short cut: %d messages, %.100q", len(got), got)
		}
		// After a long one nothing old is delivered.
		w.cut(cut{"n1", "n2", -1}, true)
		time.Sleep(4 * time.Second)
		m.take()
		w.peers["n1"].Send("n2", "beat", []byte("old"))
		time.Sleep(4 * time.Second)
		w.cut(cut{"n1", "n2", -1}, false)
		time.Sleep(2 * time.Second)
		if got := m.take(); len(got) != 0 {
			t.Errorf("after a long cut: %v", got)
		}
		w.peers["n1"].Send("n2", "beat", []byte("new"))
		time.Sleep(time.Millisecond)
		if got := fmt.Sprint(m.take()); got != "map[0:[n1:new]]" {
			t.Errorf("after a long cut: %v", got)
		}
	})
}

func TestSilenceIsNoticed(t *testing.T) {
	for _, c := range []struct {
		name string
		cuts []cut
	}{
		{"both ways", []cut{{"n1", "n2", -1}, {"n2", "n1", -1}}},
		{"to it", []cut{{"n1", "n2", -1}}},
		{"from it", []cut{{"n2", "n1", -1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, 1, "n1", "n2")
				w.start("n1", "n2")
				done := make(chan struct{})
				stopped := make(chan struct{})
				go func() { // heartbeats
					defer close(stopped)
					for {
						w.peers["n1"].Send("n2", "beat", nil)
						w.peers["n2"].Send("n1", "beat", nil)
						select {
						case <-done:
							return
						case <-time.After(100 * time.Millisecond):
						}
					}
				}()
				defer func() { close(done); <-stopped }()
				time.Sleep(time.Minute)
				for name, p := range w.peers {
					l := p.Links()[0]
					if !l.Up || l.Error != "" || time.Since(l.Since) < 59*time.Second {
						t.Errorf("%s after a quiet minute: %+v", name, l)
					}
				}
				for _, cut := range c.cuts {
					w.cut(cut, true)
				}
				time.Sleep(600 * time.Millisecond)
				for name, p := range w.peers {
					if l := p.Links()[0]; l.Up || l.Error == "" {
						t.Errorf("%s does not notice within 600 ms: %+v", name, l)
					}
				}
				time.Sleep(time.Minute)
				for _, cut := range c.cuts {
					w.cut(cut, false)
				}
				time.Sleep(1300 * time.Millisecond)
				for name, p := range w.peers {
					if l := p.Links()[0]; !l.Up {
						t.Errorf("%s is not back after 1.3 s: %+v", name, l)
					}
				}
			})
		})
	}
}

// TestOneConnectionIsLeft wants a pair that dialled each other at the same time to settle on one connection.
func TestOneConnectionIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2")
		w.start("n1", "n2")
		time.Sleep(5 * time.Second)
		for name, p := range w.peers {
			p.mu.Lock()
			for _, r := range p.remotes {
				for _, l := range r.links {
					if len(l.conns) != 1 {
						t.Errorf("%s has %d connections on ring %d", name, len(l.conns), l.ring)
					}
				}
			}
			p.mu.Unlock()
		}
	})
}

func TestManyNodesDialOnlyWhatTheyUse(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var names []string
		for i := range 12 {
			names = append(names, fmt.Sprintf("n%d", i))
		}
		w := newWorld(t, 1, names...)
		w.start(names...)
		time.Sleep(time.Second)
		up := func() (n int) {
			for _, l := range w.peers["n0"].Links() {
				if l.Up {
					n++
				} else if !l.Idle {
					t.Errorf("a link that nobody uses counts as broken: %+v", l)
				}
			}
			return n
		}
		if n := up(); n != 0 {
			t.Errorf("%d links are up that nobody uses", n)
		}
		w.mustCall("n0", "n5")
		if n := up(); n != 1 {
			t.Errorf("%d links are up after one call", n)
		}
		time.Sleep(3 * time.Minute)
		if n := up(); n != 0 {
			t.Errorf("%d links are up that nobody has used for minutes", n)
		}
	})
}

func TestRestartedPeerIsFoundAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		w.mustCall("n1", "n2")
		w.peers["n2"].Stop()
		time.Sleep(time.Second)
		w.start("n2")
		time.Sleep(1100 * time.Millisecond)
		if l := w.peers["n1"].Links()[0]; !l.Up {
			t.Errorf("the link is down: %+v", l)
		}
		w.mustCall("n1", "n2")
		w.mustCall("n2", "n1")
	})
}

func TestStreams(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2")
		w.start("n1", "n2")
		if _, err := w.peers["n2"].Stream("n1", "cerco/raft", time.Second); !errors.Is(err, ErrUnreachable) {
			t.Errorf("nobody accepts: %v", err)
		}
		l := w.peers["n1"].Accept("cerco/raft")
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					_, _ = io.WriteString(c, c.RemoteAddr().String()+"!")
					_, _ = io.Copy(c, c)
				}()
			}
		}()
		time.Sleep(time.Second)
		s := w.mustStream("n2", "n1")
		if got := talk(t, s, "abc"); got != "n2!abc" {
			t.Errorf("the stream says %q", got)
		}
		// Its ring falls silent: it is cut soon, and the next one takes the other ring.
		w.cutRing("n1", "n2", 0, true)
		began := time.Now()
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Error("a stream over a dead ring lives on")
		}
		if took := time.Since(began); took > 400*time.Millisecond {
			t.Errorf("it took %v to cut it", took)
		}
		_ = s.Close()
		s = w.mustStream("n2", "n1")
		if got := talk(t, s, "def"); got != "n2!def" {
			t.Errorf("the second stream says %q", got)
		}
		_ = s.Close()
		_ = l.Close()
		if _, err := w.peers["n2"].Stream("n1", "cerco/raft", time.Second); !errors.Is(err, ErrUnreachable) {
			t.Errorf("nobody accepts any longer: %v", err)
		}
	})
}

func (w *world) mustStream(from, to string) net.Conn {
	w.t.Helper()
	s, err := w.peers[from].Stream(to, "cerco/raft", time.Second)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func talk(t *testing.T, s net.Conn, text string) string {
	t.Helper()
	if _, err := io.WriteString(s, text); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 3+len(text))
	if _, err := io.ReadFull(s, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}
