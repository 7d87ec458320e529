package compat

import (
	"bytes"
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/wire"
)

// fenceCall is what stonith_admin was asked to do.
type fenceCall struct {
	*call
	common
	cmd, subject, agent, timeout, tolerance, delay, tag string
	params                                              []string
	quiet, cleanup, broadcast, byID                     bool
}

func stonithAdmin(c *call) int {
	f := &fenceCall{call: c}
	own := []option{
		commandWith('R', "register", &f.cmd, &f.subject), commandWith('D', "deregister", &f.cmd, &f.subject),
		commandWith('r', "register-level", &f.cmd, &f.subject), commandWith('d', "deregister-level", &f.cmd, &f.subject),
		commandWith('l', "list", &f.cmd, &f.subject), command('L', "list-registered", &f.cmd), command('I', "list-installed", &f.cmd),
		commandWith('s', "list-targets", &f.cmd, &f.subject), command('M', "metadata", &f.cmd), commandWith('Q', "query", &f.cmd, &f.subject),
		commandWith('H', "history", &f.cmd, &f.subject), commandWith('h', "last", &f.cmd, &f.subject), command('K', "validate", &f.cmd),
		commandWith('F', "fence", &f.cmd, &f.subject), commandWith('U', "unfence", &f.cmd, &f.subject), commandWith('B', "reboot", &f.cmd, &f.subject),
		commandWith('C', "confirm", &f.cmd, &f.subject), flagTo('c', "cleanup", &f.cleanup), flagTo('b', "broadcast", &f.broadcast),
		textTo('a', "agent", &f.agent), {'o', "option", required, func(v string, _ bool) { f.params = append(f.params, v) }},
		{'e', "env-option", required, func(v string, _ bool) { f.params = append(f.params, v+"="+c.Getenv("OCF_RESKEY_"+v)) }},
		textTo('T', "tag", &f.tag), textTo('v', "device", new(string)), textTo('i', "index", new(string)), textTo('t', "timeout", &f.timeout),
		textTo('y', "delay", &f.delay), flagTo('n', "as-node-id", &f.byID), textTo(0, "tolerance", &f.tolerance), flagTo('q', "quiet", &f.quiet),
	}
	if _, code, done := c.parse(&f.common, own); done {
		return code
	}
	switch f.cmd {
	case "":
		c.help(own, nil)
		return exitUsage
	case "list-installed":
		return f.installed()
	case "metadata":
		return f.metadata()
	case "validate":
		return f.validate()
	}
	d := c.open().live()
	if d == nil {
		return f.unreachable()
	}
	return f.ask(d)
}

func (f *fenceCall) unreachable() int {
	return f.plainErrorf(exitDisconnect, "Could not connect to fencer: Transport endpoint is not connected")
}

// ask does what needs the cluster.
func (f *fenceCall) ask(d *client.Client) int {
	switch f.cmd {
	case "list", "list-registered":
		return f.devices(d)
	case "query":
		list, err := d.FenceDevices(f.context(), "")
		if err != nil {
			return f.failed(err)
		}
		if !slices.ContainsFunc(list, func(w wire.Device) bool { return w.ID == f.subject }) {
			return f.end(exitNoSuch)
		}
		return f.end(exitOK)
	case "list-targets":
		return f.targets(d)
	case "history":
		return f.history(d)
	case "last":
		return f.last(d)
	case "fence", "reboot", "unfence":
		return f.fence(d)
	case "confirm":
		if _, err := d.Confirm(f.context(), f.subject); err != nil {
			return f.failed(err)
		}
		return f.end(exitOK)
	}
	return f.errorf(exitUsage, "--%s: devices and levels are part of the configuration here: use cibadmin, or pcs stonith", f.cmd)
}

func (f *fenceCall) end(code int, els ...*cib.Element) int {
	if f.outputAs == "xml" {
		return f.result(code, "", els...)
	}
	return code
}

func (f *fenceCall) failed(err error) int {
	if disconnected(err) {
		return f.unreachable()
	}
	code, _ := failureOf(err)
	return f.errorf(code, "%s", err)
}

// devices lists the devices that there are, or that can fence a node.
func (f *fenceCall) devices(d *client.Client) int {
	list, err := d.FenceDevices(f.context(), f.subject)
	if err != nil {
		return f.failed(err)
	}
	if f.outputAs == "xml" {
		var items []*cib.Element
		for _, w := range list {
			items = append(items, cib.NewElement("item", attrs("name", "device"), cib.NewText(w.ID)))
		}
		return f.end(exitOK, cib.NewElement("list", attrs("name", "registered fence devices", "count", fmt.Sprint(len(list))), items...))
	}
	for _, w := range list {
		f.printf("%s\n", w.ID)
	}
	f.printf("%d fence device%s found\n", len(list), plural(len(list)))
	return exitOK
}

