package pcs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// clusterLifeNouns are the verbs by which hosts become nodes, start, stop and leave.
func clusterLifeNouns() []*verb {
	return []*verb{
		{name: "host", what: "Manage the hosts of the cluster.", sub: []*verb{
			{name: "auth", args: "HOST [addr=ADDRESS]...", live: true, options: []string{"token", "user", "password"}, run: hostAuth,
				what: "Show which hosts know each other already. They do by certificates, without a password: a new host joins by an invitation."},
			{name: "deauth", args: "[HOST]...", live: true, run: hostDeauth, what: "Say how a host stops being trusted: it is taken out of the cluster."},
		}},
		{name: "cluster", sub: []*verb{
			{name: "auth", live: true, options: []string{"user", "password"}, run: hostAuth, what: "Show that the nodes know each other."},
			{name: "start", args: "[--all | NODE...]", live: true, options: []string{"all", "wait"}, run: clusterStart, what: "Start this node."},
			{name: "stop", args: "[--all | NODE...]", live: true, options: []string{"all", "dir"}, run: clusterStop,
				what: "Have everything moved away from nodes (default: this one), then end their daemons."},
			{name: "enable", args: "[--all | NODE...]", live: true, options: []string{"all"}, run: clusterEnable, what: "Have this node start with its host."},
			{name: "disable", args: "[--all | NODE...]", live: true, options: []string{"all"}, run: clusterEnable, what: "Have this node not start with its host."},
			{name: "kill", live: true, run: clusterKill, what: "End the daemon of this node with signal 9. What it runs goes on until the others fence the node."},
			{name: "destroy", live: true, options: []string{"all", "dir"}, run: clusterDestroy,
				what: "Stop this node, and take its host out of the cluster: its identity and all that it knows of the cluster are removed. With --all every node is stopped."},
			{name: "sync", args: "[corosync]", live: true, run: inStep, what: "Show whether all nodes have the newest configuration. They copy it from each other by themselves."},
			{name: "reload", args: "[corosync]", live: true, run: inStep, what: "The same as sync: changes are in force when they are made."},
			{name: "node", what: "Manage the nodes of the cluster.", sub: []*verb{
				{name: "add", args: "NODE [addr=ADDRESS]...", live: true, options: []string{"start", "enable", "wait", "valid"}, run: nodeAdd,
					what: "Make an invitation for a host that is to become a node, and show what to do there."},
				{name: "remove", aliases: []string{"delete"}, args: "NODE...", live: true, run: nodeRemove, what: "Stop nodes, and take them out of the cluster."},
				{name: "clear", args: "NODE", live: true, run: nodeClear, what: "Take what is left of a node that is no member any more out of the configuration and the state."},
			}},
		}},
		{name: "pcsd", what: "Show whether the nodes answer; Cerco's daemon is all there is.", sub: []*verb{
			{name: "status", args: "[NODE]...", live: true, run: pcsdStatus, what: "Show which nodes are heard, and why one is not."},
		}},
		{name: "status", sub: []*verb{
			{name: "pcsd", args: "[NODE]...", live: true, run: pcsdStatus, what: "Show which nodes are heard, and why one is not."},
		}},
	}
}

// hostAuth says how hosts get to know each other.
func hostAuth(c *call) error {
	names := slices.DeleteFunc(slices.Clone(c.words), isPair) // an address of the host before it
	w, err := c.cluster()
	if errors.Is(err, client.ErrNoDaemon) {
		return c.authAlone(names)
	}
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = everybody(w)
	}
	var strangers []string
	for _, host := range names {
		if w.Member(host) == nil {
			strangers = append(strangers, host)
			continue
		}
		fmt.Fprintf(c.Stdout, "%s: Authorized\n", host)
	}
	if len(strangers) > 0 {
		return fmt.Errorf("%s: not of this cluster. '%s cluster node add HOST' makes an invitation, and 'cerco cluster join' on the host asks for it",
			strings.Join(strangers, ", "), c.program)
	}
	return nil
}

func hostDeauth(c *call) error {
	return fmt.Errorf("a host is trusted as long as it is a member: '%s cluster node remove NODE' ends that at once, and "+
		"'cerco cluster rotate --ca' makes another certificate authority where its key may have been stolen", c.program)
}

