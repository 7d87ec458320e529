package testcluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/report"
)

// World is the hosts and what runs on them.
type World struct {
	Says string // what every host says when it is asked for a report

	c  *Cluster
	wg sync.WaitGroup // daemons that end

	mu    sync.Mutex
	hosts map[string]*host
	fence string // what fence devices do; empty: as they are told
}

// host is a machine: it is on or off, and runs resources.
type host struct {
	name    string
	on      bool
	boots   int
	running map[string]bool // resources
	boot    *boot           // the daemon, nil when there is none
	skew    time.Duration   // of its clock
	lag     time.Duration   // every write of its log takes so much longer
	killAt  bool            // its daemon is killed as soon as an agent has done its work
	dirs    int             // its files are copied when it dies: what is left of it in this process writes elsewhere
}

// boot is one run of a daemon.
type boot struct {
	world  *World
	name   string
	daemon *daemon.Daemon
	dead   context.Context // ends when the host or the daemon is killed
	die    context.CancelFunc
}

func newWorld(c *Cluster) *World { return &World{c: c, hosts: map[string]*host{}} }

func (w *World) host(name string) *host {
	h := w.hosts[name]
	if h == nil {
		h = &host{name: name, running: map[string]bool{}}
		w.hosts[name] = h
	}
	return h
}

// daemon is the one that runs on a host, nil when none does.
func (w *World) daemon(name string) *daemon.Daemon {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b := w.host(name).boot; b != nil {
		return b.daemon
	}
	return nil
}

// Dial connects a host to others while its present daemon lives.
func (w *World) Dial(name string) func(ctx context.Context, local, remote string) (net.Conn, error) {
	return func(ctx context.Context, _, remote string) (net.Conn, error) { return w.c.Net.Dial(ctx, name, remote) }
}

