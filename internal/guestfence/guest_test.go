package guestfence_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"github.com/cerco-ha/cerco/internal/guestfence/xvm"
)

const dbUUID = "6695eb01-f6a4-8304-79aa-97f2502e193f"

func newWorld() *guesttest.World {
	w := guesttest.NewWorld()
	w.Add("h1", guestfence.Machine{Name: "db", UUID: dbUUID, State: guestfence.Running})
	w.Add("h1", guestfence.Machine{Name: "web", UUID: "6695eb01-f6a4-8304-79aa-97f2502e1940", State: guestfence.Running})
	return w
}

// testLog shows what is logged when a test fails.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// start serves machines by one listener on the loopback interface, on a port that is free.
func start(t testing.TB, m guestfence.Machines, kind string, change func(*guestfence.Config)) *guestfence.Server {
	t.Helper()
	cfg := guestfence.Config{
		Machines: m, Log: testLog(t), Now: time.Now, Dir: t.TempDir(),
		Listeners: []guestfence.Listener{{Key: []byte("secret"), ListenerSettings: guestfence.ListenerSettings{
			Kind: kind, Hash: protocol.SHA256, Auth: protocol.SHA256, Address: netip.MustParseAddr("127.0.0.1"),
		}}},
	}
	if change != nil {
		change(&cfg)
	}
	return startReplay(t, cfg, nil)
}

// startReplay starts a server that uses a recorded challenge, if there is one.
func startReplay(t testing.TB, cfg guestfence.Config, challenge []byte) *guestfence.Server {
	t.Helper()
	s, err := guestfence.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(challenge) > 0 {
		s.Replay(challenge)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func portOf(t testing.TB, a net.Addr) string {
	t.Helper()
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(int(p.Port()))
}

func keyFile(t testing.TB, key string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// guest runs the guest's command; it returns the exit status and what was printed.
func guest(t testing.TB, name string, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	env := xvm.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: time.Now}
	return xvm.Run(context.Background(), env, name, args), out.String()
}

// reach is how a guest reaches a server: the command's name and arguments.
func reach(t testing.TB, kind string, s *guestfence.Server, key string) (name string, args []string) {
	t.Helper()
	args = []string{"-p", portOf(t, s.Addr(0)), "-k", keyFile(t, key), "-t", "5"}
	if kind == guestfence.TCP {
		return xvm.NameVirt, slices.Clip(append(args, "-T", "127.0.0.1"))
	}
	return xvm.NameXVM, slices.Clip(append(args, "-a", "127.0.0.1", "-r", "5"))
}

func TestGuestsAreServed(t *testing.T) {
	for _, kind := range []string{guestfence.Unicast, guestfence.TCP} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			s := start(t, w.Standalone("h1"), kind, nil)
			name, base := reach(t, kind, s, "secret")
			for _, c := range []struct {
				args string
				code int
				out  string
			}{
				{"-o list", 0, "db                               " + dbUUID + " on\nweb                              6695eb01-f6a4-8304-79aa-97f2502e1940 on\n"},
				{"-o monitor", 0, ""},
				{"-o status -n db", 0, "Status: ON\n"},
				{"-o off -n db", 0, ""},
				{"-o status -n " + strings.ToUpper(dbUUID), 2, "Status: OFF\n"},
				{"-o off -n db", 0, ""},
				{"-o reboot -n db", 0, ""},
				{"-o status -n db", 2, "Status: OFF\n"},
				{"-o on -n db", 0, ""},
				{"-o reboot -n db", 0, ""},
				{"-o status -n db", 0, "Status: ON\n"},
				{"-o null -n db", 1, "Operation failed\n"},
			} {
				code, out := guest(t, name, append(base, strings.Fields(c.args)...)...)
				if code != c.code || out != c.out {
					t.Errorf("%s: %d, %q; want %d, %q", c.args, code, out, c.code, c.out)
				}
			}
			if starts, stops := w.Count("db"); starts != 2 || stops != 2 {
				t.Errorf("%d starts and %d stops", starts, stops)
			}
		})
	}
}

func TestStrangersAreNotServed(t *testing.T) {
	w := newWorld()
	s := start(t, w.Standalone("h1"), guestfence.TCP, nil)
	name, args := reach(t, guestfence.TCP, s, "another")
	if code, out := guest(t, name, append(args, "-o", "off", "-n", "db")...); code != 1 || !strings.HasSuffix(out, "Invalid response to challenge\nOperation failed\n") {
		t.Errorf("%d, %q", code, out)
	}
	if _, stops := w.Count("db"); stops != 0 {
		t.Error("a machine was cut off for somebody without the key")
	}
}

