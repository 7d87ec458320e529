package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

const usage = `Usage: cerco lab COMMAND [OPTION...]

A cluster of real daemons on this machine, to play with and to measure. It needs no root.

  up                   start one (--nodes 3), with services on it
  status               show it
  crash NODE           end every process of a node at once, as a power failure does
  boot NODE            start a node that is off
  restart NODE         kill a node's daemon alone and start it again: nothing else should happen
  pause NODE           stop every process of a node in its tracks; heal lets it go on
  partition 'A|B,C'    cut the network between groups of nodes
  slow-disk NODE TIME  make every write of a node's log take so much longer; 0 ends it
  heal                 take all faults away
  down                 end it and remove its directory
  drill                start one, kill a node, measure, again and again (--nodes, --rounds, --kill-dc, --json)
  soak                 start one with many services, harm it at random again and again, and judge from outside whether it
                       kept its promises (--nodes, --resources, --for, --faults, --seed)
  demo                 start one, kill a node and show what happens

`

// command is what the options and arguments say.
type command struct {
	ctx            context.Context
	stdout, stderr io.Writer
	dir            string
	nodes, rounds  int
	names          []string
	cluster        string
	killDC, json   bool
	bare, verbose  bool
	after, long    time.Duration
	resources      int
	faults         int
	seed           uint64
	args           []string
}

// Command is `cerco lab`.
func Command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := &command{ctx: ctx, stdout: stdout, stderr: stderr}
	flags := pflag.NewFlagSet("cerco lab", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage, flags.FlagUsages()) }
	flags.StringVar(&c.dir, "dir", "", "directory of the lab (default: one for each user among the temporary files, or CERCO_LAB)")
	flags.IntVar(&c.nodes, "nodes", 3, "number of nodes")
	flags.StringSliceVar(&c.names, "names", nil, "up: names of the nodes, instead of n1 and so on")
	flags.StringVar(&c.cluster, "cluster", "lab", "up: name of the cluster")
	flags.IntVar(&c.rounds, "rounds", 3, "drill: how often")
	flags.BoolVar(&c.killDC, "kill-dc", false, "drill: kill the node that decides")
	flags.BoolVar(&c.json, "json", false, "drill: print one JSON object")
	flags.BoolVar(&c.verbose, "verbose", false, "up: the daemons log what they do in detail")
	flags.BoolVar(&c.bare, "bare", false, "up: no services, only the nodes and the fence device")
	flags.DurationVar(&c.after, "after", 0, "boot: wait so long before")
	flags.DurationVar(&c.long, "for", 20*time.Minute, "soak: how long")
	flags.IntVar(&c.resources, "resources", 100, "soak: number of services")
	flags.IntVar(&c.faults, "faults", 0, "soak: end after so many faults")
	flags.Uint64Var(&c.seed, "seed", 1, "soak: what the faults follow from")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(stderr, "cerco lab: %v\n", err)
		return 64
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 64
	}
	c.args = flags.Args()[1:]
	if c.dir == "" {
		c.dir = DefaultDir()
	}
	abs, err := filepath.Abs(c.dir) // processes are known by it, wherever they are started from
	if err != nil {
		fmt.Fprintf(stderr, "cerco lab: %v\n", err)
		return 1
	}
	c.dir = abs
	run, known := c.commands()[flags.Arg(0)]
	if !known {
		fmt.Fprintf(stderr, "cerco lab: there is no command %q; cerco lab --help lists them\n", flags.Arg(0))
		return 64
	}
	if len(c.args) != run.args {
		fmt.Fprintf(stderr, "cerco lab %s: it takes %d arguments, not %d; cerco lab --help shows them\n", flags.Arg(0), run.args, len(c.args))
		return 64
	}
	if err := run.do(); err != nil {
		fmt.Fprintf(stderr, "cerco lab %s: %v\n", flags.Arg(0), err)
		return 1
	}
	return 0
}