// meant are this node's name and the nodes that a verb is about: those that are named, all, or this one.
func (c *call) meant() (own string, names []string, err error) {
	names = c.words
	d, err := c.daemon()
	if err != nil {
		return "", nil, err
	}
	n, err := d.Node(c.context())
	own = n.Name
	if errors.Is(err, client.ErrNoDaemon) && c.Hostname != nil {
		own, err = c.Hostname()
	}
	if err != nil {
		return "", nil, err
	}
	switch {
	case c.has("all") && len(names) > 0:
		return "", nil, c.misused("Cannot specify both --all and a list of nodes")
	case c.has("all"):
		w, err := c.cluster()
		if errors.Is(err, client.ErrNoDaemon) {
			return own, []string{own}, nil // who the others are, only its daemon knows
		}
		if err != nil {
			return "", nil, err
		}
		names = everybody(w)
	case len(names) == 0:
		names = []string{own}
	}
	return own, names, nil
}

// strangers refuses names that are not those of members.
func strangers(w wire.Cluster, names []string) error {
	for _, name := range names {
		if w.Member(name) == nil {
			return fmt.Errorf("the cluster has no node '%s'%s", name, didYouMean(name, everybody(w)))
		}
	}
	return nil
}

// systemctl does something to the service of this host.
func (c *call) systemctl(words ...string) error {
	out, err := exec.CommandContext(c.context(), "systemctl", append(words, "cerco.service")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("systemctl %s cerco.service: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// clusterStart starts this node. Others cannot be reached while their daemons do not run: it says what to do there.
func clusterStart(c *call) error {
	own, names, err := c.meant()
	if err != nil {
		return err
	}
	if slices.Contains(names, own) {
		if err := c.startHere(own); err != nil {
			return err
		}
	}
	others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == own })
	if c.has("all") || len(others) > 0 || c.has("wait") {
		w, err := c.gathered(others)
		if err != nil {
			return err
		}
		if c.has("all") {
			others = slices.DeleteFunc(everybody(w), func(n string) bool { return n == own })
		}
		if err := strangers(w, others); err != nil {
			return err
		}
		for _, name := range others {
			if heard(w, name) {
				c.note("%s: Cluster is running", name)
			}
		}
		if lines := c.missing(w, others); len(lines) > 0 {
			return fmt.Errorf("a daemon that does not run does not listen, so it is started on its own host:\n  %s", strings.Join(lines, "\n  "))
		}
	}
	return c.settled()
}

func (c *call) startHere(own string) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if _, err := d.Node(c.context()); err == nil {
		c.note("%s: Cluster is running", own)
		return nil
	}
	c.note("%s: Starting Cluster...", own)
	return c.systemctl("start")
}

// startTime is how long a daemon that was just started may take to know the others.
const startTime = 10 * time.Second

// gathered is the cluster as this node sees it, once it answers and has had time to hear the nodes that are named.
func (c *call) gathered(names []string) (w wire.Cluster, err error) {
	ctx, cancel := context.WithTimeout(c.context(), startTime)
	defer cancel()
	silent := time.Now().Add(reachTime)
	err = await(ctx, func() (bool, error) {
		if w, err = c.cluster(); err != nil {
			return false, err
		}
		all := !slices.ContainsFunc(everybody(w), func(n string) bool { return !heard(w, n) })
		return all || time.Now().After(silent), nil
	})
	return w, err
}

// lookEvery is how often something that takes its time is looked at.
const lookEvery = 50 * time.Millisecond

// await asks until the answer is yes, or until the context ends: then the last error is the answer.
func await(ctx context.Context, yes func() (bool, error)) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		ok, err := yes()
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err == nil {
				err = context.Cause(ctx)
			}
			return err
		}
	}
}

