package guestfence_test

import (
	"bytes"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Garbage, and requests that are signed with another key, cost no memory, and guests are served meanwhile.
func TestGarbageCostsNoMemory(t *testing.T) {
	w := newWorld()
	s := start(t, w.Standalone("h1"), guestfence.Unicast, nil)
	name, args := reach(t, guestfence.Unicast, s, "secret")
	conn, err := net.Dial("udp", s.Addr(0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	flood := func(n int) {
		b := make([]byte, 400)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			for k := range b {
				b[k] = byte(r.Uint32())
			}
			msg := b[:r.IntN(len(b))]
			if i%2 == 0 {
				q := protocol.Request{Action: protocol.Off, Hash: protocol.SHA256, Domain: "db", Seq: r.Uint32()}
				q.Sign([]byte("another"))
				msg = q.Bytes()
			}
			_, _ = conn.Write(msg) // what does not fit into the socket is lost, as on a network
		}
	}
	flood(1000)
	if code, out := guest(t, name, append(args, "-o", "status", "-n", "db")...); code != 0 {
		t.Errorf("%d, %q", code, out)
	}
	before := heap()
	flood(20000)
	if code, out := guest(t, name, append(args, "-o", "status", "-n", "db")...); code != 0 {
		t.Errorf("%d, %q", code, out)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("%d bytes became %d", before, after)
	}
	if _, stops := w.Count("db"); stops > 0 {
		t.Error("a machine was cut off for garbage")
	}
}

// Connections that say nothing take no more than their share.
func TestSilentConnectionsTakeNoPlace(t *testing.T) {
	s := start(t, newWorld().Standalone("h1"), guestfence.TCP, nil)
	var silent []net.Conn
	for range 40 {
		conn, err := net.Dial("tcp", s.Addr(0).String())
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, conn)
	}
	closed := 0
	for _, conn := range silent {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); err != nil && !strings.Contains(err.Error(), "timeout") {
			closed++
		}
		_ = conn.Close()
	}
	if closed < 20 {
		t.Errorf("only %d of 40 silent connections of one address were refused", closed)
	}
}

func TestRequestsOfAnotherLengthAreRefused(t *testing.T) {
	w := newWorld()
	s := start(t, w.Standalone("h1"), guestfence.TCP, nil)
	r := protocol.Request{Action: protocol.Off, Hash: protocol.SHA1, Domain: "db"}
	r.Sign([]byte("secret"))
	if _, err := tcpExchange(t, s, r.Bytes()); err == nil {
		t.Error("a hash that is weaker than configured is accepted")
	}
	strong := protocol.Request{Action: protocol.Off, Hash: protocol.SHA512, Domain: "db"}
	strong.Sign([]byte("secret"))
	if result, err := tcpExchange(t, s, strong.Bytes()); err != nil || result != 0 {
		t.Errorf("a stronger hash is not accepted: %v", err)
	}
}

// One host's challenge is not answered by another: what stands between them learns nothing from either.
func TestNoHostAnswersAnothersChallenge(t *testing.T) {
	w := newWorld()
	s := start(t, w.Standalone("h1"), guestfence.TCP, nil)
	open := func(seq uint32) net.Conn {
		r := protocol.Request{Action: protocol.Off, Hash: protocol.SHA256, Domain: "db", Seq: seq}
		r.Sign([]byte("secret"))
		conn, err := net.Dial("tcp", s.Addr(0).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Write(r.Bytes()); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	// Two requests that were heard somewhere and never reached the host.
	a, b := open(1), open(2)
	if _, err := a.Write(bytes.Repeat([]byte{1}, 64)); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 128) // an answer and a challenge
	if n, err := readFull(a, said); err != nil {
		t.Fatal(n, err)
	}
	if _, err := b.Write(said[64:]); err != nil {
		t.Fatal(err)
	}
	if n, err := readFull(b, make([]byte, 64)); err == nil {
		t.Errorf("the host answers its own challenge on another connection: %d bytes", n)
	}
	if _, stops := w.Count("db"); stops > 0 {
		t.Error("a machine was cut off for somebody without the key")
	}
}

func readFull(conn net.Conn, b []byte) (n int, err error) {
	for n < len(b) {
		k, err := conn.Read(b[n:])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func TestSerialPortsAreServed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "web")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	w := newWorld()
	w.Connect(guestfence.Port{Machine: guestfence.Machine{UUID: "6695eb01-f6a4-8304-79aa-97f2502e1940"}, Path: path})
	w.Connect(guestfence.Port{Machine: guestfence.Machine{UUID: dbUUID}, Path: "/elsewhere/db"})
	start(t, w.Standalone("h1"), guestfence.Serial, func(c *guestfence.Config) {
		c.Listeners[0] = guestfence.Listener{ListenerSettings: guestfence.ListenerSettings{Kind: guestfence.Serial, Path: dir}}
		c.Groups = []guestfence.Group{{Machines: []string{"6695eb01-f6a4-8304-79aa-97f2502e1940", "web"}}}
	})
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	for _, c := range []struct {
		action protocol.Action
		domain string
		want   protocol.Result
	}{
		{protocol.Status, "web", protocol.Success}, {protocol.Off, "web", protocol.Success}, {protocol.Status, "web", protocol.IsOff},
		{protocol.Off, "db", protocol.Denied}, {protocol.Monitor, "", protocol.Success}, {protocol.List, "", protocol.HostsList},
	} {
		frame := (&protocol.SerialRequest{Action: c.action, Domain: c.domain}).Bytes()
		for _, part := range [][]byte{[]byte("login: abba"[:9]), frame[:10], frame[10:]} {
			if _, err := conn.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := protocol.ReadSerialResponse(conn); err != nil || got != c.want {
			t.Errorf("%v of %q: %v, %v", c.action, c.domain, got, err)
		}
	}
	hosts, err := protocol.ReadList(conn)
	if err != nil || len(hosts) != 1 || hosts[0].Name != "web" {
		t.Errorf("%v, %v", hosts, err)
	}
	if last, err := protocol.ReadSerialResponse(conn); err != nil || last != protocol.Success {
		t.Errorf("the list ends with %v, %v", last, err)
	}
}
