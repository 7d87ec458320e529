package pcs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/corosync"
	"github.com/cerco-ha/cerco/internal/wire"
)

func quorumNoun() *verb {
	const update = "[auto_tie_breaker=0|1] [last_man_standing=0|1] [last_man_standing_window=MS] [wait_for_all=0|1]"
	return &verb{name: "quorum", options: []string{"corosync_conf"}, what: "Manage how votes are counted.", bare: "config", sub: []*verb{
		{name: "config", aliases: []string{"show"}, options: []string{"corosync_conf"}, run: quorumConfig, what: "Show the options of the quorum."},
		{name: "status", live: true, run: quorumStatus, what: "Show who votes, and whether there are enough."},
		{name: "update", args: update, options: []string{"corosync_conf", "force", "skip-offline"}, run: quorumUpdate, what: "Change options of the quorum. An empty value removes one."},
		{name: "expected-votes", args: "VOTES", live: true, run: quorumExpected,
			what: "Tell a running cluster how many votes it is to expect; 0: as many as its members have."},
		{name: "unblock", live: true, run: quorumUnblock,
			what: "Go on without the nodes that the cluster waits for. They must be off: each counts as confirmed to be off from then on."},
		{name: "device", what: "Manage a quorum device.", sub: []*verb{
			{name: "add", args: "[OPTION=VALUE]... model net OPTION=VALUE... [heuristics OPTION=VALUE...]", options: []string{"corosync_conf", "force", "skip-offline"}, run: deviceAdd,
				what: "Add a quorum device to a corosync.conf. A cluster of Cerco has witnesses instead: cerco cluster add-witness."},
			{name: "update", args: "[OPTION=VALUE]... [model OPTION=VALUE...] [heuristics OPTION=VALUE...]", options: []string{"corosync_conf", "force", "skip-offline"}, run: deviceUpdate,
				what: "Change options of the quorum device. An empty value removes one."},
			{name: "remove", aliases: []string{"delete"}, options: []string{"corosync_conf", "skip-offline"}, run: deviceRemove, what: "Take the quorum device out."},
			{name: "status", live: true, run: deviceStatus, what: "Show the witnesses of a running cluster."},
			{name: "heuristics", what: "Manage the heuristics of the quorum device.", sub: []*verb{
				{name: "remove", aliases: []string{"delete"}, options: []string{"corosync_conf", "skip-offline"}, run: heuristicsRemove, what: "Take all heuristics out."},
			}},
		}},
	}}
}

func quorumConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	conf, err := c.conf()
	if err != nil {
		return err
	}
	conf.WriteQuorum(c.Stdout)
	return nil
}

// changeConf has f change a corosync.conf, or the description of a running cluster, and puts it into force. f returns
// warnings, and what is wrong.
func (c *call) changeConf(f func(conf *corosync.Config) ([]string, []corosync.Problem)) error {
	conf, err := c.conf()
	if err != nil {
		return err
	}
	warnings, bad := f(conf)
	for _, w := range warnings {
		c.warnf("%s", w)
	}
	if err := refusedConf(bad); err != nil {
		return err
	}
	if c.has("corosync_conf") {
		return c.writeConf(conf)
	}
	return c.setVotes(conf)
}

// setVotes has a running cluster count votes as a corosync.conf says.
func (c *call) setVotes(conf *corosync.Config) error {
	cluster, err := c.cluster()
	if err != nil {
		return err
	}
	if conf.Device() != nil {
		return fmt.Errorf("a running cluster has witnesses instead of quorum devices, a third vote without resources: " +
			"cerco cluster add-witness shows the command for the host that is to be one")
	}
	q, err := quorumOf(conf, cluster.Cluster.Quorum)
	if err != nil {
		return err
	}
	return c.setOptions(wire.Options{Quorum: &q})
}

func (c *call) setOptions(o wire.Options) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	return d.Options(c.context(), o)
}

func quorumUpdate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	o, err := confOptions(c.words)
	if err != nil {
		return err
	}
	return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) { return nil, conf.UpdateQuorum(o) })
}

func quorumExpected(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	n, err := strconv.Atoi(c.words[0])
	if err != nil || n < 0 {
		return c.misused("'%s' is no number of votes", c.words[0])
	}
	cluster, err := c.cluster()
	if err != nil {
		return err
	}
	q := cluster.Cluster.Quorum
	q.ExpectedVotes = n
	return c.setOptions(wire.Options{Quorum: &q})
}

