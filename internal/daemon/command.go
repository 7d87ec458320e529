package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Exit codes of the daemon. systemd starts it again after all but exitEnded.
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
	cfg := Config{Layout: LayoutIn(*dir), BootID: *boot, OCFRoots: *agents, Fencers: *fencers, Log: log}
	if *faulty != "" {
		cfg.Faults = faults(*faulty)
		cfg.Panic = func(why string) {
			log.Error("a real host would end now; here its daemon does", "why", why)
			os.Exit(exitFailed)
		}
	}
	d, err := New(cfg)
	if err != nil {
		fmt.Fprintf(stderr, "cerco daemon: %v\n", err)
		return exitConfig
	}
	if err := d.Start(); err != nil {
		fmt.Fprintf(stderr, "cerco daemon: %v\n", err)
		return exitFailed
	}
	log.Info("the daemon runs", "node", d.Name(), "version", version())
	select {
	case <-ctx.Done():
		d.goAway()
		d.Stop()
		return exitEnded
	case <-d.Ended():
		d.Stop()
		return exitEnded
	}
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
		Nodes: []cib.NodeUpdate{{ID: m.ID, Name: m.Name, AwayUntil: &until}}})
	if err != nil {
		d.log.Warn("nobody could be told that this daemon will be back: it has until the token's time is over", "error", err)
	}
}

// clusterUsage lists what `cerco cluster` does.
const clusterUsage = `Usage: cerco cluster COMMAND [OPTION...]

  setup NAME     found a cluster of which this host is the first node
  join TOKEN     enter a cluster with an invitation
  destroy        take this host out of its cluster; its daemon must not run

Options of setup and join:
`

// ClusterCommand is the part of `cerco cluster` that works on this host's own files.
func ClusterCommand(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet("cerco cluster", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, clusterUsage, flags.FlagUsages()) }
	var (
		dir    = flags.String("dir", "", "keep everything below this directory instead of /etc, /var/lib and /run")
		name   = flags.String("node", "", "name of this node (default: the host's name)")
		addrs  = flags.StringSlice("addr", nil, "address of this node, once a ring, the port 2225 unless given (default: the address of the host's name)")
		apiOn  = flags.String("api", "", "address of the HTTPS API (default: the first address, port 2224; none: no API)")
		noUnit = flags.Bool("no-start", false, "do not start the daemon")
	)
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "cerco cluster: %v\n", err)
		return code
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		return fail(exitUsage, err)
	}
	l := LayoutIn(*dir)
	if flags.NArg() == 1 && flags.Arg(0) == "destroy" {
		if err := Destroy(l); err != nil {
			return fail(exitFailed, err)
		}
		fmt.Fprintln(stdout, "This host belongs to no cluster any more.")
		return 0
	}
	if flags.NArg() != 2 || flags.Arg(0) != "setup" && flags.Arg(0) != "join" {
		flags.Usage()
		return exitUsage
	}
	o, err := nodeOptions(*name, *addrs, *apiOn)
	if err != nil {
		return fail(exitUsage, err)
	}
	what := flags.Arg(1)
	if flags.Arg(0) == "setup" {
		err = Setup(l, what, o)
	} else {
		err = Join(ctx, l, what, o)
	}
	if err != nil {
		return fail(exitFailed, err)
	}
	verb := map[string]string{"setup": "founds cluster " + what, "join": "has joined"}[flags.Arg(0)]
	fmt.Fprintf(stdout, "%s %s.\n", o.Name, verb)
	return startUnit(ctx, *dir, *noUnit, stdout, stderr)
}

// startUnit has systemd run the daemon, where there is systemd and the host's own places are used.
func startUnit(ctx context.Context, dir string, no bool, stdout, stderr io.Writer) int {
	if _, err := os.Stat("/run/systemd/system"); no || dir != "" || err != nil {
		fmt.Fprintln(stdout, strings.TrimRight("Start its daemon now: cerco daemon --dir "+dir, " "))
		return 0
	}
	out, err := exec.CommandContext(ctx, "systemctl", "enable", "--now", "cerco.service").CombinedOutput()
	if err != nil {
		fmt.Fprintf(stderr, "cerco cluster: the daemon could not be started: %v: %s\n", err, strings.TrimSpace(string(out)))
		return exitFailed
	}
	fmt.Fprintln(stdout, "Its daemon runs. cerco cluster invite makes the command for the next node.")
	return 0
}
