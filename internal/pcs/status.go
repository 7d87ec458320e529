package pcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/listing"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/wire"
)

func statusNoun() *verb {
	const filter = "[ID | TAG] [node=NODE]"
	hide := []string{"hide-inactive"}
	return &verb{name: "status", what: "Show the state of the cluster.", bare: "status", options: hide, sub: []*verb{
		{name: "status", options: []string{"corosync_conf", "full", "hide-inactive", "watch", "xml-file"}, run: statusAll,
			what: "Show everything, and what the cluster waits for; --full shows more of it, --hide-inactive leaves out what does not run, " +
				"--watch stays and shows it anew whenever something happens, and --output-as json or xml is for programs. 'pcs status' looks as it does in pcs."},
		{name: "resources", args: filter, options: hide, run: resourceStatus, what: "Show resources and where they run."},
		{name: "xml", run: statusXML, what: "Show the state as XML, as crm_mon writes it."},
		{name: "cluster", run: statusCluster, what: "Show the head of the state: who decides, how much there is, who is there."},
		{name: "nodes", args: "[corosync|both|config]", run: statusNodes, what: "Show which nodes are online, on standby, in maintenance, offline."},
		{name: "corosync", live: true, run: quorumStatus, what: "Show who belongs to the cluster and how they vote."},
		{name: "quorum", live: true, run: quorumStatus, what: "Show who votes, and whether there are enough."},
	}}
}

// statusShortcuts are the verbs of other nouns that show a part of the state.
func statusShortcuts() []*verb {
	const filter = "[ID | TAG] [node=NODE]"
	hide := []string{"hide-inactive"}
	return []*verb{
		{name: "resource", bare: "status", options: hide, sub: []*verb{{name: "status", args: filter, options: hide, run: resourceStatus,
			what: "Show resources and where they run."}}},
		{name: "stonith", what: "Manage fence devices.", bare: "status", options: hide, sub: []*verb{{name: "status", args: filter, options: hide, run: stonithStatus,
			what: "Show fence devices and where they run, and the fencing levels."}}},
		{name: "cluster", sub: []*verb{{name: "status", run: statusCluster, what: "Show who decides, how much there is, and who is there."}}},
	}
}

// view is the state that a command shows: of a file, or of the cluster.
func (c *call) view() (*cib.CIB, *scheduler.View, error) {
	doc, err := c.latest()
	if err != nil {
		return nil, nil, err
	}
	return doc, scheduler.Look(doc, scheduler.Options{Now: c.Now()}), nil
}

// mon is what crm_mon shows with some options.
func (c *call) mon(doc *cib.CIB, v *scheduler.View, o status.MonOptions) (string, error) {
	o.Now, o.Inactive = c.Now(), !c.has("hide-inactive")
	if !c.onFile() && o.Sections&status.Fencing != 0 {
		var err error
		if o.Fencing, err = c.fencings(); err != nil {
			return "", err
		}
	}
	var b strings.Builder
	err := status.Mon(&b, doc, v, &o)
	return b.String(), err
}

// rest is what the cluster waits for; without a leader what this node waits for.
func (c *call) rest() (wire.Rest, error) {
	d, err := c.daemon()
	if err != nil {
		return wire.Rest{}, err
	}
	ctx, cancel := context.WithTimeout(c.context(), reachTime)
	defer cancel()
	rest, err := d.Rest(ctx, client.Wait{})
	if !leaderless(ctx, c.context(), err) {
		return rest, err
	}
	st, err := d.Status(c.context())
	return st.Rest, err
}

// leaderless reports whether an answer did not come in time, or says that nobody leads.
func leaderless(short, long context.Context, err error) bool {
	return client.HasCode(err, wire.CodeNoLeader) || err != nil && short.Err() != nil && long.Err() == nil
}

// fencings are those that the cluster knows of; without a leader those that this node knew of last.
func (c *call) fencings() ([]cib.FenceRecord, error) {
	d, err := c.daemon()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.context(), reachTime)
	defer cancel()
	list, err := d.FencingHistory(ctx, "")
	if !leaderless(ctx, c.context(), err) {
		return list, err
	}
	st, err := d.Status(c.context())
	return st.Fencing, err
}

func statusAll(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	if c.has("full") && c.has("hide-inactive") {
		return c.misused("--full and --hide-inactive exclude each other")
	}
	if own := c.program == "cerco" || c.has("watch") || c.has("xml-file") || c.has("output-as"); own && c.Own != nil && !c.onFile() && !c.has("hide-inactive") {
		return c.own(append([]string{"status"}, c.given("full", "output-as")...)...)
	}
	if c.program != "cerco" && c.has("f") != c.has("corosync_conf") {
		return errors.New("'-f' and '--corosync_conf' belong together here: the cluster's name stands in corosync.conf ('cerco status -f FILE' does without)")
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	name, err := c.clusterName(doc)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "Cluster name: %s\n", name)
	if warnings := fencingWarnings(doc, c); len(warnings) > 0 {
		fmt.Fprintf(c.Stdout, "\nWARNINGS:\n%s\n\n", strings.Join(warnings, "\n"))
	}
	o := status.MonOptions{Sections: status.Standard}
	if c.has("full") {
		o.Detail = true
		o.Sections |= status.NodeAttributes | status.FailCountsSection | status.Tickets
	}
	text, err := c.mon(doc, v, o)
	if err != nil {
		return err
	}
	fmt.Fprint(c.Stdout, text)
	if c.onFile() {
		return nil
	}
	return c.writeWaiting()
}

