package compat

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// crmNode tells of nodes. It asks the daemon even if CIB_file is set, as the tool it stands for does.
func crmNode(c *call) int {
	var o common
	var cmd, id, remove string
	var force, quiet bool
	own := []option{
		command('i', "cluster-id", &cmd), command('l', "list", &cmd), command('n', "name", &cmd), command('p', "partition", &cmd),
		command('q', "quorum", &cmd), commandWith('N', "name-for-id", &cmd, &id), commandWith('R', "remove", &cmd, &remove),
		flagTo('f', "force", &force), flagTo('Q', "quiet", &quiet), flagTo('h', "help", &o.help),
	}
	if _, code, done := c.parse(&o, own); done {
		return code
	}
	if n := c.Getenv("OCF_RESKEY_CRM_meta_on_node"); cmd == "name" && n != "" {
		c.printf("%s\n", n)
		return exitOK
	}
	if cmd == "" {
		c.help(own, nil)
		return exitUsage
	}
	if cmd == "remove" && !force {
		return c.dangerous(exitUsage)
	}
	d, err := c.daemon()
	if err != nil {
		return c.notConnected(err)
	}
	ctx := c.context()
	switch cmd {
	case "name", "cluster-id", "quorum":
		n, err := d.Node(ctx)
		if err != nil {
			return c.notConnected(err)
		}
		quorum := "0"
		if n.Quorate {
			quorum = "1"
		}
		c.printf("%s\n", map[string]string{"name": n.Name, "cluster-id": n.ID, "quorum": quorum}[cmd])
		return exitOK
	case "remove":
		if err := d.Remove(ctx, remove, false); err != nil {
			return c.notConnected(err)
		}
		return exitOK
	}
	cl, err := d.Cluster(ctx)
	if err != nil {
		return c.notConnected(err)
	}
	here, err := present(c, d)
	if err != nil {
		return c.notConnected(err)
	}
	return c.members(cmd, id, &cl, here)
}

// present are the ids of the members that are up, as the cluster agrees: only the leader hears them all itself.
func present(c *call, d *client.Client) (map[string]bool, error) {
	found, err := d.Query(c.context(), "/cib/status/node_state[@in_ccm!='false'][@crmd!='offline']/@id", true)
	here := map[string]bool{}
	for _, f := range found {
		here[f.Value] = true
	}
	return here, err
}

// members prints what of the cluster's members was asked for.
func (c *call) members(cmd, id string, cl *wire.Cluster, here map[string]bool) int {
	var partition strings.Builder
	for _, m := range cl.Members {
		heard := "lost"
		if here[m.ID] {
			heard = "member"
		}
		switch {
		case m.Witness:
		case cmd == "list":
			c.printf("%s %s %s\n", m.ID, m.Name, heard)
		case cmd == "name-for-id" && m.ID == id:
			c.printf("%s\n", m.Name)
			return exitOK
		case heard == "member":
			partition.WriteString(m.Name + " ")
		}
	}
	switch cmd {
	case "partition":
		c.printf("%s\n", partition.String())
	case "name-for-id":
		return c.plainErrorf(exitNoHost, "Node is not known to cluster")
	}
	return exitOK
}

// dangerous refuses what needs --force.
func (c *call) dangerous(code int) int {
	return c.plainErrorf(code, "The supplied command is considered dangerous.  To prevent accidental destruction of the cluster, the --force flag is required in order to proceed.")
}

func (c *call) notConnected(err error) int {
	var e *client.Error
	if errors.As(err, &e) {
		code, _ := failureOf(err)
		return c.plainErrorf(code, "error: %s", err)
	}
	return c.plainErrorf(exitDisconnect, "error: Could not connect to controller: Connection refused")
}

// adminCall is what crmadmin was asked to do.
type adminCall struct {
	*call
	common
	cmd, status, nodes, timeout string
	quiet, export               bool
}

