package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/watchdog"
)

// softwareWatchdog is what the guard process is called where a device could be named.
const softwareWatchdog = "software"

// WatchdogConfig is a node's watchdog: a device of the kernel, or a process of our own.
type WatchdogConfig struct {
	Device  string        // /dev/watchdog, "software", or empty: none
	Timeout time.Duration // within which it must be fed
	Reset   string        // for a lab: what the software watchdog runs instead of resetting the host
}

// guardCommand is the argument with which the program is a guard: the process behind a software watchdog.
const guardCommand = "watchdog-guard"

// startWatchdog has the watchdog fed as long as this node may act.
func (d *Daemon) startWatchdog() {
	c := d.cfg.Watchdog
	if c.Device == "" {
		return
	}
	d.watchdog = watchdog.New(watchdog.Config{
		Lease: d.mayAct,
		Log:   d.log,
		Armed: func(ctx context.Context, timeout time.Duration) error {
			_, err := d.Propose(ctx, cib.Command{By: "watchdog", Note: "the watchdog of " + d.node.Name, Nodes: []cib.NodeUpdate{
				{Name: d.node.Name, Watchdog: &cib.Watchdog{MS: timeout.Milliseconds(), BootID: d.cfg.BootID}}}})
			return err
		},
		Open: func() (watchdog.Device, error) {
			if c.Device != softwareWatchdog {
				return watchdog.Hardware(c.Device, c.Timeout)
			}
			socket := filepath.Join(d.cfg.Layout.Run, "watchdog.sock")
			return watchdog.Guarded(socket, c.Timeout, func() error {
				return watchdog.StartGuard(d.program(), guardCommand, socket, c.Reset)
			})
		},
	})
	d.watchdog.Start()
}

// stopWatchdog disarms it where nothing runs any more; otherwise the next daemon must be there in time.
func (d *Daemon) stopWatchdog() {
	if d.watchdog == nil {
		return
	}
	empty := false
	select {
	case <-d.ended:
		empty = true
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := d.watchdog.Stop(ctx, empty); err != nil {
		d.log.Error("the watchdog", "error", err)
	}
}

// program is the binary that this daemon is.
func (d *Daemon) program() string {
	if d.cfg.Self != "" {
		return d.cfg.Self
	}
	self, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return self
}

// GuardCommand is `cerco watchdog-guard SOCKET RESET`, which the daemon starts for itself.
func GuardCommand(ctx context.Context, args []string) int {
	if len(args) != 2 {
		return exitUsage
	}
	reset := watchdog.ResetHost
	if args[1] != "" {
		reset = func() { _ = exec.Command("/bin/sh", "-c", args[1]).Run() }
	}
	g := &watchdog.Guard{Socket: args[0], Reset: reset}
	if err := g.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "cerco %s: %v\n", guardCommand, err)
		return exitFailed
	}
	return 0
}