// writeWaiting says what a running cluster waits for, and what would release it.
func (c *call) writeWaiting() error {
	rest, err := c.rest()
	if err != nil {
		return err
	}
	for i, w := range rest.Waiting {
		if i == 0 {
			fmt.Fprint(c.Stdout, "\nWaiting for:\n")
		}
		fmt.Fprintf(c.Stdout, "  * %s", w.What)
		for _, more := range []string{w.Why, w.Release} {
			if more != "" {
				fmt.Fprintf(c.Stdout, ": %s", more)
			}
		}
		fmt.Fprintln(c.Stdout)
	}
	fmt.Fprint(c.Stdout, "\nDaemon Status:\n  cerco: active\n")
	return nil
}

// clusterName is the cluster's name: of its corosync.conf, its property, or of the running cluster.
func (c *call) clusterName(doc *cib.CIB) (string, error) {
	if c.has("corosync_conf") || !c.onFile() {
		conf, err := c.conf()
		if err != nil {
			return "", err
		}
		return conf.Name(), nil
	}
	return doc.Option("cluster-name", c.Now()), nil
}

// fencingWarnings are what is dangerous about the fence devices.
func fencingWarnings(doc *cib.CIB, c *call) []string {
	var devices, action, cycle []string
	value := func(r *cib.Resource, name string) string {
		for _, set := range r.Params {
			for _, p := range set.Pairs {
				if p.Name == name {
					return p.Value
				}
			}
		}
		return ""
	}
	for r := range doc.AllResources() {
		if r.Class != "stonith" {
			continue
		}
		devices = append(devices, r.ID)
		if value(r, "action") != "" {
			action = append(action, "'"+r.ID+"'")
		}
		if value(r, "method") == "cycle" {
			cycle = append(cycle, "'"+r.ID+"'")
		}
	}
	var list []string
	enabled, known := cib.ParseBool(doc.Option("stonith-enabled", c.Now()))
	if len(devices) == 0 && (enabled || !known) {
		list = append(list, "No stonith devices and stonith-enabled is not false")
	}
	if len(action) > 0 {
		list = append(list, "Following stonith devices have the 'action' option set, it is recommended to set 'pcmk_off_action', 'pcmk_reboot_action' instead: "+
			strings.Join(action, ", "))
	}
	if len(cycle) > 0 {
		list = append(list, "Following stonith devices have the 'method' option set to 'cycle' which is potentially dangerous, please consider using 'onoff': "+
			strings.Join(cycle, ", "))
	}
	return list
}

func statusXML(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	o := status.MonOptions{Sections: status.Everything, Now: c.Now(), Inactive: true, AllFences: true}
	if !c.onFile() {
		if o.Fencing, err = c.fencings(); err != nil {
			return err
		}
	}
	_, err = c.Stdout.Write(status.Result("crm_mon --one-shot --inactive --output-as xml", status.MonXML(doc, v, &o)).AppendXML(nil))
	return err
}

// filter is what a list of resources is cut down to.
type filter struct{ id, node string }

func (c *call) filter() (filter, error) {
	var f filter
	for _, w := range c.words {
		name, value, option := strings.Cut(w, "=")
		switch {
		case !option && f.id == "":
			f.id = w
		case !option || name == "node" && value == "":
			return f, fmt.Errorf("missing value of '%s' option", name)
		case name != "node":
			return f, c.misused("'%s' does not know what to do with '%s': node=NODE is the only option", strings.Join(c.path, " "), w)
		case f.node != "":
			return f, c.misused("'node' is given twice: '%s' and '%s'", f.node, value)
		default:
			f.node = value
		}
	}
	return f, nil
}

func resourceStatus(c *call) error {
	return c.listed("NO resources configured", func(line string) bool { return !strings.Contains(line, "(stonith:") })
}

func stonithStatus(c *call) error {
	if err := c.listed("NO stonith devices configured", func(line string) bool { return strings.Contains(line, "(stonith:") }); err != nil {
		return err
	}
	if len(c.words) > 0 {
		return nil
	}
	if err := c.writeFencing(); err != nil {
		return err
	}
	return c.show(func(doc *cib.CIB, w io.Writer) error {
		levels := listing.Levels(doc)
		if len(levels) == 0 {
			return nil
		}
		_, err := append(listing.Lines{"", "Fencing Levels:"}, levels.In(1)...).WriteTo(w)
		return err
	})
}

