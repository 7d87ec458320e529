package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// strike has a host fail to prove who it is, or be turned away before that, and reports which.
func strike(t *testing.T, w *world, host string) (heard bool) {
	t.Helper()
	c, err := w.net.Dial(t.Context(), host, w.addr("n1", 0))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	client := tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protoLink}})
	if err = client.Handshake(); err == nil {
		_, err = client.Read(make([]byte, 1))
	}
	return isAlert(err)
}

func TestStrangersFailNoMoreThanTheyMay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		heard := 0
		for range 2 * maxFailures {
			if strike(t, w, "evil") {
				heard++
			}
		}
		if heard != maxFailures {
			t.Errorf("a stranger was heard %d times, not %d", heard, maxFailures)
		}
		if !strike(t, w, "other") {
			t.Error("another stranger is not heard: it has done nothing")
		}
		w.mustCall("n2", "n1")
		time.Sleep(10 * time.Second)
		if !strike(t, w, "evil") {
			t.Error("it is held against a stranger for ever")
		}
		for range 2 * maxFailures { // what somebody on its host does is not held against a member
			strike(t, w, "n2-0")
		}
		p := w.peers["n1"]
		p.door.mu.Lock()
		remembered := len(p.door.failed)
		p.door.mu.Unlock()
		if remembered > 3 {
			t.Errorf("%d addresses are remembered", remembered)
		}
	})
}

func TestACrowdOfStrangersKeepsNobodyOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		w.mustCall("n2", "n1")
		for i := range 2 * maxHandshakes { // they connect, and say nothing
			c, err := w.net.Dial(t.Context(), fmt.Sprintf("evil%d", i), w.addr("n1", 0))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			synctest.Wait()
		}
		p := w.peers["n1"]
		p.door.mu.Lock()
		inside := p.door.inside
		p.door.mu.Unlock()
		if inside != maxHandshakes {
			t.Errorf("%d strangers are inside, not %d", inside, maxHandshakes)
		}
		s, err := w.peers["n2"].Stream("n1", protoNone, time.Second) // refused, but heard
		if err == nil {
			s.Close()
		}
		w.peers["n1"].Accept("x")
		if s, err = w.peers["n2"].Stream("n1", "x", time.Second); err != nil {
			t.Errorf("a member does not get in: %v", err)
		} else {
			s.Close()
		}
		time.Sleep(2 * handshakeTimeout)
		p.door.mu.Lock()
		defer p.door.mu.Unlock()
		if p.door.inside != 0 || len(p.door.byHost) != 0 {
			t.Errorf("%d strangers that say nothing stay, %d hosts", p.door.inside, len(p.door.byHost))
		}
	})
}

// protoNone is a protocol that nobody speaks.
const protoNone = "cerco/none"

func TestAddressesAreRememberedWithinBounds(t *testing.T) {
	now := time.Unix(1e9, 0)
	d := newDoor(func() time.Time { return now })
	fail := func(addr string) bool {
		v := d.enter(addr)
		if v == nil {
			return false
		}
		v.failed()
		v.leave()
		return true
	}
	for i := range 2 * maxStrangers {
		fail(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if len(d.failed) != maxStrangers {
		t.Errorf("%d addresses are remembered, not %d", len(d.failed), maxStrangers)
	}
	if fail("192.0.2.1:1") {
		t.Error("beyond the bound, strangers do not share an account")
	}
	now = now.Add(time.Hour)
	if !fail("192.0.2.1:1") || len(d.failed) != 1 {
		t.Errorf("after an hour %d addresses are remembered", len(d.failed))
	}
	n := 0
	for i := range 2 * maxFailures {
		if fail(fmt.Sprintf("[2001:db8::%x]:1", i)) {
			n++
		}
	}
	if n != maxFailures {
		t.Errorf("a stranger with a network of its own was heard %d times, not %d", n, maxFailures)
	}
}

func TestNobodySaysMuchBeforeItIsKnown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.ca.Cert = w.identity("n1").Cert // only for the bytes of a key in knock
		w.start("n1")
		long := w.identity("n2").chain(false)
		for range 200 {
			long.Certificate = append(long.Certificate, w.ca.CAs[0].Raw)
		}
		if data, err := knock(t, w, long, protoLink); err == nil && len(data) > 0 {
			t.Errorf("a member with %d certificates is let in", len(long.Certificate))
		}
		if data, _ := knock(t, w, w.identity("n2").chain(false), protoLink); len(data) == 0 {
			t.Error("a member is not let in either: this test sees nothing")
		}
	})
}

