package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// clusterUsage lists what `cerco cluster` does.
const clusterUsage = `Usage: cerco cluster COMMAND [OPTION...]

On a host that belongs to no cluster, or is to leave it:
  setup NAME           found a cluster of which this host is the first node
  join                 enter a cluster with an invitation: asks for the token, or reads it from standard input
  destroy              take this host out of its cluster; its daemon must not run

On a node whose daemon runs:
  invite               make an invitation, and show the token for the new node
  add-witness          the same for a witness: a vote, and no resources
  members              who belongs to the cluster, how they vote and how they are heard
  options [NAME=VALUE] show or change how votes are counted (two_node, wait_for_all, auto_tie_breaker,
                       auto_tie_breaker_node, last_man_standing, last_man_standing_window, expected_votes)
                       and how fast losses are noticed (heartbeat, lease, token; milliseconds),
                       and after how many days nodes exchange their keys by themselves (key_days; 0: never)
  stop [NODE...]       have everything moved away from a node (default: this one), then end its daemon
  remove NODE          take a node out of the cluster; stop it first
  rotate [NODE...]     have nodes (default: this one; --all: all) exchange their keys, while everything runs
  rotate --ca          exchange the cluster's certificate authority; open invitations end
  upgrade [--final]    how far the nodes are on the way to a new version; --final: no way back

`

// clusterCommand is one call of `cerco cluster`.
type clusterCommand struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	args           []string // after the command's name

	dir, node, api string
	addrs          []string
	noStart        bool
	all, force     bool
	final, ca      bool
	valid          time.Duration
}

// ClusterCommand is `cerco cluster`.
func ClusterCommand(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &clusterCommand{ctx: ctx, stdin: stdin, stdout: stdout, stderr: stderr}
	flags := pflag.NewFlagSet("cerco cluster", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, clusterUsage, "Options:\n", flags.FlagUsages()) }
	flags.StringVar(&c.dir, "dir", "", "the node is below this directory instead of in /etc, /var/lib and /run")
	flags.StringVar(&c.node, "node", "", "setup, join: name of this node (default: the host's name)")
	flags.StringSliceVar(&c.addrs, "addr", nil, "setup, join: address of this node, once a ring, with port 2225 unless given\n(default: the address of the host's name)")
	flags.StringVar(&c.api, "api", "", "setup, join: address of the HTTPS API (default: the first address, port 2224; none: no API)")
	flags.BoolVar(&c.noStart, "no-start", false, "setup, join: do not start the daemon")
	flags.BoolVar(&c.all, "all", false, "stop, rotate: all nodes")
	flags.BoolVar(&c.force, "force", false, "remove: even a node that is up; what runs there is left to itself")
	flags.BoolVar(&c.ca, "ca", false, "rotate: the certificate authority instead of keys of nodes")
	flags.BoolVar(&c.final, "final", false, "upgrade: all nodes run the new version, and none will go back")
	flags.DurationVar(&c.valid, "valid", time.Hour, "invite, add-witness: for how long")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		fmt.Fprintf(stderr, "cerco cluster: %v\n", err)
		return exitUsage
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return exitUsage
	}
	c.args = flags.Args()[1:]
	run, known := c.verbs()[flags.Arg(0)]
	if !known {
		fmt.Fprintf(stderr, "cerco cluster: there is no command %q; cerco cluster --help lists them\n", flags.Arg(0))
		return exitUsage
	}
	if err := run(); err != nil {
		fmt.Fprintf(stderr, "cerco cluster %s: %v\n", flags.Arg(0), err)
		if errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitFailed
	}
	return 0
}

// verbs are what `cerco cluster` does.
func (c *clusterCommand) verbs() map[string]func() error {
	return map[string]func() error{"setup": c.setup, "join": c.join, "destroy": c.destroy, "invite": c.invite, "add-witness": c.addWitness,
		"members": c.members, "options": c.options, "stop": c.stop, "remove": c.remove, "upgrade": c.upgrade, "rotate": c.rotate}
}

// ClusterVerbs are the names of what `cerco cluster` does.
func ClusterVerbs() []string { return slices.Sorted(maps.Keys((&clusterCommand{}).verbs())) }

var errUsage = errors.New("cerco cluster --help shows how it is called")

// want checks the number of arguments.
func (c *clusterCommand) want(n int) error {
	if len(c.args) != n {
		return fmt.Errorf("it takes %d arguments, not %d: %w", n, len(c.args), errUsage)
	}
	return nil
}

func (c *clusterCommand) say(format string, args ...any) { fmt.Fprintf(c.stdout, format+"\n", args...) }

