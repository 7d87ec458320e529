package pcs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// liveNouns are the verbs that make sense on a running cluster only.
func liveNouns() []*verb {
	own := func(name, args, what string, options ...string) *verb {
		return &verb{name: name, args: args, what: what, live: true, options: options, run: ownCommand}
	}
	return []*verb{
		{name: "stonith", sub: []*verb{
			own("fence", "NODE", "Cut a node off by its fence devices and let it come back; with --off it stays off.", "off"),
			own("confirm", "NODE", "Say that you have seen that a node is off; what waits for that goes on."),
			own("history", "[show] [NODE]", "Show what was fenced, when, by which device, and with what proof."),
		}},
		{name: "resource", sub: []*verb{
			{name: "cleanup", args: "[RESOURCE] [node=NODE] [operation=NAME [interval=TIME]]", live: true, options: []string{"strict", "wait"}, run: resourceCleanup,
				what: "Forget failed operations, so that the resource is tried again."},
			{name: "refresh", args: "[RESOURCE] [node=NODE]", live: true, options: []string{"strict", "wait"}, run: resourceRefresh,
				what: "Forget all that is known of a resource, and look at it anew."},
			{name: "failcount", args: "[show] [RESOURCE] [node=NODE]", run: failcount, what: "Show how often resources have failed."},
			{name: "move", args: "RESOURCE [NODE]", live: true, options: []string{"promoted", "strict", "wait", "autodelete"}, run: resourceMove,
				what: "Move a resource, to a node or away from where it runs. Nothing is left behind."},
		}},
		{name: "stonith", sub: []*verb{
			{name: "cleanup", args: "[DEVICE] [node=NODE]", live: true, options: []string{"strict", "wait"}, run: resourceCleanup, what: "Forget failed operations of a fence device."},
			{name: "refresh", args: "[DEVICE] [node=NODE]", live: true, options: []string{"strict", "wait"}, run: resourceRefresh, what: "Forget all that is known of a fence device."},
		}},
		{name: "host", what: "Manage the hosts of the cluster.", sub: []*verb{
			{name: "auth", args: "HOST...", live: true, options: []string{"token", "user", "password"}, run: hostAuth,
				what: "Show how hosts get to know each other: by certificates, without a password."},
		}},
		{name: "cluster", sub: []*verb{
			{name: "start", args: "[--all | NODE...]", live: true, options: []string{"all", "wait"}, run: clusterStart, what: "Start this node."},
			{name: "stop", args: "[--all | NODE...]", live: true, options: []string{"all"}, run: clusterStop,
				what: "Have everything moved away from nodes (default: this one), then end them."},
			{name: "enable", args: "[--all | NODE...]", live: true, options: []string{"all"}, run: clusterEnable, what: "Have this node start with its host."},
			{name: "disable", args: "[--all | NODE...]", live: true, options: []string{"all"}, run: clusterEnable, what: "Have this node not start with its host."},
			{name: "destroy", live: true, options: []string{"all"}, run: ownCommand, what: "Take this host out of its cluster; its daemon must not run."},
			{name: "sync", args: "[corosync]", live: true, run: inStep, what: "Show whether all nodes have the newest configuration. They copy it from each other by themselves."},
			{name: "reload", args: "[corosync]", live: true, run: inStep, what: "The same as sync: changes are in force when they are made."},
			{name: "node", what: "Manage the nodes of the cluster.", sub: []*verb{
				{name: "add", args: "NODE", live: true, options: []string{"start", "enable", "wait"}, run: nodeAdd, what: "Make an invitation for a host that is to become a node."},
				{name: "remove", aliases: []string{"delete"}, args: "NODE...", live: true, run: nodeRemove, what: "Stop nodes, and take them out of the cluster."},
			}},
		}},
	}
}

// ownCommand hands a verb to the command of Cerco's own that does it.
func ownCommand(c *call) error {
	if c.Own == nil {
		return fmt.Errorf("'%s' needs a running cluster", strings.Join(c.path, " "))
	}
	args := append(slices.Clone(c.path), c.words...)
	for _, name := range []string{"off", "force", "all"} {
		if c.has(name) && slices.Contains(c.verb.options, name) {
			args = append(args, "--"+name)
		}
	}
	return c.own(args...)
}