// start boots a host and starts its daemon.
func (w *World) start(name string) error {
	w.mu.Lock()
	h := w.host(name)
	if h.boot != nil {
		w.mu.Unlock()
		return fmt.Errorf("the daemon of %s runs", name)
	}
	if !h.on {
		h.on = true
		h.boots++
	}
	b := &boot{world: w, name: name}
	b.dead, b.die = context.WithCancel(context.Background())
	id := fmt.Sprintf("%s-boot-%d", name, h.boots)
	h.boot = b
	speaks, skew := w.c.speaks[name], h.skew
	w.mu.Unlock()
	layout := w.Layout(name)
	d, err := daemon.New(daemon.Config{
		Layout: layout, BootID: id, Self: "/bin/true", Host: w.facts(name), Log: slog.New(w.c.log), Speaks: speaks,
		Listener: w.c.Net.Listen, Driver: hands{b}, Agents: agents{b}, Faults: slowness{b},
		Now: func() time.Time { return time.Now().Add(skew) },
		Dial: func(ctx context.Context, _, remote string) (net.Conn, error) {
			if b.dead.Err() != nil {
				return nil, errDead
			}
			return w.c.Net.Dial(ctx, name, remote)
		},
	})
	if err != nil {
		return err
	}
	if err := d.Start(); err != nil {
		if b.dead.Err() != nil { // killed while it started
			return nil
		}
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if b.dead.Err() != nil {
		w.wg.Go(d.Stop)
		return nil
	}
	b.daemon = d
	return nil
}

// facts is what a host tells for a report.
func (w *World) facts(name string) *report.Host {
	return &report.Host{Read: func(string) ([]byte, error) { return nil, fs.ErrNotExist },
		Run: func(context.Context, ...string) ([]byte, error) { return []byte(name + " says " + w.Says), nil }}
}

// TryStart is start for daemons that are expected not to.
func (w *World) TryStart(name string) error {
	err := w.start(name)
	if err != nil {
		w.mu.Lock()
		w.host(name).boot = nil
		w.mu.Unlock()
	}
	return err
}

// Layout is where the files of a host's present daemon are.
func (w *World) Layout(name string) daemon.Layout {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.layoutOf(name)
}

func (w *World) layoutOf(name string) daemon.Layout {
	return daemon.LayoutIn(filepath.Join(w.c.base, fmt.Sprintf("%s-%d", name, w.host(name).dirs)))
}

var errDead = errors.New("this daemon is dead")

// kill ends a daemon without its having a chance to say anything.
func (w *World) kill(name string) { w.end(name, false) }

// powerOff kills everything on a host. It returns at once.
func (w *World) powerOff(name, why string) {
	slog.New(w.c.log).Info("POWER OFF", "host", name, "why", why)
	w.end(name, true)
}

func (w *World) end(name string, off bool) {
	w.mu.Lock()
	h := w.host(name)
	b := h.boot
	h.boot = nil
	if off {
		h.on = false
		clear(h.running)
	}
	if b != nil {
		b.die()
		from := w.layoutOf(name)
		h.dirs++
		if err := copyFiles(from, w.layoutOf(name)); err != nil {
			w.c.T.Errorf("the files of %s cannot be copied: %v", name, err)
		}
	}
	w.mu.Unlock()
	if off {
		w.c.Net.PowerOff(name)
	} else {
		w.c.Net.Crash(name)
	}
	if b != nil && b.daemon != nil {
		w.wg.Go(b.daemon.Stop)
	}
}

// copyFiles copies identity, log and ledger.
func copyFiles(from, to daemon.Layout) error {
	for _, d := range [][2]string{{from.Conf, to.Conf}, {from.Data, to.Data}} {
		if err := filepath.WalkDir(d[0], func(path string, e fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(d[0], path)
			into := filepath.Join(d[1], rel)
			switch {
			case errors.Is(err, fs.ErrNotExist): // it has just been removed
				return nil
			case err != nil:
				return err
			case e.IsDir():
				return os.MkdirAll(into, 0o700)
			case !e.Type().IsRegular():
				return nil
			}
			data, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return os.WriteFile(into, data, 0o600)
		}); err != nil {
			return err
		}
	}
	return nil
}

// Where lists the hosts that run a resource.
func (w *World) Where(resource string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.where(resource)
}

func (w *World) where(resource string) []string {
	var at []string
	for _, name := range slices.Sorted(maps.Keys(w.hosts)) {
		if w.hosts[name].running[resource] {
			at = append(at, name)
		}
	}
	return at
}

// AllRun reports whether each of the resources runs on one host.
func (w *World) AllRun(resources ...string) bool {
	for _, r := range resources {
		if len(w.Where(r)) != 1 {
			return false
		}
	}
	return true
}

// On reports whether a host has power.
func (w *World) On(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.host(name).on
}

func (w *World) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, name := range slices.Sorted(maps.Keys(w.hosts)) {
		h := w.hosts[name]
		state := "off"
		if h.on {
			state = strings.Join(slices.Sorted(maps.Keys(h.running)), "+")
		}
		out = append(out, name+"="+state)
	}
	return strings.Join(out, " ")
}

// hands is the driver of a host: its agents.
type hands struct{ *boot }

var _ driver.Driver = hands{}

func (h hands) Metadata(context.Context, string, string, string) (*driver.Metadata, error) {
	return &driver.Metadata{Name: "Service", Standard: "1.0"}, nil
}

// agentTime is how long an agent takes.
const agentTime = 50 * time.Millisecond

// Run does what an agent does.
func (h hands) Run(ctx context.Context, r driver.Request) driver.Result {
	began := time.Now()
	select {
	case <-time.After(agentTime):
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), driver.ErrAbandoned) {
			return driver.Result{Status: cib.OpUnknown}
		}
		return driver.Result{RC: cib.RCError, Status: cib.OpTimedOut}
	case <-h.dead.Done():
		return driver.Result{Status: cib.OpUnknown}
	}
	if h.dead.Err() != nil {
		return driver.Result{Status: cib.OpUnknown}
	}
	rc := h.world.act(h.name, r.Resource, r.Action)
	if h.world.strikes(h.name) {
		h.world.kill(h.name)
		h.world.wg.Go(func() {
			time.Sleep(restartTime)
			if h.world.c.ended.Err() == nil && h.world.On(h.name) {
				_ = h.world.start(h.name) // unless somebody else has
			}
		})
		return driver.Result{Status: cib.OpUnknown}
	}
	return driver.Result{RC: rc, Status: cib.OpDone, Took: time.Since(began)}
}