func (c *clusterCommand) setup() error {
	if err := c.want(1); err != nil {
		return err
	}
	o, err := nodeOptions(c.node, c.addrs, c.api)
	if err != nil {
		return err
	}
	if err := Setup(LayoutIn(c.dir), c.args[0], o); err != nil {
		return err
	}
	c.say("%s founds cluster %s.", o.Name, c.args[0])
	return c.startUnit()
}

func (c *clusterCommand) join() error {
	if len(c.args) > 0 {
		return fmt.Errorf("a token in a command can be read by everybody on this host: give it on standard input, or paste it when asked: %w", errUsage)
	}
	o, err := nodeOptions(c.node, c.addrs, c.api)
	if err != nil {
		return err
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	if err := Join(c.ctx, LayoutIn(c.dir), token, o); err != nil {
		return err
	}
	c.say("%s has joined.", o.Name)
	return c.startUnit()
}

// token reads the token of an invitation: one line.
func (c *clusterCommand) token() (string, error) {
	if f, ok := c.stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprint(c.stderr, "Token: ")
		}
	}
	line, err := bufio.NewReader(io.LimitReader(c.stdin, 16<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		if err == nil || errors.Is(err, io.EOF) {
			err = errors.New("standard input has none")
		}
		return "", fmt.Errorf("a token is needed, cerco cluster invite makes one: %w", err)
	}
	return line, nil
}

func (c *clusterCommand) destroy() error {
	if err := c.want(0); err != nil {
		return err
	}
	if cl, err := c.dial(); err == nil {
		_, err := cl.Node(c.ctx)
		cl.Close()
		if err == nil {
			return errors.New("the daemon runs: cerco cluster stop first")
		}
	}
	if err := Destroy(LayoutIn(c.dir)); err != nil {
		return err
	}
	c.say("This host belongs to no cluster any more.")
	return nil
}

// dial talks to this node's daemon.
func (c *clusterCommand) dial() (*client.Client, error) {
	socket := LayoutIn(c.dir).socket()
	if env := os.Getenv("CERCO_SOCKET"); c.dir == "" && env != "" {
		socket = env
	}
	return client.Dial(socket, nil)
}

// live runs a step with the daemon.
func (c *clusterCommand) live(f func(cl *client.Client) error) error {
	cl, err := c.dial()
	if err != nil {
		return err
	}
	defer cl.Close()
	return f(cl)
}

func (c *clusterCommand) invite() error     { return c.inviteAs(false, "node") }
func (c *clusterCommand) addWitness() error { return c.inviteAs(true, "witness") }

func (c *clusterCommand) inviteAs(witness bool, what string) error {
	if err := c.want(0); err != nil {
		return err
	}
	return c.live(func(cl *client.Client) error {
		i, err := cl.Invite(c.ctx, wire.Invite{ValidMS: c.valid.Milliseconds(), Witness: witness})
		if err != nil {
			return err
		}
		c.say("On the new %s, until %s, cerco cluster join asks for this token, which is good for once:\n\n  %s\n", what, i.Expires.Format(time.DateTime), i.Token)
		return nil
	})
}

func (c *clusterCommand) members() error {
	if err := c.want(0); err != nil {
		return err
	}
	return c.live(func(cl *client.Client) error {
		w, err := cl.Cluster(c.ctx)
		if err != nil {
			return err
		}
		writeMembers(c.stdout, &w)
		return nil
	})
}