// settled waits until the cluster has come to rest, where --wait asks for that.
func (c *call) settled() error {
	wait, err := c.wait()
	if err != nil || !wait.Settled {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	rest, err := d.Rest(c.context(), wait)
	if err != nil {
		return err
	}
	return unrest(&rest)
}

// askAgain is when a node is asked again to stop: one that is just being taken in forgets what it was asked before.
const askAgain = 5 * time.Second

// clusterStop has nodes stop, all at the same time, and returns when they have.
func clusterStop(c *call) error {
	own, names, err := c.meant()
	if err != nil {
		return err
	}
	return c.stop(own, names)
}

func (c *call) stop(own string, names []string) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	w, err := c.cluster()
	if err != nil {
		return err
	}
	if err := strangers(w, names); err != nil {
		return err
	}
	slices.SortStableFunc(names, func(a, b string) int { // this node comes last: it is the one that is asked
		return map[bool]int{true: 1}[a == own] - map[bool]int{true: 1}[b == own]
	})
	var absent []string
	var stopping []string
	for _, name := range names {
		if !heard(w, name) {
			absent = append(absent, name)
			continue
		}
		c.note("%s: Stopping Cluster...", name)
		if err := d.Stop(c.context(), name); err != nil {
			return err
		}
		stopping = append(stopping, name)
	}
	again := time.Now().Add(askAgain)
	err = await(c.context(), func() (bool, error) {
		w, err := c.cluster()
		if errors.Is(err, client.ErrNoDaemon) {
			return true, nil
		}
		stopping = slices.DeleteFunc(stopping, func(n string) bool { return err == nil && !heard(w, n) })
		if err == nil && time.Now().After(again) {
			again = time.Now().Add(askAgain)
			for _, name := range stopping {
				if err := d.Stop(c.context(), name); err != nil && !errors.Is(err, client.ErrNoDaemon) {
					return false, err
				}
			}
		}
		return err == nil && len(stopping) == 0, err
	})
	if err != nil {
		return err
	}
	if len(absent) > 0 {
		return fmt.Errorf("not heard, and so not asked to stop:\n  %s", strings.Join(c.missing(w, absent), "\n  "))
	}
	return nil
}

func clusterEnable(c *call) error {
	what := c.path[len(c.path)-1]
	own, names, err := c.meant()
	if err != nil {
		return err
	}
	if slices.Contains(names, own) {
		if err := c.systemctl(what); err != nil {
			return err
		}
		c.note("%s: Cluster %sd", own, strings.ToUpper(what[:1])+what[1:])
	}
	if others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == own }); len(others) > 0 {
		return fmt.Errorf("%s: 'systemctl %s cerco' there does it; a node does not change the services of another", strings.Join(others, ", "), what)
	}
	return nil
}

func clusterKill(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	if err := c.systemctl("kill", "--signal=SIGKILL"); err != nil {
		return err
	}
	return c.systemctl("stop") // or systemd starts it again
}

// clusterDestroy stops what runs, and has what is left of this host's part removed.
func clusterDestroy(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	own, names, err := c.meant()
	if err != nil {
		return err
	}
	var others []string
	if _, err := c.cluster(); err == nil {
		if err := c.stop(own, slices.Clone(names)); err != nil && !c.has("force") {
			return err
		}
		others = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == own })
	}
	if c.Own == nil {
		return fmt.Errorf("'cluster destroy' needs the host itself")
	}
	args := []string{"cluster", "destroy"}
	if c.has("dir") {
		args = append(args, "--dir="+c.option("dir"))
	}
	if err := c.own(args...); err != nil {
		return err
	}
	if len(others) > 0 {
		c.note("%s: stopped; '%s cluster destroy' there removes what is left", strings.Join(others, ", "), c.program)
	}
	return nil
}

// inStep shows which nodes have the newest configuration.
func inStep(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	w, err := c.cluster()
	if err != nil {
		return err
	}
	for _, s := range w.Seen {
		if s.Heard {
			fmt.Fprintf(c.Stdout, "%s: Succeeded\n", s.Name)
		}
	}
	if lines := c.missing(w, everybody(w)); len(lines) > 0 {
		return fmt.Errorf("what is missing there comes by itself as soon as they can be reached:\n  %s", strings.Join(lines, "\n  "))
	}
	return nil
}

// pcsdStatus shows who answers.
func pcsdStatus(c *call) error {
	w, err := c.cluster()
	if err != nil {
		return err
	}
	names := c.words
	if len(names) == 0 {
		names = everybody(w)
	}
	if err := strangers(w, names); err != nil {
		return err
	}
	for _, name := range names {
		state := "Offline"
		if heard(w, name) {
			state = "Online"
		}
		fmt.Fprintf(c.Stdout, "  %s: %s\n", name, state)
	}
	if lines := c.missing(w, names); len(lines) > 0 {
		return fmt.Errorf("not all nodes are heard:\n  %s", strings.Join(lines, "\n  "))
	}
	return nil
}