// targets lists the nodes that a device can fence.
func (f *fenceCall) targets(d *client.Client) int {
	doc, err := f.open().document()
	if err != nil {
		return f.failed(err)
	}
	n := 0
	for _, node := range doc.Nodes {
		list, err := d.FenceDevices(f.context(), node.Name)
		if err != nil {
			return f.failed(err)
		}
		if slices.ContainsFunc(list, func(w wire.Device) bool { return w.ID == f.subject }) {
			f.printf("%s\n", node.Name)
			n++
		}
	}
	if n == 0 {
		return f.plainErrorf(exitError, "Couldn't list targets: No data available")
	}
	f.printf("%d fence target%s found\n", n, plural(n))
	return exitOK
}

// history prints the fencings of a node, or of all.
func (f *fenceCall) history(d *client.Client) int {
	target := f.subject
	if target == "*" {
		target = ""
	}
	list, err := d.FencingHistory(f.context(), target)
	if err != nil {
		return f.failed(err)
	}
	slices.Reverse(list)
	var els []*cib.Element
	shown, done := 0, map[string]bool{}
	for i := range list {
		r := &list[i]
		switch {
		case f.verbose == 0 && f.outputAs != "xml" && (r.State != cib.FenceDone || done[r.Target]):
		case f.quiet:
			f.printf("%d\n", r.Completed.Unix())
			return exitOK
		case f.outputAs == "xml":
			els = append(els, status.FenceXML(r))
		default:
			f.printf("%s\n", f.words(r))
			shown++
		}
		done[r.Target] = done[r.Target] || r.State == cib.FenceDone
	}
	if f.outputAs == "xml" {
		return f.end(exitOK, cib.NewElement("list", attrs("name", "fencing history", "count", fmt.Sprint(len(els))), els...))
	}
	f.printf("%d event%s found\n", shown, plural(shown))
	return exitOK
}

// words is a fencing on one line.
func (f *fenceCall) words(r *cib.FenceRecord) string {
	client, origin := status.FenceClient(r)
	s := status.FenceAction(r.Action) + " of " + r.Target
	end := ""
	switch r.State {
	case cib.FenceDone:
		s += " successful: "
		if by := status.Delegate(r); by != "" {
			s += "delegate=" + by + ", "
		}
		name := "last-successful"
		if f.verbose > 0 {
			name = "completed"
		}
		end = ", " + name + "='" + status.FenceTime(r.Completed) + "'"
	case cib.FenceFailed:
		s += " failed: "
		end = ", completed='" + status.FenceTime(r.Completed) + "'"
		if r.Error != "" {
			end += ": " + r.Error
		}
	default:
		s += " pending: "
	}
	return s + "client=" + client + ", origin=" + origin + end
}

// last says when a node was last fenced.
func (f *fenceCall) last(d *client.Client) int {
	if f.byID {
		doc, err := f.open().document()
		if err != nil {
			return f.failed(err)
		}
		if n := doc.Node(f.subject); n != nil {
			f.subject = n.Name
		}
	}
	list, err := d.FencingHistory(f.context(), f.subject)
	if err != nil {
		return f.failed(err)
	}
	for _, r := range slices.Backward(list) {
		if r.State == cib.FenceDone && r.Action != "on" || r.State == cib.FenceDone && f.subject == r.Target {
			if f.outputAs == "xml" {
				return f.end(exitOK, cib.NewElement("last-fenced", attrs("target", f.subject, "when", f.timeWords(r.Completed))))
			}
			f.printf("Node %s last fenced at: %s\n", f.subject, f.timeWords(r.Completed))
			return exitOK
		}
	}
	if f.outputAs == "xml" {
		return f.end(exitOK)
	}
	f.printf("Node %s has never been fenced\n", f.subject)
	return exitOK
}

// milliseconds reads seconds, or a duration with its unit.
func milliseconds(s string) int64 {
	if s == "-1" {
		return -1
	}
	ms, _ := cib.ParseDuration(s)
	return ms
}

