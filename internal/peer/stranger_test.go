package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// knock connects to n1 as whoever holds an identity, says what a client could, and returns what comes back.
func knock(t *testing.T, w *world, id *tls.Certificate, protos ...string) ([]byte, error) {
	t.Helper()
	raw, err := w.net.Dial(t.Context(), "", w.addr("n1", 0))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(30 * time.Second))
	c := tls.Client(raw, &tls.Config{
		InsecureSkipVerify: true, NextProtos: protos,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if id == nil {
				return &tls.Certificate{}, nil
			}
			return id, nil
		},
	})
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	mine := hello{process: 1}.encode()
	_, _ = c.Write(append(appendHeader(nil, kindHello, 0, 0, len(mine)), mine...))
	_ = writeJoin(c, JoinRequest{Name: "x", Key: w.ca.Cert.RawSubjectPublicKeyInfo[:32]})
	return io.ReadAll(c)
}

func TestStrangersGetNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.ca.Cert = w.identity("n1").Cert // only for the bytes of a key in knock
		w.start("n1", "n2")
		p := w.peers["n1"]
		p.HandleJoin(func(context.Context, string, JoinRequest) (JoinReply, error) { return JoinReply{}, nil })
		p.Accept("cerco/raft")
		other := newWorld(t, 1, "n2")
		ghost, err := w.ca.MakeNode("n2") // ours, but the key is not n2's
		if err != nil {
			t.Fatal(err)
		}
		token, hash := tokenFor(t, w, "n1-0:2225")
		tok, err := ParseToken(token)
		if err != nil {
			t.Fatal(err)
		}
		invited := tokenCert(t, tok)
		selfSigned, err := MakeCA("n2")
		if err != nil {
			t.Fatal(err)
		}
		ca := &tls.Certificate{Certificate: [][]byte{w.ca.CAs[0].Raw}, PrivateKey: w.ca.CAKey}
		// A certificate that is n2's, without its key.
		stolen := &tls.Certificate{Certificate: w.identity("n2").chain(false).Certificate, PrivateKey: ghost.Key}

		protos := []string{protoLink, "cerco/raft", protoJoin, "h2", ""}
		for who, cert := range map[string]*tls.Certificate{
			"nobody":                      nil,
			"another cluster's n2":        other.identity("n2").chain(false),
			"a key that is not n2's":      ghost.chain(false),
			"self-signed":                 {Certificate: [][]byte{selfSigned.CAs[0].Raw}, PrivateKey: selfSigned.CAKey},
			"the authority itself":        ca,
			"n2's certificate, other key": stolen,
			"an invitation that is over":  invited,
			"a copy of n1":                w.identity("n1").chain(false),
		} {
			for _, proto := range protos {
				offer := []string{proto}
				if proto == "" {
					offer = nil
				}
				if data, err := knock(t, w, cert, offer...); err == nil || len(data) > 0 || errors.Is(err, io.EOF) {
					t.Errorf("%s, asking for %q, got %d bytes, %v", who, proto, len(data), err)
				} else if who == "n2's certificate, other key" && strings.Contains(err.Error(), "deadline") {
					t.Errorf("%s: %v", who, err)
				}
			}
		}
		// An open invitation opens the service join and nothing else; and its counterpart shows that the test
		// would see something.
		w.open[hash] = true
		for _, proto := range protos {
			data, err := knock(t, w, invited, proto)
			if proto == protoJoin && (err != nil || len(data) == 0) {
				t.Errorf("an invitation gets nothing for %s: %v", proto, err)
			} else if proto != protoJoin && (err == nil || len(data) > 0) {
				t.Errorf("an invitation got %d bytes for %s, %v", len(data), proto, err)
			}
		}
		data, _ := knock(t, w, w.identity("n2").chain(false), protoLink)
		if len(data) == 0 {
			t.Error("a member gets nothing either: this test sees nothing")
		}
	})
}

func tokenCert(t *testing.T, tok *Token) *tls.Certificate {
	t.Helper()
	conf, err := tok.clientTLS()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := conf.GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestGarbage wants at most an alert of TLS for whoever does not speak TLS, and a limit to patience.
func TestGarbage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1")
		w.start("n1")
		for _, text := range []string{"GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01", "", strings.Repeat("\x16", 70000)} {
			c, err := w.net.Dial(t.Context(), "", w.addr("n1", 0))
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.WriteString(c, text) }()
			began := time.Now()
			data, err := io.ReadAll(c)
			if len(data) > 7 || len(data) > 0 && data[0] != 21 || time.Since(began) > 3*time.Second {
				t.Errorf("%.10q got %q, %v after %v", text, data, err, time.Since(began))
			}
			_ = c.Close()
		}
	})
}

func TestHandshakesAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		var conns []net.Conn
		for range maxHandshakesOfHost + 10 {
			c, err := w.net.Dial(t.Context(), "evil", w.addr("n1", 0))
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
			synctest.Wait()
		}
		closed := 0
		for _, c := range conns {
			_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
				closed++
			}
		}
		if closed != 10 {
			t.Errorf("%d of %d connections without a handshake were closed at once, not 10", closed, len(conns))
		}
		w.mustCall("n2", "n1")
	})
}

func TestRemovedMemberIsCutOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2", "n3")
		w.start("n1", "n2", "n3")
		l := w.peers["n1"].Accept("cerco/raft")
		begun := make(chan struct{})
		ended := make(chan struct{})
		w.peers["n1"].Handle("hang", func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			close(begun)
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		})
		s, err := w.peers["n2"].Stream("n1", "cerco/raft", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer far.Close()
		go func() { _, _ = w.peers["n2"].Call(t.Context(), "n1", "hang", nil) }()
		<-begun
		w.mustCall("n3", "n1")

		w.remove("n2")
		w.peers["n1"].Refresh()
		<-ended
		if n, err := s.Read(make([]byte, 1)); err == nil {
			t.Errorf("the stream of a removed member still gives %d bytes", n)
		}
		time.Sleep(3 * time.Second)
		if _, err := w.call("n2", "n1", "let me in"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a removed member: %v", err)
		}
		if _, err := w.peers["n2"].Stream("n1", "cerco/raft", time.Second); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a stream of a removed member: %v", err)
		}
		w.mustCall("n3", "n1")
	})
}

func TestCertificatesChangeWhileRunning(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		w.mustCall("n1", "n2")
		fresh, err := w.ca.MakeNode("n2")
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.ids["n2"] = fresh
		w.nodes = append([]Node(nil), w.nodes...)
		w.nodes[1].KeyHash = fresh.KeyHash()
		w.mu.Unlock()
		w.peers["n1"].Refresh()
		w.peers["n2"].Refresh()
		w.mustCall("n1", "n2")
		w.mustCall("n2", "n1")
	})
}