// quorumUnblock confirms of each node that is waited for that it is off.
func quorumUnblock(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	cluster, err := c.cluster()
	if err != nil {
		return err
	}
	var missing []string
	for _, s := range cluster.Seen {
		if !s.Heard {
			missing = append(missing, s.Name)
		}
	}
	if len(missing) == 0 || cluster.Quorum.Quorate {
		return fmt.Errorf("the cluster waits for nobody: there is nothing to unblock")
	}
	if !c.has("force") && !c.has("yes") {
		return fmt.Errorf("%s would count as confirmed to be off; if one of them is not, or reaches shared storage, data can be lost. "+
			"Make sure, and say so with --yes", strings.Join(missing, ", "))
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	for _, name := range missing {
		if _, err := d.Confirm(c.context(), name); err != nil {
			return err
		}
	}
	return nil
}

// quorumStatus is what votequorum's own tool shows.
func quorumStatus(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	w, err := d.Cluster(c.context())
	if err != nil {
		return err
	}
	node, err := d.Node(c.context())
	if err != nil {
		return err
	}
	out := func(format string, args ...any) { fmt.Fprintf(c.Stdout, format+"\n", args...) }
	id := ""
	if m := w.Member(node.Name); m != nil {
		id = m.ID
	}
	title := func(s string) { out("%s\n%s", s, strings.Repeat("-", len(s))) }
	title("Quorum information")
	out("Date:             %s", c.Now().Format("Mon Jan _2 15:04:05 2006"))
	out("Quorum provider:  cerco")
	out("Nodes:            %d", len(w.Seen))
	out("Node ID:          %s", id)
	out("Ring ID:          %s.%d", id, node.Term)
	out("Quorate:          %s\n", yesNo(w.Quorum.Quorate))
	title("Votequorum information")
	out("Expected votes:   %d", w.Quorum.Expected)
	out("Highest expected: %d", w.Quorum.Expected)
	out("Total votes:      %d", w.Quorum.Votes)
	blocked := ""
	if !w.Quorum.Quorate {
		blocked = " Activity blocked"
	}
	out("Quorum:           %d%s", w.Quorum.Needed, blocked)
	out("Flags:            %s", quorumFlags(w))
	if w.Quorum.Why != "" {
		out("Why:              %s", w.Quorum.Why)
	}
	out("")
	title("Membership information")
	out("    Nodeid      Votes    Qdevice Name")
	for _, m := range w.Members {
		i := slices.IndexFunc(w.Seen, func(s wire.Seen) bool { return s.ID == m.ID })
		name := m.Name
		switch {
		case name == node.Name:
			name += " (local)"
		case i < 0 || !w.Seen[i].Heard:
			name += " (not heard)"
		}
		if m.Witness {
			name += " (witness)"
		}
		out("%10s %10d %10s %s", m.ID, m.Votes, "NR", name)
	}
	return nil
}

func quorumFlags(w wire.Cluster) string {
	q := w.Cluster.Quorum
	var flags []string
	for _, f := range []struct {
		name string
		on   bool
	}{{"2Node", q.TwoNode}, {"Quorate", w.Quorum.Quorate}, {"WaitForAll", q.WaitForAll}, {"LastManStanding", q.LastManStanding},
		{"AutoTieBreaker", q.AutoTieBreaker}} {
		if f.on {
			flags = append(flags, f.name)
		}
	}
	return strings.Join(flags, " ")
}

func yesNo(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}

func deviceStatus(c *call) error {
	w, err := c.cluster()
	if err != nil {
		return err
	}
	found := false
	for _, m := range w.Members {
		if m.Witness {
			found = true
			i := slices.IndexFunc(w.Seen, func(s wire.Seen) bool { return s.ID == m.ID })
			state := "not heard"
			if i >= 0 && w.Seen[i].Heard {
				state = "heard"
			}
			fmt.Fprintf(c.Stdout, "Witness %s: %s, votes: %d\n", m.Name, state, m.Votes)
		}
	}
	if !found {
		return fmt.Errorf("this cluster has no witness: cerco cluster add-witness shows the command for the host that is to be one")
	}
	return nil
}

// deviceWords are the options of a quorum device as they are typed: generic ones, "model" with its name when one is made
// and its options, "heuristics" and theirs.
func deviceWords(words []string, named bool) (d corosync.Device, err error) {
	cut := sections(words, "model", "heuristics")
	for i, s := range cut {
		if s.keyword == "model" && named {
			if len(s.words) == 0 || strings.Contains(s.words[0], "=") {
				return d, &usageError{"the model must be named: model net host=... algorithm=..."}
			}
			d.Model, cut[i].words = s.words[0], s.words[1:]
		}
	}
	for _, s := range cut {
		o, err := confOptions(s.words)
		if err != nil {
			return d, err
		}
		switch s.keyword {
		case "model":
			d.Net = append(d.Net, o...)
		case "heuristics":
			d.Heuristics = append(d.Heuristics, o...)
		default:
			d.Generic = append(d.Generic, o...)
		}
	}
	return d, nil
}

func deviceAdd(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	d, err := deviceWords(c.words, true)
	if err != nil {
		return err
	}
	if d.Model == "" {
		return c.misused("a quorum device needs a model: model net host=... algorithm=...")
	}
	return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) { return conf.AddDevice(d, c.has("force")) })
}

func deviceUpdate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	d, err := deviceWords(c.words, false)
	if err != nil {
		return err
	}
	return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) {
		return conf.UpdateDevice(d.Generic, d.Net, d.Heuristics, c.has("force"))
	})
}

func deviceRemove(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) { return nil, conf.RemoveDevice() })
}

func heuristicsRemove(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) { return nil, conf.RemoveHeuristics() })
}