// step is one command: how many arguments it takes, and what it does.
type step struct {
	args int
	do   func() error
}

func (c *command) commands() map[string]step {
	on := func(f func(l *Lab) error) func() error {
		return func() error {
			l, err := Open(c.dir)
			if err != nil {
				return err
			}
			return f(l)
		}
	}
	return map[string]step{
		"up":        {0, c.up},
		"status":    {0, on(c.status)},
		"crash":     {1, on(func(l *Lab) error { return c.crash(l, c.args[0]) })},
		"boot":      {1, on(func(l *Lab) error { return c.boot(l, c.args[0]) })},
		"restart":   {1, on(func(l *Lab) error { return l.EndDaemon(c.args[0], syscall.SIGKILL, 0) })},
		"pause":     {1, on(func(l *Lab) error { return c.pause(l, c.args[0]) })},
		"partition": {1, on(func(l *Lab) error { return l.Partition(c.args[0]) })},
		"slow-disk": {2, on(c.slowDisk)},
		"heal":      {0, on((*Lab).Heal)},
		"down":      {0, on(func(l *Lab) error { return l.Down(c.ctx) })},
		"drill":     {0, c.drill},
		"soak":      {0, c.soak},
		"demo":      {0, c.demo},
	}
}

func (c *command) say(format string, args ...any) { fmt.Fprintf(c.stdout, format+"\n", args...) }

// upPatience is how long a lab may take to come up.
const upPatience = 60 * time.Second

func (c *command) up() error {
	ctx, cancel := context.WithTimeout(c.ctx, upPatience)
	defer cancel()
	create := func() (*Lab, error) { return Create(c.dir, c.nodes) }
	if len(c.names) > 0 {
		create = func() (*Lab, error) { return CreateNamed(c.dir, c.names) }
	}
	l, err := create()
	if err != nil {
		return err
	}
	l.Verbose, l.Cluster = c.verbose, c.cluster
	if err := l.save(); err != nil {
		return err
	}
	if err := l.Up(ctx, c.say); err != nil {
		return fmt.Errorf("%w (%s has the nodes' logs; cerco lab down --dir %s ends what runs)", err, l.Dir, l.Dir)
	}
	if err := l.Configure(ctx, !c.bare); err != nil {
		return err
	}
	c.say("")
	return c.status(l)
}

// crash is a power failure: nobody is told.
func (c *command) crash(l *Lab, node string) error {
	if _, err := l.Node(node); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	return l.PowerOff(ctx, node)
}

func (c *command) boot(l *Lab, node string) error {
	select {
	case <-time.After(c.after):
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	return l.Boot(node)
}

func (c *command) pause(l *Lab, node string) error {
	if _, err := l.Node(node); err != nil {
		return err
	}
	return l.Signal(node, syscall.SIGSTOP)
}

func (c *command) slowDisk(l *Lab) error {
	by, err := time.ParseDuration(c.args[1])
	if c.args[1] == "0" {
		by, err = 0, nil
	}
	if err != nil {
		return fmt.Errorf("%q is no time such as 50ms", c.args[1])
	}
	if _, err := l.Node(c.args[0]); err != nil {
		return err
	}
	return l.SlowDisk(c.args[0], by)
}

// status shows which nodes have power and what the cluster says of itself.
func (c *command) status(l *Lab) error {
	on := l.Living()
	c.say("Lab in %s: %d of %d nodes have power (%s)", l.Dir, len(on), len(l.Nodes), strings.Join(on, " "))
	if len(on) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
	defer cancel()
	text, err := l.picture(ctx)
	if err != nil {
		return err
	}
	c.say("%s", text)
	for _, n := range l.Nodes {
		if f, err := readFaults(l.Path(n.Name, "faults")); err == nil && (len(f.Blocked) > 0 || f.SlowDisk > 0) {
			c.say("Faults of %s: cut from %s; slow disk %v", n.Name, strings.Join(f.Blocked, " "), f.SlowDisk)
		}
	}
	return nil
}
