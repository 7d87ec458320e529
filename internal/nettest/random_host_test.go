//go:build host

package nettest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/agents"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/judge"
	"github.com/cerco-ha/cerco/internal/ordeal"
)

var (
	randomFaults = flag.Int("faults", 6, "number of random faults")
	randomSeed   = flag.Uint64("seed", 1, "what they follow from")
	randomNodes  = flag.Int("nodes", 3, "number of nodes")
)

// TestRandomFaults has faults happen to whole nodes, at random, and judges from the journal of agents, fence devices and
// faults whether the cluster kept its promises.
func TestRandomFaults(t *testing.T) {
	s := newSite(t, *randomNodes)
	rep, err := ordeal.Run(t.Context(), s, ordeal.Config{Seed: *randomSeed, Faults: *randomFaults, Services: 8, Monitor: 2 * time.Second,
		Converge: 90 * time.Second, Say: t.Logf})
	var b strings.Builder
	ordeal.WriteReport(&b, *randomSeed, *randomNodes, rep)
	t.Log(b.String())
	if err != nil {
		t.Fatal(err)
	}
}

// TestDeceit wants the judge to see what a fence device leads to that says that it has done it and has not.
func TestDeceit(t *testing.T) {
	s := newSite(t, 3)
	rep, err := ordeal.Run(t.Context(), deceived{s}, ordeal.Config{Seed: 1, Faults: 60, Services: 8, Monitor: 2 * time.Second,
		Converge: 30 * time.Second, Say: func(string, ...any) {}})
	if !errors.Is(err, ordeal.ErrViolated) || len(rep.Violations) == 0 || rep.Violations[0].Invariant != "I1" {
		t.Errorf("the fence device deceives, and the judge sees %v: %v", rep.Violations, err)
	}
}

// deceived is a site whose fence device deceives, and whose hosts stand still.
type deceived struct{ *nsSite }

func (d deceived) Power(ordeal.Power) error { return d.nsSite.Power("deceives") }
func (d deceived) Lacks() []string {
	return slices.DeleteFunc(ordeal.Kinds(), func(kind string) bool { return kind == "freeze" || kind == "freeze-leader" })
}

// nsSite is a cluster in namespaces as an ordeal sees it. It starts daemons again as systemd does, and hosts that were
// rebooted by the fence device.
type nsSite struct {
	*hosts
	ctx  context.Context
	wg   sync.WaitGroup
	away map[string]time.Duration // of daemons that are killed; under mu
}

var _ ordeal.Site = (*nsSite)(nil)

const (
	diskSize    = 48 << 20 // of a node
	restartTime = 50 * time.Millisecond
	bootTime    = 2 * time.Second
)

func newSite(t *testing.T, nodes int) *nsSite {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &nsSite{hosts: newMachines(t, nodes, 2), ctx: ctx, away: map[string]time.Duration{}}
	for _, n := range s.names {
		if err := os.Mkdir(s.path(n), 0o755); err != nil {
			t.Fatal(err)
		}
		s.run("mount", "-t", "tmpfs", "-o", fmt.Sprint("size=", diskSize), "cerco-test", s.path(n))
	}
	t.Cleanup(func() {
		cancel()
		s.wg.Wait()
		for _, n := range s.names {
			s.end(n)
		}
		s.waits.Wait()
		for _, n := range s.names {
			s.run("umount", s.path(n))
		}
	})
	s.args = func(node string) []string { return []string{"--faults", s.path(node + ".faults")} }
	s.found()
	s.mu.Lock()
	s.ended = s.restart
	s.mu.Unlock()
	s.wg.Go(s.reboots)
	return s
}

func (s *nsSite) Nodes() []string                            { return s.names }
func (s *nsSite) Client(node string) (*client.Client, error) { return s.client(node) }
func (s *nsSite) Journal() string                            { return s.path("journal") }
func (s *nsSite) Lacks() []string                            { return nil }

// Device has short times, so that a device that hangs is found out soon.
func (s *nsSite) Device() string {
	return `<primitive id="power" class="stonith" type="fence_ns">
  <instance_attributes id="power-params">
    <nvpair id="power-reboot" name="pcmk_reboot_timeout" value="8s"/>
    <nvpair id="power-off" name="pcmk_off_timeout" value="8s"/>
    <nvpair id="power-status" name="pcmk_status_timeout" value="5s"/>
  </instance_attributes>
  <operations><op id="power-monitor" name="monitor" interval="60s" timeout="20s"/></operations>
</primitive>`
}