// writeFencing says which fencing is under way, and what would release it.
func (c *call) writeFencing() error {
	if c.onFile() {
		return nil
	}
	rest, err := c.rest()
	if err != nil {
		return err
	}
	for _, w := range rest.Waiting {
		if w.Release == "" && !strings.HasPrefix(w.What, "fencing of ") {
			continue
		}
		fmt.Fprintf(c.Stdout, "\nWaiting for %s\n", strings.TrimSuffix(w.What+": "+w.Why, ": "))
		if w.Release != "" {
			fmt.Fprintf(c.Stdout, "    once you have seen that it is off: %s\n", w.Release)
		}
	}
	return nil
}

// listed prints the resources that are asked for: the lines that pass, or those of what an id or a tag names, whatever it is.
func (c *call) listed(none string, pass func(line string) bool) error {
	f, err := c.filter()
	if err != nil {
		return err
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	if f.id != "" && f.node == "" && !c.has("hide-inactive") && doc.Resource(f.id) == nil && !slices.ContainsFunc(doc.Tags, func(t *cib.Tag) bool { return t.ID == f.id }) {
		return fmt.Errorf("resource or tag id '%s' not found%s", f.id, didYouMean(f.id, resourceIDs(doc)))
	}
	if f.node != "" && doc.NodeByName(f.node) == nil && doc.NodeStateByName(f.node) == nil {
		c.warnf("there is no node '%s'%s", f.node, didYouMean(f.node, listing.NodeNames(doc)))
	}
	var only func(*scheduler.ResourceView) bool
	if f.id != "" {
		ids := named(doc, f.id)
		only = func(r *scheduler.ResourceView) bool {
			plain, _, _ := strings.Cut(r.ID, ":")
			return slices.Contains(ids, r.ID) || slices.Contains(ids, plain)
		}
	}
	text, err := c.mon(doc, v, status.MonOptions{Sections: status.Resources, Node: f.node, Only: only})
	if err != nil {
		return err
	}
	_, body, _ := strings.Cut(text, "\n") // its heading
	if f.id == "" && !strings.HasPrefix(body, "  * No ") {
		lines := slices.DeleteFunc(strings.SplitAfter(body, "\n"), func(line string) bool { return !pass(line) })
		body = strings.Join(lines, "")
	}
	switch {
	case strings.TrimSpace(body) != "" && !strings.HasPrefix(body, "  * No "):
		fmt.Fprint(c.Stdout, body)
	case c.has("hide-inactive") || f != (filter{}):
		fmt.Fprintln(c.Stdout, "No active resources")
	default:
		fmt.Fprintln(c.Stdout, none)
	}
	return nil
}

// named are the resources that an id or a tag names.
func named(doc *cib.CIB, id string) []string {
	for _, t := range doc.Tags {
		if t.ID == id {
			return t.Refs
		}
	}
	return []string{id}
}

func resourceIDs(doc *cib.CIB) []string {
	var ids []string
	for r := range doc.AllResources() {
		ids = append(ids, r.ID)
	}
	return ids
}

func statusCluster(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	text, err := c.mon(doc, v, status.MonOptions{Sections: status.SummarySection | status.NodeList})
	if err != nil {
		return err
	}
	fmt.Fprint(c.Stdout, "Cluster Status:\n ", strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n "), "\n")
	return nil
}

// statusNodes lists the nodes by what they are doing.
func statusNodes(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	which := ""
	if len(c.words) == 1 {
		which = c.words[0]
	}
	if which == "config" || which == "corosync" || which == "both" {
		conf, err := c.conf()
		if err != nil {
			return err
		}
		var names []string
		for _, n := range conf.Nodes() {
			names = append(names, n.Name)
		}
		fmt.Fprintf(c.Stdout, "Corosync Nodes:\n Online: %s\n", strings.Join(names, " "))
		if which == "corosync" {
			return nil
		}
	} else if which != "" {
		return c.misused("'status nodes' knows corosync, both and config, not '%s'", which)
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	if which == "config" {
		fmt.Fprintf(c.Stdout, "Pacemaker Nodes:\n %s\n", strings.Join(listing.NodeNames(doc), " "))
		return nil
	}
	for _, remote := range []bool{false, true} {
		by := map[string][]string{}
		for _, n := range v.Nodes {
			if (n.Kind != "member") == remote {
				by[nodeGroup(n)] = append(by[nodeGroup(n)], n.Name)
			}
		}
		fmt.Fprintln(c.Stdout, map[bool]string{false: "Pacemaker Nodes:", true: "Pacemaker Remote Nodes:"}[remote])
		for _, g := range []string{"Online", "Standby", "Standby with resource(s) running", "Maintenance", "Offline"} {
			fmt.Fprintln(c.Stdout, strings.TrimRight(" "+g+": "+strings.Join(by[g], " "), " "))
		}
	}
	return nil
}

// nodeGroup is the line of the list of nodes that a node stands in.
func nodeGroup(n *scheduler.NodeView) string {
	switch {
	case !n.Online:
		return "Offline"
	case n.Maintenance:
		return "Maintenance"
	case n.Standby && n.Running > 0:
		return "Standby with resource(s) running"
	case n.Standby:
		return "Standby"
	}
	return "Online"
}
