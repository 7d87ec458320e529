package hypervisor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

const testUUID = "6c5a4d0e-0f0e-4a54-8f1e-0a3a5d3c7a11"

// TestMain lets this program be QEMU: it does nothing until its input ends.
func TestMain(m *testing.M) {
	if os.Getenv("CERCO_TEST_QEMU") != "" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		return
	}
	os.Exit(m.Run())
}

// qemu starts a process whose command line is that of a machine.
func qemu(t *testing.T, name, uuid string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-name", "guest="+name+",debug-threads=on", "-S", "-uuid", uuid)
	cmd.Env = append(os.Environ(), "CERCO_TEST_QEMU=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

func testConfig(socket string) Config {
	return Config{URI: "qemu:///system?socket=" + socket, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		AskWithin: 50 * time.Millisecond, OffWithin: 500 * time.Millisecond, KillAfter: 50 * time.Millisecond}
}

func open(t *testing.T, cfg Config, pids string) *Libvirt {
	t.Helper()
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l.place.pids = pids
	t.Cleanup(l.Close)
	return l
}

// libvirtd that takes connections and says nothing must hold nobody up, and neither may one that is not there.
func TestNoCallHangs(t *testing.T) {
	dir := t.TempDir()
	silent, err := net.Listen("unix", filepath.Join(dir, "silent"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, socket := range []string{"silent", "absent"} {
		l := open(t, testConfig(filepath.Join(dir, socket)), dir)
		ctx := t.Context()
		_, list := l.List(ctx)
		_, find := l.Find(ctx, "vm1")
		p, off := l.Off(ctx, "vm1")
		q, reboot := l.Reboot(ctx, "vm1")
		for what, err := range map[string]error{"list": list, "find": find, "off": off, "reboot": reboot, "on": l.On(ctx, "vm1"), "check": l.Check(ctx)} {
			if !errors.Is(err, guestfence.ErrUnreachable) || errors.Is(err, guestfence.ErrUnknown) {
				t.Errorf("%s with a %s libvirtd: %v", what, socket, err)
			}
		}
		if p.Kind != "" || q.Kind != "" {
			t.Errorf("proved off: %+v %+v", p, q)
		}
		follow, stop := context.WithCancel(ctx)
		events := l.Events(follow)
		stop()
		for e := range events {
			t.Errorf("event %+v", e)
		}
	}
}

func TestOffWithoutLibvirt(t *testing.T) {
	dir := t.TempDir()
	cmd := qemu(t, "vm1", testUUID)
	note := func(async string) {
		text := "<domstatus state='running' reason='booted' pid='" + strconv.Itoa(cmd.Process.Pid) + "'><job type='none' async='" + async + "'/>" +
			"<domain type='qemu'><name>vm1</name><uuid>" + testUUID + "</uuid></domain></domstatus>"
		if err := os.WriteFile(filepath.Join(dir, "vm1.xml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, testConfig(filepath.Join(dir, "absent")), dir)
	note("migration out")
	if p, err := l.Off(t.Context(), "vm1"); !errors.Is(err, ErrMigrating) || p.Kind != "" {
		t.Fatalf("a machine that moves: %+v, %v", p, err)
	}
	note("none")
	if p, err := l.Off(t.Context(), testUUID); err != nil || p.Kind != guestfence.ProcessGone {
		t.Fatalf("%+v, %v", p, err)
	}
	_ = cmd.Wait()
	if p, err := l.Off(t.Context(), "vm1"); err == nil || p.Kind != "" {
		t.Fatalf("without its process: %+v, %v", p, err)
	}
}

func TestProcess(t *testing.T) {
	const other = "11111111-0f0e-4a54-8f1e-0a3a5d3c7a11"
	dir := t.TempDir()
	cmd := qemu(t, "vm,1", testUUID)
	find := func(name, uuid string) *process {
		t.Helper()
		p, err := findProcess("/proc", dir, name, uuid)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	// QEMU doubles commas in values; this one is cut at its comma.
	if p := find("vm,1", testUUID); p != nil {
		t.Error("found by a name that it does not have")
	}
	if p := find("vm", other); p != nil {
		t.Error("found by another machine's UUID")
	}
	// A number that was noted for another process is not believed.
	if err := os.WriteFile(filepath.Join(dir, "vm.pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
	p := find("vm", testUUID)
	if p == nil || p.pid != cmd.Process.Pid {
		t.Fatalf("found %+v, not process %d", p, cmd.Process.Pid)
	}
	defer p.close()
	soon, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := p.wait(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for what lives: %v", err)
	}
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t.Context()); err != nil || !p.ended() { // before anybody has buried it
		t.Fatalf("waiting for what was killed: %v", err)
	}
	if find("vm", testUUID) != nil {
		t.Error("what has ended is found")
	}
	_ = cmd.Wait()
	if err := p.kill(); err != nil {
		t.Errorf("killing what is gone: %v", err)
	}
}

func TestCommandLine(t *testing.T) {
	for line, want := range map[string][2]string{
		"qemu\x00-name\x00guest=a,debug-threads=on\x00-uuid\x00U\x00":    {"a", "U"},
		"qemu\x00-name\x00guest=a,,b,debug-threads=on\x00-uuid\x00U\x00": {"a,b", "U"},
		"qemu\x00-uuid\x00U\x00-name\x00guest=a\x00":                     {"a", "U"},
		"virsh\x00-uuid\x00U":            {"", "U"},
		"qemu\x00-name\x00a\x00-uuid":    {"", ""},
		"sh\x00-c\x00qemu -name guest=a": {"", ""},
		"":                               {"", ""},
	} {
		if name, uuid := commandLine([]byte(line)); name != want[0] || uuid != want[1] {
			t.Errorf("%q: %q %q, want %q", line, name, uuid, want)
		}
	}
}

func TestParseURI(t *testing.T) {
	for uri, want := range map[string]place{
		"qemu:///system":                             {driver: "qemu:///system", transport: "unix", local: true},
		"qemu+unix:///system?socket=/x":              {driver: "qemu:///system", transport: "unix", socket: "/x", local: true},
		"test:///default":                            {driver: "test:///default", transport: "unix"},
		"qemu+ssh://root@hv2:2222/system":            {driver: "qemu:///system", transport: "ssh", host: "hv2", port: "2222", user: "root"},
		"qemu://hv2/system":                          {driver: "qemu:///system", transport: "tls", host: "hv2"},
		"qemu+tcp://[::1]/system":                    {driver: "qemu:///system", transport: "tcp", host: "::1"},
		"xen:///":                                    {driver: "xen:///", transport: "unix"},
		"qemu+ssh://hv/system?keyfile=/k&name=x:///": {driver: "x:///", transport: "ssh", host: "hv", keyFile: "/k"},
	} {
		got, err := parseURI(uri)
		want.pids = got.pids
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", uri, got, err, want)
		}
	}
	for _, uri := range []string{"", "qemu", "qemu+tcp:///system", "qemu+pigeon://h/system", "://"} {
		if p, err := parseURI(uri); err == nil {
			t.Errorf("%q is %+v", uri, p)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	f.Add([]byte("qemu\x00-name\x00guest=a,,b,debug-threads=on\x00-uuid\x00U\x00"))
	f.Fuzz(func(_ *testing.T, b []byte) { commandLine(b) })
}

func FuzzParseSaved(f *testing.F) {
	f.Add([]byte("<domstatus state='running' pid='7'><job type='none' async='none'/><domain><name>a</name><uuid>" + testUUID + "</uuid></domain></domstatus>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseSaved(b); err == nil && (s.PID <= 1 || uuidOf(s.Domain.UUID) == "") {
			t.Errorf("%+v", s)
		}
	})
}

func FuzzParseURI(f *testing.F) {
	f.Add("qemu+ssh://root@hv2:2222/system?socket=/x")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = parseURI(s) })
}

func TestParsePorts(t *testing.T) {
	got, err := parsePorts([]byte(`<domain><devices>
  <serial type='unix'><source mode='bind' path='/s/1'/><target port='0'/></serial>
  <serial type='unix'><source mode='connect' path='/s/2'/></serial>
  <serial type='pty'><source path='/dev/pts/1'/></serial>
  <channel type='unix'><source mode='bind' path='/c/1'/><target type='guestfwd' address='10.0.2.179' port='1229'/></channel>
</devices></domain>`))
	want := []guestfence.Port{{Path: "/s/1"}, {Path: "/c/1", Channel: true}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func FuzzParsePorts(f *testing.F) {
	f.Add([]byte(`<domain><devices><serial type='unix'><source mode='bind' path='/s/1'/></serial></devices></domain>`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parsePorts(b) })
}
