package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/fencer"
)

// Exit codes of the daemon. systemd starts it again after exitFailed.
const (
	exitEnded  = 0 // the cluster wanted it
	exitFailed = 1
	exitUsage  = 64
	exitConfig = 78
)

// awayFor is how long the cluster waits for a daemon that was ended by hand, while what it runs goes on.
const awayFor = 30 * time.Second

// Command is `cerco daemon`: a node of the cluster, in the foreground. faults gives the faults of a file, for a
// lab.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer, faults func(file string) Faults) int {
	flags := pflag.NewFlagSet("cerco daemon", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "Usage: cerco daemon [OPTION...]\n\nRuns a node of the cluster in the foreground. systemd starts it; a signal ends it and leaves\nresources running, cerco cluster stop has them moved away first.\n\n", flags.FlagUsages())
	}
	var (
		dir     = flags.String("dir", "", "keep everything below this directory instead of /etc, /var/lib and /run")
		boot    = flags.String("boot-id", "", "the boot id of this host, for a lab")
		agents  = flags.StringSlice("agents", nil, "directories with OCF agents, looked at before /usr/lib/ocf/resource.d")
		fencers = flags.StringSlice("fence-agents", nil, "directories with fence agents, looked at before /usr/sbin")
		guard   = flags.String("watchdog", "", "a watchdog that resets this host when its part in the cluster is over: /dev/watchdog, or \"software\"")
		within  = flags.Duration("watchdog-timeout", 10*time.Second, "time within which the watchdog must be fed")
		reset   = flags.String("watchdog-reset", "", "what a software watchdog runs instead of resetting the host, for a lab")
		guests  = flags.String("guests-conf", guestConf, "the listeners and keys of guest fencing, for when the cluster has guest-fencing=true")
		faulty  = flags.String("faults", "", "file that says what is to go wrong, for a lab")
		verbose = flags.BoolP("verbose", "v", false, "log what the daemon does in detail")
	)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(stderr, "cerco daemon: %v\n", err)
		return exitUsage
	}
	level := slog.LevelInfo
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	cfg := Config{Layout: LayoutIn(*dir), BootID: *boot, OCFRoots: *agents, Fencers: *fencers, Log: log, Ask: fencer.AskOperators,
		Watchdog: WatchdogConfig{Device: *guard, Timeout: *within, Reset: *reset}, Guests: GuestConfig{Conf: *guests}}
	if *faulty != "" {
		cfg.Faults, cfg.Ask = faults(*faulty), nil
		if *guard != "" && (*guard != softwareWatchdog || *reset == "") {
			fmt.Fprintln(stderr, "cerco daemon: a lab has only software watchdogs, and --watchdog-reset must say what they do")
			return exitUsage
		}
		cfg.Panic = func(why string) {
			log.Error("a real host would end now; here its daemon does", "why", why)
			os.Exit(exitFailed)
		}
	}
	stayResponsive()
	d, err := New(cfg)
	if err != nil {
		fmt.Fprintf(stderr, "cerco daemon: %v\n", err)
		return exitConfig
	}
	if err := d.Start(); err != nil {
		fmt.Fprintf(stderr, "cerco daemon: %v\n", err)
		if errors.Is(err, cib.ErrBehind) {
			return exitConfig
		}
		return exitFailed
	}
	log.Info("the daemon runs", "node", d.Name(), "version", version())
	select {
	case <-ctx.Done():
		if hostStops() {
			log.Info("the host stops: everything is moved away first")
			d.goForGood()
		} else {
			d.goAway()
		}
		d.Stop()
		return exitEnded
	case <-d.Ended():
		d.Stop()
		return exitEnded
	case err := <-d.Failed():
		log.Error("this daemon ends, and what runs here goes on until the others fence the node", "why", err)
		d.Stop()
		return exitConfig
	}
}

// timerSlack is by how much timers may be late: so that one waking of the process serves several, Go's own among them,
// which looks after the others up to 50,000 times a second otherwise. Nothing here is measured that finely.
const timerSlack = time.Millisecond

// stayResponsive asks the kernel to let this process run as soon as it has something to do, however busy the host
// is: who answers late is taken for dead. And to wake it no more often than need be. Agents get the usual priority
// back. Without the right to ask, it stays as it is.
func stayResponsive() {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range tasks { // the kernel counts by threads, and new ones inherit it
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			_ = unix.Setpriority(unix.PRIO_PROCESS, tid, -15)
			_ = os.WriteFile(fmt.Sprintf("/proc/%d/timerslack_ns", tid), strconv.AppendInt(nil, timerSlack.Nanoseconds(), 10), 0)
		}
	}
}

// hostStops reports whether systemd is stopping the whole host, and not the daemon alone.
func hostStops() bool {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return false
	}
	out, _ := exec.Command("systemctl", "is-system-running").Output() // its exit code says the same
	return strings.TrimSpace(string(out)) == "stopping"
}

// goForGood has everything moved away from this node, and returns when that is done. Where there is nobody to do it,
// it does not wait: the host stops what runs here in its own way.
func (d *Daemon) goForGood() {
	if leader, _ := d.store.Leader(); leader == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := (backend{d}).Stop(ctx, d.node.Name, "the stop of the host"); err != nil {
		d.log.Error("the cluster could not be asked to move everything away", "error", err)
		return
	}
	<-d.ended
}

// goAway tells the cluster that this daemon will be back, and that what it runs goes on.
func (d *Daemon) goAway() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	m := d.store.View().Cluster.Member(d.node.Name)
	if m == nil || m.Witness || len(d.store.View().Cluster.Members) == 1 {
		return
	}
	until := d.cfg.Now().Add(awayFor)
	_, err := d.Propose(ctx, cib.Command{By: d.node.Name, Note: d.node.Name + " restarts its daemon; what it runs goes on",
		Nodes: []cib.NodeUpdate{{ID: m.ID, Name: m.Name, AwayUntil: &until, AwayRun: d.run}}})
	if err != nil {
		d.log.Warn("nobody could be told that this daemon will be back: it has until the token's time is over", "error", err)
	}
}

// startUnit has systemd run the daemon, where there is systemd and the host's own places are used.
func (c *clusterCommand) startUnit() error {
	if _, err := os.Stat("/run/systemd/system"); c.noStart || c.dir != "" || err != nil {
		command := "cerco daemon"
		if c.dir != "" {
			command += " --dir " + c.dir
		}
		c.say("Start its daemon now: %s", command)
		return nil
	}
	out, err := exec.CommandContext(c.ctx, "systemctl", "enable", "--now", "cerco.service").CombinedOutput()
	if err != nil {
		return fmt.Errorf("the daemon could not be started: %w: %s", err, strings.TrimSpace(string(out)))
	}
	c.say("Its daemon runs. cerco cluster invite makes the command for the next node.")
	return nil
}