// act changes what runs on a host, and watches over invariant I1.
func (w *World) act(name, resource, action string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.host(name)
	if !h.on {
		return cib.RCError
	}
	switch action {
	case "start":
		for _, other := range w.where(resource) {
			if other != name {
				w.c.T.Errorf("I1: %s is started on %s and runs on %s", resource, name, other)
			}
		}
		h.running[resource] = true
	case "stop":
		delete(h.running, resource)
	case "monitor":
		if !h.running[resource] {
			return cib.RCNotRunning
		}
	}
	return cib.RCOk
}

// agents are the fence agents of a host: fence_test reaches the power of all hosts, unless the link between
// the two hosts is of no concern to it: it is a network of its own.
type agents struct{ *boot }

var _ fencer.Agents = agents{}

func (agents) Installed() []string { return []string{"fence_test"} }

func (agents) Metadata(context.Context, string) (*fencer.Metadata, error) {
	return &fencer.Metadata{Agent: "fence_test", Parameters: []fencer.Parameter{{Name: "action"}, {Name: "plug"}},
		Actions: []fencer.Action{{Name: "on"}, {Name: "off"}, {Name: "reboot"}, {Name: "status"}, {Name: "list"}, {Name: "monitor"}, {Name: "metadata"}}}, nil
}

// fenceTime is how long a fence device takes.
const fenceTime = 300 * time.Millisecond

func (a agents) Run(ctx context.Context, c fencer.AgentCall) fencer.AgentResult {
	param := func(name string) string {
		for _, p := range c.Params {
			if p.Name == name {
				return p.Value
			}
		}
		return ""
	}
	began := time.Now()
	select {
	case <-time.After(fenceTime):
	case <-ctx.Done():
		return fencer.AgentResult{RC: -1, TimedOut: true, Err: context.Cause(ctx)}
	case <-a.dead.Done():
		return fencer.AgentResult{RC: -1, Err: errDead}
	}
	if a.dead.Err() != nil {
		return fencer.AgentResult{RC: -1, Err: errDead}
	}
	w := a.world
	w.mu.Lock()
	how := w.fence
	w.mu.Unlock()
	out := fencer.AgentResult{Took: time.Since(began)}
	plug := param("plug")
	action := param("action")
	switch {
	case how == Hangs:
		<-ctx.Done()
		return fencer.AgentResult{RC: -1, TimedOut: true, Err: context.Cause(ctx)}
	case how != "":
		out.RC, out.Stderr = 1, "the device does not answer"
		if how == Late && (action == "off" || action == "reboot") {
			w.wg.Go(func() { w.offLater(plug, action == "reboot") })
		}
	case action == "list":
		for _, n := range w.c.Names {
			out.Stdout += n + ",\n"
		}
	case action == "status":
		if !w.On(plug) {
			out.RC = 2
		}
	case action == "off":
		w.powerOff(plug, "fenced by "+a.name)
	case action == "reboot":
		w.powerOff(plug, "rebooted by "+a.name)
		w.wg.Go(func() { w.comeBack(plug) })
	case action == "on":
		w.wg.Go(func() { w.comeBack(plug) })
	}
	return out
}

// bootTime is how long a host needs to boot.
const bootTime = 10 * time.Second

// comeBack boots a host that was rebooted.
func (w *World) comeBack(name string) {
	time.Sleep(bootTime)
	if w.c.ended.Err() != nil || w.On(name) {
		return
	}
	if err := w.start(name); err != nil {
		w.c.T.Errorf("%s does not boot: %v", name, err)
	}
}