func TestGroupsAreKept(t *testing.T) {
	s := start(t, newWorld().Standalone("h1"), guestfence.TCP, func(c *guestfence.Config) {
		c.Groups = []guestfence.Group{{Machines: []string{"web"}, Askers: []string{"127.0.0.1"}}}
	})
	name, args := reach(t, guestfence.TCP, s, "secret")
	for _, c := range []struct {
		args string
		code int
		out  string
	}{
		{"-o off -n db", 3, "Permission denied\n"},
		{"-o off -n nobody", 3, "Permission denied\n"},
		{"-o off -n web", 0, ""},
		{"-o list", 0, "web                              6695eb01-f6a4-8304-79aa-97f2502e1940 off\n"},
		{"-o monitor", 0, ""},
	} {
		if code, out := guest(t, name, append(args, strings.Fields(c.args)...)...); code != c.code || out != c.out {
			t.Errorf("%s: %d, %q", c.args, code, out)
		}
	}
}

func TestWhatNobodyKnowsIsNotOff(t *testing.T) {
	w := newWorld()
	s := start(t, w.Standalone("h1"), guestfence.TCP, nil)
	name, args := reach(t, guestfence.TCP, s, "secret")
	for _, action := range []string{"status", "off", "on", "reboot"} {
		if code, out := guest(t, name, append(args, "-n", "nobody", "-o", action)...); code != 1 || out != "Operation failed\n" {
			t.Errorf("%s: %d, %q", action, code, out)
		}
	}
	w.Break("h1", guestfence.ErrUnreachable)
	for _, action := range []string{"status", "off", "on", "reboot", "monitor", "list"} {
		if code, out := guest(t, name, append(args, "-n", "db", "-o", action)...); code != 1 || out != "Operation failed\n" {
			t.Errorf("with the hypervisor out of reach, %s: %d, %q", action, code, out)
		}
	}
}

// A slow machine delays no other one, and nobody acts on it twice at a time.
func TestSlowMachineDelaysNoOther(t *testing.T) {
	w := newWorld()
	waits := make(chan string, 10)
	release := w.Hold("db", func(name string) { waits <- name })
	s := start(t, w.Standalone("h1"), guestfence.TCP, nil)
	name, args := reach(t, guestfence.TCP, s, "secret")
	done := make(chan int)
	for range 2 {
		go func() {
			code, _ := guest(t, name, append(args, "-o", "off", "-n", "db")...)
			done <- code
		}()
	}
	<-waits
	if code, out := guest(t, name, append(args, "-o", "reboot", "-n", "web")...); code != 0 {
		t.Errorf("%d, %q", code, out)
	}
	if code, out := guest(t, name, append(args, "-o", "status", "-n", "db")...); code != 0 || out != "Status: ON\n" {
		t.Errorf("%d, %q", code, out)
	}
	if len(waits) > 0 {
		t.Error("two requests act on one machine at a time")
	}
	release()
	for range 2 {
		if code := <-done; code != 0 {
			t.Errorf("exit status %d", code)
		}
	}
	if _, stops := w.Count("db"); stops != 1 {
		t.Errorf("%d stops", stops)
	}
}

// tcpExchange sends a request on a new connection as a guest with the key does.
func tcpExchange(t *testing.T, s *guestfence.Server, b []byte) (result byte, err error) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr(0).String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write(b); err != nil {
		return 0, err
	}
	if err := (&protocol.Session{Key: []byte("secret"), Auth: protocol.SHA256}).Guest(conn); err != nil {
		return 0, err
	}
	var r [1]byte
	_, err = io.ReadFull(conn, r[:])
	return r[0], err
}

func TestNoRequestIsTakenTwice(t *testing.T) {
	w := newWorld()
	dir := t.TempDir()
	keep := func(c *guestfence.Config) { c.Dir = dir }
	r := protocol.Request{Action: protocol.Off, Hash: protocol.SHA256, Domain: "db", Random: [6]byte{1}, Seq: 7}
	r.Sign([]byte("secret"))
	s := start(t, w.Standalone("h1"), guestfence.TCP, keep)
	if result, err := tcpExchange(t, s, r.Bytes()); result != 0 || err != nil {
		t.Fatalf("%d, %v", result, err)
	}
	w.Set("db", guestfence.Running)
	if _, err := tcpExchange(t, s, r.Bytes()); err == nil {
		t.Error("the same request is taken again")
	}
	again := r
	again.Random = [6]byte{2}
	again.Sign([]byte("secret"))
	if _, err := tcpExchange(t, s, again.Bytes()); err == nil {
		t.Error("another message of the same call is taken")
	}
	s.Stop()
	s = start(t, w.Standalone("h1"), guestfence.TCP, keep)
	if _, err := tcpExchange(t, s, r.Bytes()); err == nil {
		t.Error("after a restart, the same request is taken again")
	}
	again.Random = [6]byte{3}
	again.Action = protocol.Status
	again.Sign([]byte("secret"))
	if result, err := tcpExchange(t, s, again.Bytes()); result != 0 || err != nil {
		t.Errorf("after a restart, a new request is not taken: %v", err)
	}
	if _, stops := w.Count("db"); stops != 1 {
		t.Errorf("%d stops", stops)
	}
}