func (f *fenceCall) fence(d *client.Client) int {
	words, action := map[string]string{"fence": "fence", "reboot": "reboot", "unfence": "unfence"}[f.cmd], map[string]string{"fence": "off", "reboot": "reboot", "unfence": "on"}[f.cmd]
	why := "asked for by an operator"
	if f.tag != "" {
		why = "asked for by " + f.tag
	}
	rec, err := d.Fence(f.context(), wire.Fence{Target: f.subject, Action: action, TimeoutMS: milliseconds(cmp.Or(f.timeout, "120")),
		DelayMS: milliseconds(f.delay), ToleranceMS: milliseconds(f.tolerance), Why: why})
	switch {
	case err != nil && disconnected(err):
		return f.unreachable()
	case err != nil:
		code, _ := failureOf(err)
		return f.errorf(code, "Couldn't %s %s: %s", words, f.subject, err)
	case rec.State != cib.FenceDone:
		code := exitError
		if len(rec.Devices) == 0 {
			code = exitNoSuch
		}
		return f.errorf(code, "Couldn't %s %s: %s", words, f.subject, cmp.Or(rec.Error, "No such device"))
	}
	return f.end(exitOK)
}

// fenceAgents are where fence agents live.
const fenceAgents = "/usr/sbin"

func (f *fenceCall) installed() int {
	list := names(filepath.Join(fenceAgents, "fence_*"))
	if f.outputAs == "xml" {
		var items []*cib.Element
		for _, name := range list {
			items = append(items, cib.NewElement("item", attrs("name", "device"), cib.NewText(name)))
		}
		return f.end(exitOK, cib.NewElement("list", attrs("name", "installed fence devices", "count", fmt.Sprint(len(list))), items...))
	}
	for _, name := range list {
		f.printf("%s\n", name)
	}
	f.printf("%d fence device%s found\n", len(list), plural(len(list)))
	return exitOK
}

// agentPath is the path of a fence agent, empty for a name that is none.
func (f *fenceCall) agentPath() string {
	if strings.ContainsRune(f.agent, '/') || !strings.HasPrefix(f.agent, "fence_") {
		return ""
	}
	return filepath.Join(fenceAgents, f.agent)
}

// run calls the fence agent with an action, and parameters as it expects them.
func (f *fenceCall) run(action string) ([]byte, error) {
	var in bytes.Buffer
	for _, p := range f.params {
		in.WriteString(p + "\n")
	}
	in.WriteString("action=" + action + "\n")
	ctx, cancel := client.WithTimeout(f.context(), max(time.Duration(milliseconds(f.timeout))*time.Millisecond, 20*time.Second))
	defer cancel()
	cmd := exec.CommandContext(ctx, f.agentPath())
	cmd.Stdin = &in
	return cmd.Output()
}

func (f *fenceCall) metadata() int {
	if f.agent == "" {
		return f.errorf(exitUsage, "Please specify an agent to query using -a,--agent [value]")
	}
	out, err := f.run("metadata")
	if f.agentPath() == "" || err != nil {
		return f.plainErrorf(exitNoSuch, "Can't get fence agent meta-data: No such device")
	}
	f.Stdout.Write(out)
	return exitOK
}

func (f *fenceCall) validate() int {
	if f.agent == "" {
		return f.errorf(exitUsage, "Please specify an agent to validate with --agent")
	}
	_, err := f.run("validate-all")
	code, word := exitOK, "succeeded"
	if err != nil || f.agentPath() == "" {
		code, word = exitError, "failed"
	}
	if !f.quiet {
		f.printf("Validation of %s %s\n", f.agent, word)
	}
	return code
}

// metadata prints what an agent says of itself.
func (r *resourceCall) metadata(root string) int {
	parts := strings.Split(r.param, ":")
	path, arg := "", "meta-data"
	switch {
	case len(parts) == 3 && parts[0] == "ocf" && !strings.ContainsRune(r.param, '/'):
		path = filepath.Join(root, "resource.d", parts[1], parts[2])
	case len(parts) == 2 && parts[0] == "ocf" && !strings.ContainsRune(r.param, '/'):
		path = filepath.Join(root, "resource.d", "heartbeat", parts[1])
	case len(parts) == 2 && parts[0] == "stonith":
		return (&fenceCall{call: r.call, agent: parts[1]}).metadata()
	default:
		return r.errorf(exitError, "'%s' is not a valid agent specification", r.param)
	}
	ctx, cancel := client.WithTimeout(r.context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, arg)
	cmd.Env = append(cmd.Environ(), "OCF_ROOT="+root, "OCF_RA_VERSION_MAJOR=1", "OCF_RA_VERSION_MINOR=1")
	out, err := cmd.Output()
	if err != nil {
		return r.errorf(exitNoSuch, "Metadata query for %s failed: %v", r.param, err)
	}
	r.Stdout.Write(out)
	return exitOK
}