func (c *call) own(args ...string) error {
	if code := c.Own(args); code != 0 {
		return exit(code)
	}
	return nil
}

// forget reads what a clean-up or a refresh is about.
func (c *call) forget() (wire.Forget, error) {
	var f wire.Forget
	for _, w := range c.words {
		name, value, option := strings.Cut(w, "=")
		switch {
		case !option && f.Resource == "":
			f.Resource = w
		case !option || value == "":
			return f, fmt.Errorf("missing value of '%s' option", name)
		case name == "node":
			f.Node = value
		case name == "operation":
			f.Operation = value
		case name == "interval":
			ms, ok := cib.ParseDuration(value)
			if !ok {
				return f, fmt.Errorf("interval=%s is no time", value)
			}
			f.IntervalMS = ms
		default:
			return f, c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), w)
		}
	}
	return f, nil
}

func resourceCleanup(c *call) error { return c.forgets((*client.Client).Cleanup) }
func resourceRefresh(c *call) error { return c.forgets((*client.Client).Refresh) }

func (c *call) forgets(f func(*client.Client, context.Context, wire.Forget, client.Wait) (wire.Changed, error)) error {
	what, err := c.forget()
	if err != nil {
		return err
	}
	if what.Resource != "" {
		doc, _, err := c.view()
		if err != nil {
			return err
		}
		if doc.Resource(what.Resource) == nil {
			return fmt.Errorf("there is no resource '%s'%s", what.Resource, didYouMean(what.Resource, resourceIDs(doc)))
		}
	}
	wait, err := c.wait()
	if err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if _, err := f(d, c.context(), what, wait); err != nil {
		return err
	}
	c.note("Cleaned up %s on %s", orAll(what.Resource, "all resources"), orAll(what.Node, "all nodes"))
	return nil
}

func orAll(name, all string) string {
	if name == "" {
		return all
	}
	return name
}

// failcount shows what counts as failed, a line each.
func failcount(c *call) error {
	if len(c.words) > 0 && c.words[0] == "show" {
		c.words = c.words[1:]
	}
	f, err := c.forget()
	if err != nil {
		return err
	}
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	found := false
	for _, a := range wire.ListAttributes(doc, f.Node, "") {
		name, ok := strings.CutPrefix(a.Name, "fail-count-")
		resource, _, _ := strings.Cut(name, "#")
		if !ok || f.Resource != "" && resource != f.Resource || a.Value == "0" {
			continue
		}
		if !found {
			fmt.Fprintf(c.Stdout, "Failcounts for %s\n", orAll(f.Resource, "all resources"))
			found = true
		}
		fmt.Fprintf(c.Stdout, "  %s: %s: %s\n", a.Node, strings.Replace(name, "#", " ", 1), a.Value)
	}
	if !found {
		fmt.Fprintf(c.Stdout, "No failcounts%s\n", forResource(f.Resource))
	}
	return nil
}

func forResource(id string) string {
	if id == "" {
		return ""
	}
	return " for resource '" + id + "'"
}

// resourceMove moves a resource by a constraint, waits for the cluster, and takes the constraint back.
func resourceMove(c *call) error {
	if err := c.want(1, 2); err != nil {
		return err
	}
	id := c.words[0]
	if c.has("dry-run") {
		return c.again(append([]string{"resource", "move-with-constraint"}, c.words...))
	}
	words := append([]string{"resource", "move-with-constraint", "--wait=600"}, c.words...)
	if c.has("promoted") {
		words = append(words, "--promoted")
	}
	if err := c.again(words); err != nil {
		return err
	}
	if err := c.again([]string{"resource", "clear", id, "--wait=600"}); err != nil {
		return fmt.Errorf("%s was moved, but the constraint that moved it is still there: %s resource clear %s takes it back (%w)", id, c.program, id, err)
	}
	return c.again([]string{"resource", "status", id})
}

