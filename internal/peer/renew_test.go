package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// renew gives a node its next key, as its daemon does: first it uses it, then the others agree on it.
func (w *world) renew(name string) *Identity {
	w.t.Helper()
	next, err := w.identity(name).Renew(w.ca.Issue)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids[name] = next
	return next
}

func (w *world) agreeOn(name string, id *Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = append([]Node(nil), w.nodes...)
	for i := range w.nodes {
		if w.nodes[i].Name == name {
			w.nodes[i].KeyHash = id.KeyHash()
		}
	}
}

func TestAKeyIsExchangedUnderLoad(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2", "n3")
		w.start("n1", "n2", "n3")
		var beats atomic.Int64
		w.peers["n1"].HandleSend("beat", func(string, int, []byte) { beats.Store(int64(time.Now().UnixMilli())) })
		slow := make(chan struct{})
		w.peers["n2"].Handle("slow", func(context.Context, string, []byte) ([]byte, error) {
			<-slow
			return []byte("done"), nil
		})
		outcome := make(chan error, 1)
		go func() {
			_, err := w.peers["n1"].Call(t.Context(), "n2", "slow", nil)
			outcome <- err
		}()
		ctx, cancel := context.WithCancel(t.Context())
		var beating sync.WaitGroup
		defer beating.Wait()
		defer cancel()
		beating.Go(func() {
			for ctx.Err() == nil {
				w.peers["n2"].Send("n1", "beat", []byte("x"))
				time.Sleep(50 * time.Millisecond)
			}
		})
		time.Sleep(time.Second)
		for range 3 {
			next := w.renew("n2")
			w.mustCall("n1", "n2")
			w.mustCall("n2", "n3")
			w.agreeOn("n2", next)
			for _, n := range []string{"n1", "n2", "n3"} {
				w.peers[n].Refresh()
			}
			time.Sleep(100 * time.Millisecond)
			w.mustCall("n1", "n2")
			w.mustCall("n2", "n3")
			if silence := time.Now().UnixMilli() - beats.Load(); silence > 200 {
				t.Errorf("n2 was not heard for %d ms", silence)
			}
		}
		close(slow)
		if err := <-outcome; err != nil {
			t.Errorf("a call that was under way: %v", err)
		}
	})
}

// A member that was off while keys were exchanged is let in by those that it knows, and lets them in.
func TestWhoWasOffKnowsTheNextKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		old := w.list()
		for range maxFormer {
			w.agreeOn("n1", w.renew("n1"))
		}
		w.start("n1")
		conf := w.config("n2")
		conf.Peers = func() []Node { return old }
		late := New(conf)
		late.Handle("echo", func(_ context.Context, from string, req []byte) ([]byte, error) {
			return append([]byte(from+" said "), req...), nil
		})
		if err := late.Start(); err != nil {
			t.Fatal(err)
		}
		defer late.Stop()
		w.peers["n2"] = late
		w.mustCall("n2", "n1")
		w.mustCall("n1", "n2")
	})
}

func TestAnOldKeyOpensNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		w.ca.Cert = w.identity("n1").Cert // only for the bytes of a key in knock
		stolen := w.identity("n2")
		w.agreeOn("n2", w.renew("n2"))
		w.peers["n1"].Refresh()
		// The thief has the old key vouch for one of its own.
		own, err := stolen.Renew(w.ca.Issue)
		if err != nil {
			t.Fatal(err)
		}
		for who, id := range map[string]*Identity{"the old key": stolen, "a key that it vouches for": own} {
			if data, err := knock(t, w, id.chain(false), protoLink); err == nil || len(data) > 0 {
				t.Errorf("%s got %d bytes, %v", who, len(data), err)
			}
		}
	})
}

func TestFormerKeysAreWorthNothingWithoutTheirWord(t *testing.T) {
	w := newWorld(t, 1, "n1", "n2")
	n1, n2 := w.identity("n1"), w.identity("n2")
	word := func(by *Identity) *Identity {
		id, err := by.Renew(w.ca.Issue)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	next, other := word(n1), word(n2)
	known := func(hash string) bool { return hash == n1.KeyHash() }
	if h, err := pinned(append([]*x509.Certificate{next.Cert}, next.Former...), known); err != nil || h != n1.KeyHash() {
		t.Errorf("the next key: %s, %v", h, err)
	}
	for name, certs := range map[string][]*x509.Certificate{
		"nothing":                     {},
		"the certificate alone":       {next.Cert},
		"half a pair":                 {next.Cert, next.Former[0]},
		"another one's word":          {next.Cert, other.Former[0], n1.Cert},
		"a word for another key":      {other.Cert, next.Former[0], n1.Cert},
		"a certificate for a word":    {next.Cert, next.Cert, n1.Cert},
		"the authority's word":        {next.Cert, n1.CAs[0], n1.Cert},
		"a word of the one after all": {other.Cert, other.Former[0], n1.Cert},
	} {
		if h, err := pinned(certs, known); err == nil {
			t.Errorf("%s is taken for %s", name, h)
		}
	}
}

// Wherever the writing of an identity is interrupted, what is there can be loaded, and is the old one or the new one.
func TestAnInterruptedSave(t *testing.T) {
	w := newWorld(t, 1, "n1")
	old := w.identity("n1")
	authority, err := MakeCA("test")
	if err != nil {
		t.Fatal(err)
	}
	authority.CAs = append(authority.CAs, old.CAs...)
	renewed, err := old.Renew(old.Issue)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Issue("n1", renewed.Key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	next, err := renewed.Follow(authority, cert)
	if err != nil {
		t.Fatal(err)
	}
	full := t.TempDir()
	if err := next.Save(full); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(full, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	steps := []struct{ to, from string }{{"node.key.new", "node.key"}, {"ca.key.new", "ca.key"}, {"ca.crt", "ca.crt"}, {"node.crt", "node.crt"}, {"node.key", "node.key"}, {"ca.key", "ca.key"}}
	for done := range len(steps) + 1 {
		dir := t.TempDir()
		if err := old.Save(dir); err != nil {
			t.Fatal(err)
		}
		for _, s := range steps[:done] {
			mode := fs.FileMode(0o600)
			if err := os.WriteFile(filepath.Join(dir, s.to), read(s.from), mode); err != nil {
				t.Fatal(err)
			}
		}
		got, err := LoadIdentity(dir)
		if err != nil {
			t.Errorf("interrupted after %d steps: %v", done, err)
			continue
		}
		if h := got.KeyHash(); h != old.KeyHash() && h != next.KeyHash() {
			t.Errorf("interrupted after %d steps, a third key", done)
		}
		if err := got.Save(dir); err != nil {
			t.Errorf("interrupted after %d steps: %v", done, err)
		}
	}
}
