//go:build host

package driver

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

const (
	systemdName = "org.freedesktop.systemd1"
	systemdPath = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// fakeSystemd stands on a real bus where systemd would: it has the unit web, whose start takes a while, and bad,
// whose start fails.
type fakeSystemd struct {
	conn *dbus.Conn

	mu      sync.Mutex
	units   map[string]*prop.Properties
	jobs    uint32
	reloads int
	hang    bool
}

func (f *fakeSystemd) Subscribe() *dbus.Error { return nil }

func (f *fakeSystemd) Reload() *dbus.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reloads++
	return nil
}

func (f *fakeSystemd) StartUnit(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
	return f.job(unit, "active")
}

func (f *fakeSystemd) StopUnit(unit, _ string) (dbus.ObjectPath, *dbus.Error) {
	return f.job(unit, "inactive")
}

func (f *fakeSystemd) job(unit, state string) (dbus.ObjectPath, *dbus.Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.units[unit]
	if p == nil {
		return "", dbus.NewError(systemdName+".NoSuchUnit", []any{"Unit " + unit + " not found."})
	}
	f.jobs++
	id := f.jobs
	path := systemdPath + "/job/1"
	if f.hang {
		return path, nil
	}
	result := "done"
	if unit == "bad.service" && state == "active" {
		result, state = "failed", "failed"
	}
	time.AfterFunc(50*time.Millisecond, func() {
		p.SetMust(systemdName+".Unit", "ActiveState", state)
		_ = f.conn.Emit(systemdPath, systemdName+".Manager.JobRemoved", id, path, unit, result) // a test that waits for it fails
	})
	return path, nil
}

// unit exports a unit's properties.
func (f *fakeSystemd) unit(t *testing.T, name, load, active string) {
	t.Helper()
	path := systemdPath + "/unit/" + dbus.ObjectPath(strings.ReplaceAll(name, ".", "_2e"))
	p, err := prop.Export(f.conn, path, prop.Map{systemdName + ".Unit": {
		"LoadState":   {Value: load, Writable: true, Emit: prop.EmitFalse},
		"ActiveState": {Value: active, Writable: true, Emit: prop.EmitFalse}}})
	if err != nil {
		t.Fatal(err)
	}
	if load == "loaded" {
		f.units[name] = p
	}
}

func newFakeSystemd(t *testing.T) *fakeSystemd {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		t.Skip("needs dbus-daemon, of Debian's dbus-daemon")
	}
	daemon := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1", "--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", strings.TrimSpace(address))
	conn, err := dbus.Connect(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	f := &fakeSystemd{conn: conn, units: map[string]*prop.Properties{}}
	if err := conn.Export(f, systemdPath, systemdName+".Manager"); err != nil {
		t.Fatal(err)
	}
	f.unit(t, "web.service", "loaded", "inactive")
	f.unit(t, "bad.service", "loaded", "inactive")
	f.unit(t, "none.service", "not-found", "inactive")
	if reply, err := conn.RequestName(systemdName, 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	return f
}

// TestHostSystemdOverDBus speaks to a stand-in for systemd over a real bus.
func TestHostSystemdOverDBus(t *testing.T) {
	f := newFakeSystemd(t)
	bus := newSystemBus(slog.New(slog.DiscardHandler))
	bus.runDir = t.TempDir()
	h := New(Config{Units: bus, RunDir: t.TempDir(), InitDir: t.TempDir()})
	defer h.Close()
	dropIn := filepath.Join(bus.runDir, "web.service.d", "50-cerco.conf")
	run := func(class, unit, action string, rc, status int) Result {
		t.Helper()
		res := h.Run(context.Background(), Request{Class: class, Type: unit, Resource: "r", Action: action, Timeout: 2 * time.Second})
		if res.RC != rc || res.Status != status {
			t.Errorf("%s of %s: %+v, want rc %d, status %d", action, unit, res, rc, status)
		}
		return res
	}
	run("systemd", "web", "monitor", cib.RCNotRunning, cib.OpDone)
	run("systemd", "web", "start", cib.RCOk, cib.OpDone)
	if b, err := os.ReadFile(dropIn); err != nil || !strings.Contains(string(b), "Restart=no") {
		t.Errorf("drop-in: %v\n%s", err, b)
	}
	run("systemd", "web.service", "monitor", cib.RCOk, cib.OpDone)
	run("service", "web", "monitor", cib.RCOk, cib.OpDone)
	run("systemd", "web", "stop", cib.RCOk, cib.OpDone)
	if _, err := os.Stat(dropIn); err == nil {
		t.Error("the drop-in is still there")
	}
	if f.reloads != 2 {
		t.Errorf("%d reloads", f.reloads)
	}
	run("systemd", "web", "monitor", cib.RCNotRunning, cib.OpDone)
	run("systemd", "bad", "start", cib.RCError, cib.OpError)
	run("systemd", "bad", "monitor", cib.RCNotRunning, cib.OpDone)
	run("systemd", "none", "start", cib.RCInstalled, cib.OpNotInstalled)
	run("systemd", "none", "monitor", cib.RCInstalled, cib.OpNotInstalled)
	run("systemd", "none", "stop", cib.RCOk, cib.OpDone)
	f.mu.Lock()
	f.hang = true
	f.mu.Unlock()
	run("systemd", "web", "start", cib.RCError, cib.OpTimedOut)
}

// TestHostSystemd asks the host's own systemd, where there is one.
func TestHostSystemd(t *testing.T) {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		t.Skip("this host is not run by systemd")
	}
	if _, err := os.Stat("/run/dbus/system_bus_socket"); err != nil {
		t.Skip("no system bus")
	}
	h := New(Config{RunDir: t.TempDir()})
	defer h.Close()
	if res := h.Run(t.Context(), Request{Class: "systemd", Type: "dbus", Resource: "r", Action: "monitor", Timeout: 10 * time.Second}); res.RC != cib.RCOk {
		t.Errorf("%+v", res)
	}
}