func TestAnInvitationIsUsedByOneAtATime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1")
		w.start("n1")
		entered := make(chan struct{}, 10)
		leave := make(chan struct{})
		w.peers["n1"].HandleJoin(func(context.Context, string, JoinRequest) (JoinReply, error) {
			entered <- struct{}{}
			<-leave
			return JoinReply{}, errors.New("no room")
		})
		token, hash := tokenFor(t, w, w.addr("n1", 0))
		w.mu.Lock()
		w.open[hash] = true
		w.mu.Unlock()
		dial := func(ctx context.Context, _, remote string) (net.Conn, error) { return w.net.Dial(ctx, "n9", remote) }
		answers := make(chan error, 5)
		for range 5 {
			go func() {
				_, _, err := Join(t.Context(), token, "n9", nil, dial)
				answers <- err
			}()
		}
		synctest.Wait()
		if n := len(entered); n != 1 {
			t.Errorf("%d joins with one invitation at one time", n)
		}
		close(leave)
		for range 5 {
			if err := <-answers; err == nil {
				t.Error("joined")
			}
		}
		w.peers["n1"].door.mu.Lock()
		defer w.peers["n1"].door.mu.Unlock()
		if len(w.peers["n1"].door.joining) != 0 {
			t.Error("the invitation stays in use")
		}
	})
}

// serveHTTP puts a web server behind n1's door.
func (w *world) serveHTTP() {
	w.t.Helper()
	l, err := w.net.Listen("n1-0:2224")
	if err != nil {
		w.t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		name, _ := r.Context().Value(nameKey{}).(string)
		_, _ = io.WriteString(out, "hello "+name)
	}), ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, nameKey{}, MemberOf(c))
	}}
	door := w.peers["n1"].Door(l, "http/1.1")
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(door) }()
	w.t.Cleanup(func() { _ = srv.Close(); <-done })
}

type nameKey struct{}

// browser is a connection of whoever holds an identity to n1's web server.
type browser struct{ *tls.Conn }

func (w *world) browse(t *testing.T, host string, id *tls.Certificate) (*browser, error) {
	t.Helper()
	raw, err := w.net.Dial(t.Context(), host, "n1-0:2224")
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.SetDeadline(time.Now().Add(time.Minute))
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return id, nil }})
	if err := c.Handshake(); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return &browser{c}, nil
}

func (b *browser) get() (string, error) {
	if _, err := io.WriteString(b, "GET / HTTP/1.1\r\nHost: n1\r\n\r\n"); err != nil {
		return "", err
	}
	buf := make([]byte, 1000)
	n, err := b.Read(buf)
	return string(buf[:n]), err
}

func TestTheDoorForOtherProtocols(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2", "n3")
		w.start("n1", "n2", "n3")
		w.serveHTTP()
		other := newWorld(t, 1, "n2")
		for who, id := range map[string]*tls.Certificate{"nobody": {}, "another cluster's n2": other.identity("n2").chain(false)} {
			if b, err := w.browse(t, "evil", id); err == nil {
				if text, err := b.get(); err == nil || text != "" {
					t.Errorf("%s gets %q", who, text)
				}
				b.Close()
			}
		}
		b2, err := w.browse(t, "n2-0", w.identity("n2").chain(false))
		if err != nil {
			t.Fatal(err)
		}
		b3, err := w.browse(t, "n3-0", w.identity("n3").chain(false))
		if err != nil {
			t.Fatal(err)
		}
		defer b2.Close()
		defer b3.Close()
		for name, b := range map[string]*browser{"n2": b2, "n3": b3} {
			if text, err := b.get(); err != nil || !strings.Contains(text, "hello "+name) {
				t.Errorf("%s gets %q, %v", name, text, err)
			}
		}
		// A member that is removed, or whose key is another one now, is cut off in the middle of a connection.
		w.agreeOn("n3", w.renew("n3"))
		w.remove("n2")
		w.peers["n1"].Refresh()
		for name, b := range map[string]*browser{"n2": b2, "n3": b3} {
			if text, err := b.get(); err == nil {
				t.Errorf("%s still gets %q", name, text)
			}
		}
		again, err := w.browse(t, "n3-0", w.identity("n3").chain(false))
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if text, err := again.get(); err != nil || !strings.Contains(text, "hello n3") {
			t.Errorf("with its next key, n3 gets %q, %v", text, err)
		}
		p := w.peers["n1"]
		synctest.Wait()
		p.mu.Lock()
		guests, open := len(p.remotes["n3"].guests), len(p.open)
		p.mu.Unlock()
		if guests != 1 || open > 4 {
			t.Errorf("%d guests, %d sockets are remembered", guests, open)
		}
	})
}

func TestAMemberHasSoManyConnections(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		w.serveHTTP()
		served := 0
		for range maxGuests + 10 {
			b, err := w.browse(t, "n2-0", w.identity("n2").chain(false))
			if err != nil {
				continue
			}
			defer b.Close()
			if _, err := b.get(); err == nil {
				served++
			}
		}
		if served != maxGuests {
			t.Errorf("%d connections are served, not %d", served, maxGuests)
		}
	})
}