// hostAuth says how hosts get to know each other.
func hostAuth(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	w, err := c.cluster()
	if errors.Is(err, client.ErrNoDaemon) {
		return fmt.Errorf("this host belongs to no cluster yet, and hosts need no password here: 'cerco cluster setup NAME' founds one, " +
			"'cerco cluster invite' makes a token for each further host, and 'cerco cluster join' there asks for it")
	}
	if err != nil {
		return err
	}
	var strangers []string
	for _, host := range c.words {
		if strings.Contains(host, "=") {
			continue // an address of the host before it
		}
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

// others are the nodes that a verb names besides this one; here tells whether this one is meant.
func (c *call) others() (here bool, others []string, err error) {
	names := c.words
	if len(names) == 0 && !c.has("all") {
		return true, nil, nil
	}
	d, err := c.daemon()
	if err != nil {
		return false, nil, err
	}
	n, err := d.Node(c.context())
	own := n.Name
	if errors.Is(err, client.ErrNoDaemon) && c.Hostname != nil {
		own, err = c.Hostname()
	}
	if err != nil {
		return false, nil, err
	}
	if c.has("all") {
		w, err := c.cluster()
		if errors.Is(err, client.ErrNoDaemon) {
			return true, nil, nil
		}
		if err != nil {
			return false, nil, err
		}
		names = nil
		for _, m := range w.Members {
			names = append(names, m.Name)
		}
	}
	for _, name := range names {
		if name == own {
			here = true
		} else {
			others = append(others, name)
		}
	}
	return here, others, nil
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
	here, others, err := c.others()
	if err != nil {
		return err
	}
	if here {
		if d, err := c.daemon(); err == nil {
			if _, err := d.Node(c.context()); err == nil {
				c.note("This node runs already.")
			} else if err := c.systemctl("start"); err != nil {
				return err
			}
		}
	}
	var down []string
	if len(others) > 0 {
		w, err := c.cluster()
		if err != nil {
			return err
		}
		for _, name := range others {
			i := slices.IndexFunc(w.Seen, func(s wire.Seen) bool { return s.Name == name })
			if i >= 0 && w.Seen[i].Heard {
				c.note("%s: runs already", name)
			} else {
				down = append(down, name)
			}
		}
	}
	if len(down) > 0 {
		return fmt.Errorf("%s cannot be reached, since a daemon that does not run does not listen: 'systemctl start cerco' there starts it",
			strings.Join(down, ", "))
	}
	return nil
}

func clusterStop(c *call) error {
	here, others, err := c.others()
	if err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	for _, name := range others { // this node comes last: it is the one that is asked
		c.note("%s: Stopping Cluster...", name)
		if err := d.Stop(c.context(), name); err != nil {
			return err
		}
	}
	if here {
		c.note("Stopping Cluster...")
		return d.Stop(c.context(), "")
	}
	return nil
}

func clusterEnable(c *call) error {
	what := c.path[len(c.path)-1]
	here, others, err := c.others()
	if err != nil {
		return err
	}
	if here {
		if err := c.systemctl(what); err != nil {
			return err
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("%s: 'systemctl %s cerco' there does it; a node does not change the services of another", strings.Join(others, ", "), what)
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
	var missing []string
	for _, s := range w.Seen {
		if !s.Heard {
			missing = append(missing, s.Name)
			continue
		}
		fmt.Fprintf(c.Stdout, "%s: Succeeded\n", s.Name)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s cannot be reached: what is missing there comes by itself as soon as it can be", strings.Join(missing, ", "))
	}
	return nil
}

func nodeAdd(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	if c.Own == nil {
		return fmt.Errorf("'cluster node add' needs a running cluster")
	}
	return c.own("cluster", "invite")
}

func nodeRemove(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	w, err := c.cluster()
	if err != nil {
		return err
	}
	for _, name := range c.words {
		if w.Member(name) == nil {
			var known []string
			for _, m := range w.Members {
				known = append(known, m.Name)
			}
			return fmt.Errorf("the cluster has no node '%s'%s", name, didYouMean(name, known))
		}
		i := slices.IndexFunc(w.Seen, func(s wire.Seen) bool { return s.Name == name })
		if i >= 0 && w.Seen[i].Heard {
			c.note("%s: Stopping Cluster...", name)
			if err := d.Stop(c.context(), name); err != nil {
				return err
			}
		}
		if err := d.Remove(c.context(), name, c.has("force")); err != nil {
			return err
		}
		c.note("%s: removed from the cluster", name)
	}
	return nil
}