// writeMembers shows the members as a table, and the links that are down.
func writeMembers(w io.Writer, c *wire.Cluster) {
	verdict := "without quorum"
	if c.Quorum.Quorate {
		verdict = "with quorum"
	}
	fmt.Fprintf(w, "Cluster %s, %s: %s\n\n", c.Name, verdict, c.Quorum.Why)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tName\tVotes\tLog\tHeard\tAddresses")
	for _, m := range c.Members {
		log, heard := "listens", "-"
		for _, v := range c.Voters {
			if v == m.Name {
				log = "votes"
			}
		}
		for _, s := range c.Seen {
			if s.ID == m.ID {
				heard = map[bool]string{true: "yes", false: "no"}[s.Heard]
			}
		}
		name := m.Name
		if m.Witness {
			name += " (witness)"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", m.ID, name, m.Votes, log, heard, strings.Join(m.Addrs, " "))
	}
	t.Flush()
	for _, l := range c.Links {
		if !l.Up && l.Error != "" {
			fmt.Fprintf(w, "\nring%d to %s (%s) is down: %s", l.Ring, l.Peer, l.Remote, l.Error)
		}
	}
	fmt.Fprintln(w)
}

// nodes are those that a command is about: those that were named, all, or this one.
func (c *clusterCommand) nodes(cl *client.Client) ([]string, error) {
	nodes := c.args
	if c.all {
		w, err := cl.Cluster(c.ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range w.Members {
			nodes = append(nodes, m.Name)
		}
	}
	if len(nodes) == 0 {
		n, err := cl.Node(c.ctx)
		if err != nil {
			return nil, err
		}
		nodes = []string{n.Name}
	}
	return nodes, nil
}

func (c *clusterCommand) stop() error {
	return c.live(func(cl *client.Client) error {
		nodes, err := c.nodes(cl)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if err := cl.Stop(c.ctx, n); err != nil {
				return err
			}
			c.say("%s stops: what runs there is moved away first.", n)
		}
		return nil
	})
}

func (c *clusterCommand) rotate() error {
	if c.ca && len(c.args) > 0 {
		return fmt.Errorf("--ca is not about nodes: %w", errUsage)
	}
	return c.live(func(cl *client.Client) error {
		if c.ca {
			if err := cl.Rotate(c.ctx, wire.Rotate{CA: true}); err != nil {
				return err
			}
			c.say("The cluster has a new certificate authority; the other nodes fetch it now. Open invitations have ended.")
			return nil
		}
		nodes, err := c.nodes(cl)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if err := cl.Rotate(c.ctx, wire.Rotate{Node: n}); err != nil {
				return err
			}
			c.say("%s has a new key.", n)
		}
		return nil
	})
}

func (c *clusterCommand) remove() error {
	if err := c.want(1); err != nil {
		return err
	}
	return c.live(func(cl *client.Client) error {
		if err := cl.Remove(c.ctx, c.args[0], c.force); err != nil {
			return err
		}
		c.say("%s is no member any more. On that host, cerco cluster destroy removes what is left of it.", c.args[0])
		c.say("If you do not trust it: its host held the key that issues certificates; cerco cluster rotate --ca makes another one.")
		return nil
	})
}

// clusterOptions are the options by name, each with where it is kept.
func clusterOptions(q *cib.QuorumOptions, t *cib.Timing, keyDays *int) []clusterOption {
	return []clusterOption{
		{"two_node", &q.TwoNode}, {"wait_for_all", &q.WaitForAll}, {"auto_tie_breaker", &q.AutoTieBreaker},
		{"auto_tie_breaker_node", &q.TieBreakerNode}, {"last_man_standing", &q.LastManStanding},
		{"last_man_standing_window", &q.LMSWindowMS}, {"expected_votes", &q.ExpectedVotes},
		{"heartbeat", &t.HeartbeatMS}, {"lease", &t.LeaseMS}, {"token", &t.TokenMS},
		{"key_days", keyDays},
	}
}

type clusterOption struct {
	name  string
	value any // *bool, *string, *int or *int64
}

func (o *clusterOption) String() string {
	switch v := o.value.(type) {
	case *bool:
		return map[bool]string{true: "1", false: "0"}[*v]
	case *string:
		return *v
	case *int:
		return strconv.Itoa(*v)
	case *int64:
		return strconv.FormatInt(*v, 10)
	}
	panic(fmt.Sprintf("cluster option %s of type %T", o.name, o.value))
}

func (o *clusterOption) set(s string) error {
	var ok bool
	switch v := o.value.(type) {
	case *bool:
		*v, ok = cib.ParseBool(s)
	case *string:
		*v, ok = s, true
	case *int:
		n, err := strconv.Atoi(s)
		*v, ok = n, err == nil && n >= 0
	case *int64:
		n, err := strconv.ParseInt(s, 10, 64)
		*v, ok = n, err == nil && n >= 0
	}
	if !ok {
		return fmt.Errorf("%s=%s: that is no value for it", o.name, s)
	}
	return nil
}

func (c *clusterCommand) options() error {
	return c.live(func(cl *client.Client) error {
		w, err := cl.Cluster(c.ctx)
		if err != nil {
			return err
		}
		all := clusterOptions(&w.Cluster.Quorum, &w.Timing, &w.KeyDays)
		if len(c.args) == 0 {
			for _, o := range all {
				c.say("%s=%s", o.name, o.String())
			}
			return nil
		}
		for _, a := range c.args {
			name, value, _ := strings.Cut(a, "=")
			known := false
			for _, o := range all {
				if o.name == name {
					known = true
					if err := o.set(value); err != nil {
						return err
					}
				}
			}
			if !known {
				return fmt.Errorf("there is no option %q: %w", name, errUsage)
			}
		}
		return cl.Options(c.ctx, wire.Options{Quorum: &w.Cluster.Quorum, Timing: &w.Timing, KeyDays: &w.KeyDays})
	})
}