// crmadmin tells of the deciding node, and of the states of others.
func crmadmin(c *call) int {
	a := &adminCall{call: c}
	own := []option{
		commandWith('S', "status", &a.cmd, &a.status), command('P', "pacemakerd", &a.cmd), command('D', "dc_lookup", &a.cmd),
		{'N', "nodes", optional, func(v string, _ bool) { a.cmd, a.nodes = "nodes", v }},
		textTo('t', "timeout", &a.timeout), flagTo('B', "bash-export", &a.export), flagTo('q', "quiet", &a.quiet),
		textTo('i', "ipc-name", new(string)), flagTo('h', "help", &a.common.help),
	}
	if _, code, done := c.parse(&a.common, own); done {
		return code
	}
	switch a.cmd {
	case "":
		c.plainErrorf(0, "error: Must specify a command option")
		c.help(own, nil)
		return exitUsage
	case "nodes":
		return a.listNodes()
	}
	d, err := c.daemon()
	if err != nil {
		return c.notConnected(err)
	}
	n, err := d.Node(c.context())
	if err != nil {
		code := c.notConnected(err)
		return c.plainErrorf(code, "error: Command failed: Connection refused")
	}
	switch a.cmd {
	case "dc_lookup":
		return a.leader(&n)
	case "pacemakerd":
		if a.quiet {
			c.printf("running\n")
		} else {
			c.printf("Status of pacemakerd: 'Pacemaker is running' (last updated %s)\n", c.Now().UTC().Format("2006-01-02 15:04:05Z"))
		}
		return exitOK
	}
	return a.state(d, &n)
}

func (a *adminCall) leader(n *wire.Node) int {
	if a.quiet {
		a.printf("%s\n", n.Leader)
	} else {
		a.printf("Designated Controller is: %s\n", cmp.Or(n.Leader, "not yet elected"))
	}
	return exitOK
}

// state is a node's state in the words of Pacemaker's state machine.
func (a *adminCall) state(d *client.Client, self *wire.Node) int {
	here, err := present(a.call, d)
	if err != nil {
		return a.notConnected(err)
	}
	doc, err := a.open().document()
	if err != nil {
		return a.notConnected(err)
	}
	if n := doc.NodeByName(a.status); n == nil || !here[n.ID] {
		a.plainErrorf(0, "error: No reply received from controller before timeout (30000ms)")
		return a.plainErrorf(exitTimeout, "error: Command failed: Connection timed out")
	}
	state := "S_NOT_DC"
	switch {
	case self.Leader == "":
		state = "S_ELECTION"
	case self.Leader == a.status:
		state = "S_IDLE"
		if rest, err := d.Rest(a.context(), client.Wait{}); err == nil && !rest.Settled {
			state = "S_TRANSITION_ENGINE"
		}
	}
	if a.quiet {
		a.printf("%s\n", state)
	} else {
		a.printf("Controller on %s in state %s: ok\n", a.status, state)
	}
	return exitOK
}

func (a *adminCall) listNodes() int {
	doc, err := a.open().document()
	if err != nil {
		return a.notConnected(err)
	}
	wanted := func(kind string) bool {
		return a.nodes == "" || a.nodes == "all" || strings.Contains(","+a.nodes+",", ","+kind+",")
	}
	var els []*cib.Element
	show := func(kind, name, id string) {
		switch {
		case !wanted(kind):
		case a.outputAs == "xml":
			els = append(els, cib.NewElement("node", attrs("type", kind, "name", name, "id", id)))
		case a.export:
			a.printf("export %s=%s\n", name, id)
		default:
			a.printf("%s node: %s (%s)\n", kind, name, id)
		}
	}
	for _, n := range doc.Nodes {
		if n.Kind == cib.NodeMember {
			show("cluster", n.Name, n.ID)
		}
	}
	for _, kind := range [...]string{"guest", "remote"} {
		for r := range doc.AllResources() {
			if guest := pairOf(r.Meta, "remote-node"); kind == "guest" && guest != "" {
				show(kind, guest, guest)
			}
			if kind == "remote" && r.Class == "ocf" && r.Provider == "pacemaker" && r.Type == "remote" {
				show(kind, r.ID, r.ID)
			}
		}
	}
	if a.outputAs == "xml" {
		return a.result(exitOK, "", cib.NewElement("nodes", []cib.Attr{{Name: "count", Value: strconv.Itoa(len(els))}}, els...))
	}
	return exitOK
}

// pairOf is the value of a name in sets without rules.
func pairOf(sets []*cib.NVSet, name string) string {
	for _, s := range sets {
		for _, p := range s.Pairs {
			if p.Name == name {
				return p.Value
			}
		}
	}
	return ""
}
