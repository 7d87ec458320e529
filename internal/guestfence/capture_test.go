package guestfence_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// captures returns the recorded exchanges that end with a reply, by file.
func captures(t *testing.T) map[string][]guesttest.Exchange {
	t.Helper()
	files, err := filepath.Glob("testdata/captures/*.hex")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	out := map[string][]guesttest.Exchange{}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".hex")
		if name == "serial" {
			continue // single frames; the golden vectors have them
		}
		all, err := guesttest.Exchanges(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all {
			if len(e.Reply) > 0 {
				out[name] = append(out[name], e)
			}
		}
	}
	return out
}

// recordedWorld is as the recorded host's machines were, as far as the reply tells.
func recordedWorld(t *testing.T, r *protocol.Request, reply []byte) *guesttest.World {
	t.Helper()
	w := guesttest.NewWorld()
	result := protocol.Result(reply[0])
	if result == protocol.HostsList {
		hosts, err := protocol.ReadList(bytes.NewReader(reply[1:]))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			w.Add("h", guestfence.Machine{Name: h.Name, UUID: h.UUID, State: guestfence.State(h.State)})
		}
		return w
	}
	m := guestfence.Machine{Name: r.Domain, UUID: r.Domain, State: guestfence.Running}
	if result == protocol.IsOff {
		m.State = guestfence.ShutOff
	}
	if result == protocol.Success || result == protocol.IsOff {
		w.Add("h", m)
	}
	return w
}

// ours is a reply as ours is: without what the original leaves behind texts, and with the whole end of a list.
func ours(reply []byte) []byte {
	if protocol.Result(reply[0]) != protocol.HostsList {
		return reply[:1]
	}
	hosts, _ := protocol.ReadList(bytes.NewReader(reply[1:]))
	return append(protocol.AppendList(reply[:1:1], hosts), 0)
}

// TestCapturesReplayAgainstHost has recorded guests of the original speak to our host: it says what the original's
// host said, byte by byte.
func TestCapturesReplayAgainstHost(t *testing.T) {
	n := 0
	for name, exchanges := range captures(t) {
		for i, e := range exchanges {
			r, err := protocol.ParseRequest(e.Requests[0])
			if err != nil {
				t.Fatal(err)
			}
			auth := protocol.Hash(protocol.None)
			for h := protocol.SHA1; h <= protocol.SHA512; h++ {
				if d := h.Sum(guesttest.Key("key-4096.bin"), e.GuestChallenge); len(e.HostAnswer) > 0 && bytes.Equal(d[:], e.HostAnswer) {
					auth = h
				}
			}
			unicast := r.CallBack.IsValid()
			kind := guestfence.TCP
			if unicast {
				kind = guestfence.Unicast
			}
			calls := make(chan net.Conn, len(e.Requests))
			s := startReplay(t, guestfence.Config{
				Machines: recordedWorld(t, r, e.Reply).Standalone("h"), Log: testLog(t), Now: time.Now,
				Listeners: []guestfence.Listener{{Key: guesttest.Key("key-4096.bin"), ListenerSettings: guestfence.ListenerSettings{
					Kind: kind, Hash: r.Hash, Auth: auth, Address: netip.MustParseAddr("127.0.0.1"),
				}}},
				Dial: func(context.Context, string, string) (net.Conn, error) {
					guest, host := net.Pipe()
					calls <- guest
					return host, nil
				},
			}, e.HostChallenge)
			conn, err := net.Dial(map[bool]string{true: "udp", false: "tcp"}[unicast], s.Addr(0).String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(e.Requests[0]); err != nil {
				t.Fatal(err)
			}
			if unicast {
				_ = conn.Close()
				conn = <-calls
			}
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			heard := speak(t, conn, e, auth)
			if want := append(bytes.Clone(e.HostAnswer), append(bytes.Clone(e.HostChallenge), ours(e.Reply)...)...); !bytes.Equal(heard, want) {
				t.Errorf("%s, exchange %d, %v of %q: the host says\n%x\nand not\n%x", name, i, r.Action, r.Domain, heard, want)
			}
			s.Stop()
			n++
		}
	}
	t.Logf("%d exchanges", n)
	if n < 30 {
		t.Errorf("only %d exchanges", n)
	}
}

// speak says what the recorded guest said and returns what it hears.
func speak(t *testing.T, conn net.Conn, e guesttest.Exchange, auth protocol.Hash) []byte {
	t.Helper()
	defer func() { _ = conn.Close() }()
	heard := make([]byte, 0, 256)
	if auth != protocol.None {
		if _, err := conn.Write(e.GuestChallenge); err != nil {
			t.Fatal(err)
		}
		heard = heard[:2*protocol.DigestSize]
		if _, err := io.ReadFull(conn, heard); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(e.GuestAnswer); err != nil {
			t.Fatal(err)
		}
	}
	rest, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return append(heard, rest...)
}