// locked keeps the fence device away meanwhile.
func (s *nsSite) locked(f func() error) error {
	lock, err := os.OpenFile(s.path("switch"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}

func (s *nsSite) note(node, what string, rest ...string) error {
	return ordeal.Note(s.Journal(), judge.Event{Node: node, What: what, Rest: rest})
}

func (s *nsSite) On(node string) bool {
	_, err := os.Stat(s.path("on", node))
	return err == nil
}

func (s *nsSite) Boot(node string) error {
	return s.locked(func() error {
		if s.On(node) {
			return nil
		}
		return errors.Join(s.note(node, "on"), s.switchOn(node))
	})
}

func (s *nsSite) PowerOff(node string) error {
	return s.locked(func() error {
		if err := os.Remove(s.path("on", node)); err != nil && !os.IsNotExist(err) {
			return err
		}
		s.end(node)
		return s.note(node, "off")
	})
}

// end ends all that runs on a host.
func (s *nsSite) end(node string) {
	for {
		pids := s.pids(node)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func (s *nsSite) pids(node string) (pids []int) {
	out, _ := s.try("ip", "netns", "pids", s.ns(node))
	for _, p := range strings.Fields(out) {
		if pid, err := strconv.Atoi(p); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// reboots boots hosts that the fence device has rebooted, when their time has come.
func (s *nsSite) reboots() {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		for _, n := range s.names {
			info, err := os.Stat(s.path("reboot", n))
			if err != nil || time.Since(info.ModTime()) < bootTime {
				continue
			}
			if err := errors.Join(os.Remove(s.path("reboot", n)), s.Boot(n)); err != nil {
				s.t.Errorf("booting %s: %v", n, err)
			}
		}
	}
}

func (s *nsSite) EndDaemon(node string, by syscall.Signal, away time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away[node] = away
	_ = s.cmds[node].Process.Signal(by) // it may be off by now
	return nil
}

// restart does what systemd does when a daemon has ended.
func (s *nsSite) restart(node string, cmd *exec.Cmd) {
	s.mu.Lock()
	wait, boot := max(s.away[node], restartTime), s.boots[node]
	delete(s.away, node)
	s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	if code := cmd.ProcessState.ExitCode(); code == 2 { // a panic of Go
		_ = s.note("", "broken", "the", "daemon", "of", node, "has", "panicked")
	} else if code > 0 {
		s.t.Logf("the daemon of %s has ended by itself: %s", node, cmd.ProcessState)
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
		return
	}
	_ = s.locked(func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.On(node) || s.boots[node] != boot || s.cmds[node] != cmd {
			return nil // the host was off meanwhile
		}
		return s.launch(node)
	})
}

func (s *nsSite) Freeze(node string, frozen bool) error {
	sig := syscall.SIGCONT
	if frozen {
		sig = syscall.SIGSTOP
	}
	for _, pid := range s.pids(node) {
		_ = syscall.Kill(pid, sig)
	}
	return nil
}

func (s *nsSite) KillService(node, service string) error {
	pid, err := agents.Process(s.path(node, "run", "agents"), "Service", service)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

func (s *nsSite) Connect(links ordeal.Links) error {
	for _, a := range s.names {
		for _, b := range s.others(a) {
			s.net.change(a, b, s.allRings(), func(l *ordeal.Link) { *l = links[[2]string{a, b}] })
		}
	}
	return nil
}

func (s *nsSite) Data(node string) string { return s.path(node, "lib") }

// Disk fills a node's disk, and has the daemon's writes take longer.
func (s *nsSite) Disk(node string, d ordeal.Disk) error {
	filler := s.path(node, "filler")
	if d.Full {
		_ = os.WriteFile(filler, make([]byte, diskSize), 0o644) // as much of it as there is room for
	} else if err := os.Remove(filler); err != nil && !os.IsNotExist(err) {
		return err
	}
	slow := ""
	if d.Slow > 0 {
		slow = fmt.Sprintf("slow-disk %v\n", d.Slow)
	}
	next := s.path(node + ".faults.new")
	return errors.Join(os.WriteFile(next, []byte(slow), 0o644), os.Rename(next, s.path(node+".faults")))
}

func (s *nsSite) Power(p ordeal.Power) error {
	next := s.path("power.new")
	return errors.Join(os.WriteFile(next, []byte(p+"\n"), 0o644), os.Rename(next, s.path("power")))
}

// Keep copies the journal, the logs and what each node holds for the state.
func (s *nsSite) Keep(string) string {
	dir := os.Getenv("CERCO_TEST_LOGS")
	if dir == "" {
		dir = os.TempDir()
	}
	dir, err := os.MkdirTemp(dir, "cerco-faults-")
	if err != nil {
		return err.Error()
	}
	files := []string{"journal", "fenced", "power"}
	for _, n := range s.names {
		files = append(files, n+".log")
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		if c, err := s.client(n); err == nil {
			if data, err := c.CIB(ctx, true); err == nil {
				_ = os.WriteFile(filepath.Join(dir, n+".xml"), data, 0o644)
			}
			c.Close()
		}
		cancel()
	}
	for _, f := range files {
		if data, err := os.ReadFile(s.path(f)); err == nil {
			_ = os.WriteFile(filepath.Join(dir, f), data, 0o644)
		}
	}
	return "the journal, logs and states are in " + dir
}
