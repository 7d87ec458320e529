package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// host makes a driver with agents of its own: name -> script. Names without a slash are init scripts.
func host(t testing.TB, agents map[string]string) *Host {
	t.Helper()
	dir := t.TempDir()
	for name, script := range agents {
		path := filepath.Join(dir, "ocf", "resource.d", name)
		if !strings.Contains(name, "/") {
			path = filepath.Join(dir, "init.d", name)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h := New(Config{OCFRoots: []string{filepath.Join(dir, "none"), filepath.Join(dir, "ocf", "resource.d")}, InitDir: filepath.Join(dir, "init.d"),
		RunDir: dir, Links: filepath.Join(dir, "links"), Socket: "/sock", Units: noUnits{}, Env: []string{"PATH=/usr/bin:/bin", "HOME=/root", "NOTIFY_SOCKET=x", "OCF_RESKEY_old=1"}})
	t.Cleanup(h.Close)
	return h
}

type noUnits struct{}

func (noUnits) Known(string) bool                             { return false }
func (noUnits) Job(context.Context, string, string) error     { return ErrNoUnit }
func (noUnits) State(context.Context, string) (string, error) { return "", ErrNoUnit }
func (noUnits) Close()                                        {}

func ocf(typ, action string, params ...cib.Attr) Request {
	return Request{Class: "ocf", Provider: "test", Type: typ, Resource: "r1", Action: action, Params: params, Timeout: 20 * time.Second}
}

func TestResultOfAnAgent(t *testing.T) {
	h := host(t, map[string]string{
		"test/reasons":   `echo "ocf-exit-reason:first" >&2; echo noise >&2; echo "ocf-exit-reason:second one" >&2; echo out; echo "ocf-exit-reason:not this" ; exit 1`,
		"test/rc":        `exit $OCF_RESKEY_rc`,
		"test/killed":    `kill -9 $$`,
		"test/badinterp": "",
	})
	bad, err := os.Create(filepath.Join(h.cfg.OCFRoots[1], "test", "badinterp"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(bad, "#!/no/such/interpreter\n")
	bad.Close()
	rc := func(n string) cib.Attr { return cib.Attr{Name: "rc", Value: n} }
	for _, c := range []struct {
		req        Request
		rc, status int
		reason     string
	}{
		{ocf("reasons", "start"), 1, cib.OpDone, "second one"},
		{ocf("rc", "monitor", rc("0")), 0, cib.OpDone, ""},
		{ocf("rc", "monitor", rc("7")), 7, cib.OpDone, ""},
		{ocf("rc", "monitor", rc("9")), 9, cib.OpDone, ""},
		{ocf("rc", "monitor", rc("190")), 190, cib.OpDone, ""},
		{ocf("rc", "monitor", rc("200")), 1, cib.OpDone, ""},
		{ocf("rc", "monitor", rc("124")), 1, cib.OpDone, ""},
		{ocf("killed", "monitor"), 1, cib.OpError, "signal 9"},
		{ocf("badinterp", "monitor"), 5, cib.OpNotInstalled, "no such file"},
		{ocf("none", "monitor"), 5, cib.OpNotInstalled, "not installed"},
		{ocf("../rc", "monitor"), 5, cib.OpNotInstalled, "no name of an agent"},
		{Request{Class: "nagios", Type: "x", Action: "start"}, 3, cib.OpNotSupported, "class"},
		{Request{Class: "systemd", Type: "x", Action: "start"}, 5, cib.OpNotInstalled, "no such unit"},
		{Request{Class: "systemd", Type: "x", Action: "stop"}, 0, cib.OpDone, ""},
		{Request{Class: "service", Type: "x", Action: "start"}, 5, cib.OpNotInstalled, "not there"},
	} {
		res := h.Run(t.Context(), c.req)
		if res.RC != c.rc || res.Status != c.status || !strings.Contains(res.Reason, c.reason) || c.reason == "" && res.Reason != "" {
			t.Errorf("%s %s: %+v, want rc %d, status %d, reason %q", c.req.Agent(), c.req.Action, res, c.rc, c.status, c.reason)
		}
	}
	if res := h.Run(t.Context(), ocf("reasons", "start")); !strings.Contains(res.Output, "noise") || !strings.Contains(res.Output, "out") {
		t.Errorf("output: %q", res.Output)
	}
}

func TestInitScripts(t *testing.T) {
	h := host(t, map[string]string{"svc": `case $1 in status) exit $(cat $(dirname $0)/code);; start) exit 0;; stop) exit 7;; esac; exit 2`})
	for code, want := range map[string]int{"0": 0, "1": 7, "2": 7, "3": 7, "4": 1, "150": 1} {
		if err := os.WriteFile(filepath.Join(h.cfg.InitDir, "code"), []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, class := range []string{"lsb", "service"} {
			if res := h.Run(t.Context(), Request{Class: class, Type: "svc", Action: "monitor"}); res.RC != want {
				t.Errorf("%s status %s: %+v, want %d", class, code, res, want)
			}
		}
	}
	if res := h.Run(t.Context(), Request{Class: "lsb", Type: "svc", Action: "start"}); res.RC != 0 {
		t.Errorf("start: %+v", res)
	}
	if res := h.Run(t.Context(), Request{Class: "lsb", Type: "svc", Action: "promote"}); res.RC != 3 || res.Status != cib.OpNotSupported {
		t.Errorf("promote: %+v", res)
	}
}

// TestTimeoutKillsTheGroup: what the agent has started dies with it, though it ignores polite signals.
func TestTimeoutKillsTheGroup(t *testing.T) {
	h := host(t, map[string]string{"test/hang": `trap "" TERM INT; sleep 1000 & echo $! > $OCF_RESKEY_file; wait`})
	file := filepath.Join(t.TempDir(), "pid")
	r := ocf("hang", "start", cib.Attr{Name: "file", Value: file})
	r.Timeout = 150 * time.Millisecond
	res := h.Run(t.Context(), r)
	if res.RC != 1 || res.Status != cib.OpTimedOut || res.Reason != "Resource agent did not complete within 150ms" {
		t.Errorf("%+v", res)
	}
	expectGone(t, file)
}

func TestCancelKillsTheGroup(t *testing.T) {
	h := host(t, map[string]string{"test/hang": `sleep 1000 & echo $! > $OCF_RESKEY_file; wait`})
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	r := ocf("hang", "monitor", cib.Attr{Name: "file", Value: file})
	r.Started = func(Process) { awaitFile(t, file); cancel() }
	if res := h.Run(ctx, r); res.Status != cib.OpCancelled {
		t.Errorf("%+v", res)
	}
	expectGone(t, file)
}

// TestAbandoned: the daemon's end does not end the agent, whose output has somewhere to go.
func TestAbandoned(t *testing.T) {
	h := host(t, map[string]string{"test/slow": `while [ ! -e $OCF_RESKEY_go ]; do sleep 0.01; done; echo a lot; echo more >&2; sh -c 'echo still here'; echo done > $OCF_RESKEY_out.new; mv $OCF_RESKEY_out.new $OCF_RESKEY_out`})
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	var p Process
	r := ocf("slow", "start", cib.Attr{Name: "go", Value: dir + "/go"}, cib.Attr{Name: "out", Value: dir + "/out"})
	r.Started = func(q Process) { p = q; cancel(ErrAbandoned) }
	r.Env = []string{"MARK=" + dir}
	if res := h.Run(ctx, r); res.Status != cib.OpUnknown {
		t.Errorf("%+v", res)
	}
	if !Alive(p) {
		t.Fatal("the agent has not outlived the call")
	}
	if found, ok := Find("MARK="+dir, "slow"); !ok || found != p {
		t.Errorf("found %v %v, want %v", found, ok, p)
	}
	if found, ok := Find("MARK="+dir+"x", "slow"); ok {
		t.Errorf("found %v", found)
	}
	if res := h.Run(ctx, r); res.Status != cib.OpUnknown {
		t.Errorf("begun after the end: %+v", res)
	}
	if err := os.WriteFile(dir+"/go", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if !Await(t.Context(), p, 10*time.Second) {
		t.Error("the agent has not ended")
	}
	if _, err := os.Stat(dir + "/out"); err != nil {
		t.Error(err)
	}
	if Alive(p) || !Await(t.Context(), p, time.Second) {
		t.Error("an ended process counts as alive")
	}
}

func TestAwaitKillsAfterItsTime(t *testing.T) {
	h := host(t, map[string]string{"test/hang": `sleep 1000 & echo $! > $OCF_RESKEY_file; wait`})
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancelCause(t.Context())
	var p Process
	r := ocf("hang", "start", cib.Attr{Name: "file", Value: file})
	r.Started = func(q Process) { p = q; awaitFile(t, file); cancel(ErrAbandoned) }
	h.Run(ctx, r)
	if Await(t.Context(), p, 50*time.Millisecond) {
		t.Error("it is said to have ended by itself")
	}
	expectGone(t, file)
}

// awaitFile waits until an agent has written a file; agents have no other way to tell a test.
func awaitFile(t *testing.T, file string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil && len(b) > 0 && b[len(b)-1] == '\n' {
			return
		}
	}
	t.Errorf("%s has not been written", file)
}

func expectGone(t *testing.T, pidFile string) {
	t.Helper()
	b, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	fmt.Sscan(string(b), &pid)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if startTime(pid) == 0 {
			return
		}
	}
	t.Errorf("process %d of the agent's group lives on", pid)
}

func TestBackgroundProcessesDoNotHoldUpTheCall(t *testing.T) {
	h := host(t, map[string]string{"test/bg": `sleep 1000 & echo $! > $OCF_RESKEY_file; echo started`})
	file := filepath.Join(t.TempDir(), "pid")
	res := h.Run(t.Context(), ocf("bg", "start", cib.Attr{Name: "file", Value: file}))
	if res.RC != 0 || res.Output != "started" {
		t.Errorf("%+v", res)
	}
	b, _ := os.ReadFile(file)
	var pid int
	fmt.Sscan(string(b), &pid)
	if startTime(pid) == 0 {
		t.Error("what a start leaves running was killed")
	}
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

func TestServiceIsSystemdWhereItHasTheUnit(t *testing.T) {
	h := host(t, map[string]string{"svc": "exit 0"})
	h.units = &fakeUnits{state: map[string]string{"svc.service": "inactive"}}
	if res := h.Run(t.Context(), Request{Class: "service", Type: "svc", Action: "monitor"}); res.RC != cib.RCNotRunning || res.Reason != "inactive" {
		t.Errorf("%+v", res)
	}
	if res := h.Run(t.Context(), Request{Class: "service", Type: "svc", Action: "start"}); res.RC != 0 {
		t.Errorf("%+v", res)
	}
	if res := h.Run(t.Context(), Request{Class: "systemd", Type: "svc", Action: "monitor"}); res.RC != 0 {
		t.Errorf("%+v", res)
	}
	h.units.(*fakeUnits).state["svc.service"] = "activating"
	if res := h.Run(t.Context(), Request{Class: "systemd", Type: "svc", Action: "monitor", Timeout: 20 * time.Millisecond}); res.Status != cib.OpTimedOut {
		t.Errorf("%+v", res)
	}
	h.units.(*fakeUnits).state["svc.service"] = "failed"
	if res := h.Run(t.Context(), Request{Class: "systemd", Type: "svc", Action: "monitor"}); res.RC != cib.RCNotRunning || res.Reason != "failed" {
		t.Errorf("%+v", res)
	}
	h.units.(*fakeUnits).err = errors.New("boom")
	if res := h.Run(t.Context(), Request{Class: "systemd", Type: "svc", Action: "start"}); res.RC != 1 || res.Status != cib.OpError {
		t.Errorf("%+v", res)
	}
}

type fakeUnits struct {
	state map[string]string
	err   error
}

func (f *fakeUnits) Known(u string) bool { return f.state[unitName(u)] != "" }
func (f *fakeUnits) State(_ context.Context, u string) (string, error) {
	if f.state[u] == "" {
		return "", ErrNoUnit
	}
	return f.state[u], f.err
}
func (f *fakeUnits) Job(_ context.Context, action, u string) error {
	f.state[u] = map[string]string{"start": "active", "stop": "inactive"}[action]
	return f.err
}
func (f *fakeUnits) Close() {}

func BenchmarkRun(b *testing.B) {
	h := host(b, map[string]string{"test/nothing": "exit 0"})
	for b.Loop() {
		if res := h.Run(b.Context(), ocf("nothing", "monitor")); res.RC != 0 {
			b.Fatal(res)
		}
	}
}

func FuzzAgentOutput(f *testing.F) {
	f.Add("ocf-exit-reason:no\n", "out")
	f.Add("\xff\x00ocf-exit-reason:", "\xc3")
	f.Fuzz(func(t *testing.T, stderr, stdout string) {
		if reason := exitReason(stderr); strings.ContainsAny(reason, "\n") {
			t.Errorf("%q is a reason of several lines", reason)
		}
		if out := lastLines(stderr, stdout); len(out) > 2000 {
			t.Errorf("%d bytes are kept", len(out))
		}
	})
}
