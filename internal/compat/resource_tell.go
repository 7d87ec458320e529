package compat

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
)

// operations prints the history of operations: all, or on nodes that are up.
func (r *resourceCall) operations() int {
	for _, state := range r.doc.Status.Nodes {
		if r.node != "" && state.Name != r.node {
			continue
		}
		if n := r.nodeView(state.Name); r.cmd == "list-operations" && (n == nil || !n.Online && !n.Unclean) {
			continue
		}
		for _, h := range state.Lrm {
			if r.resource == "" || plainName(h.ID) == plainName(r.resource) {
				r.history(state.Name, h)
			}
		}
	}
	if r.outputAs == "xml" {
		return r.result(exitOK, "")
	}
	return exitOK
}

// history prints what is known of a resource on a node, in the order of the calls.
func (r *resourceCall) history(node string, h *cib.LrmResource) {
	v := r.find(h.ID)
	if v == nil || r.outputAs == "xml" {
		return
	}
	ops := slices.Clone(h.Ops)
	slices.SortStableFunc(ops, func(a, b cib.LrmOp) int { return a.CallID - b.CallID })
	from := 0
	if r.cmd == "list-operations" {
		from = firstActive(ops)
	}
	for _, op := range ops[from:] {
		key, ok := op.El.Lookup("operation_key")
		if !ok {
			key = op.El.ID()
		}
		s := fmt.Sprintf("%s: %s (node=%s, call=%d, rc=%d", status.Line(v), key, node, op.CallID, op.RC)
		if at, ok := op.El.Lookup("last-rc-change"); ok {
			seconds, _ := strconv.ParseInt(at, 10, 64)
			s += fmt.Sprintf(", last-rc-change='%s', exec=%sms", r.timeWords(time.Unix(seconds, 0)), cmp.Or(op.El.Attr("exec-time"), "0"))
		}
		r.printf("%s): %s\n", s, status.OpStatus(op.Status))
	}
}

// firstActive is where the operations begin that say something of a resource as it is: with its last start, or what implies one, or
// behind its last stop.
func firstActive(ops []cib.LrmOp) int {
	started, implied, stopped := -1, -1, -1
	for i := range ops {
		switch op := &ops[i]; {
		case op.Operation == "stop" && op.Status == cib.OpDone:
			stopped = i
		case op.Operation == "start":
			started = i
		case op.Operation == "promote", op.Operation == "demote":
			implied = i
		}
	}
	if started < 0 {
		started = implied
	}
	if stopped > started {
		return stopped + 1
	}
	return max(started, 0)
}

// constraints prints what says where a resource may be, and together with what.
func (r *resourceCall) constraints(v *scheduler.ResourceView) int {
	id := r.resource
	if !r.force {
		r.each(func(o *scheduler.ResourceView, in []*scheduler.ResourceView) bool {
			if o == v && len(in) > 0 {
				id = in[0].ID
			}
			return true
		})
	}
	if r.outputAs == "xml" {
		return r.constraintsXML(id)
	}
	deep := r.cmd == "stack" || r.recursive
	c := &constraintList{r: r, deep: deep, seen: map[string]bool{id: true}}
	c.locations(id, "")
	var with, to []*cib.Colocation
	for _, l := range r.doc.Colocations {
		if l.Rsc == id {
			to = append(to, l)
		}
		if l.With == id {
			with = append(with, l)
		}
	}
	c.group("Resources "+id+" is colocated with:", to, func(l *cib.Colocation) string { return l.With })
	c.group("Resources colocated with "+id+":", with, func(l *cib.Colocation) string { return l.Rsc })
	return exitOK
}

// constraintList prints constraints as nested lists.
type constraintList struct {
	r    *resourceCall
	deep bool
	seen map[string]bool
}

func (c *constraintList) locations(id, indent string) {
	var lines []string
	for _, l := range c.r.doc.Locations {
		if l.Rsc != id {
			continue
		}
		node, score := l.Node, l.Score
		if len(l.Rules) > 0 {
			node, score = cmp.Or(ruleNode(l), "?"), l.Rules[0].Score
		}
		lines = append([]string{fmt.Sprintf("%s  * Node %s (score=%s, id=%s, rsc=%s)", indent, node, score, l.ID, id)}, lines...)
	}
	if len(lines) > 0 {
		head := "Locations:"
		if indent != "" {
			head = "* Locations:"
		}
		c.r.printf("%s%s\n%s\n", indent, head, strings.Join(lines, "\n"))
	}
}

func (c *constraintList) group(title string, list []*cib.Colocation, other func(*cib.Colocation) string) {
	if len(list) == 0 {
		return
	}
	c.r.printf("%s\n", title)
	for _, l := range list {
		id := other(l)
		c.r.printf("  * %s (score=%s, id=%s)\n", id, l.Score, l.ID)
		if c.deep && !c.seen[id] {
			c.seen[id] = true
			c.locations(id, "    ")
		}
	}
}

func (r *resourceCall) constraintsXML(id string) int {
	var els []*cib.Element
	for _, l := range r.doc.Locations {
		if l.Rsc == id {
			els = append(els, cib.NewElement("rsc_location", attrs("node", cmp.Or(l.Node, ruleNode(l)), "rsc", id, "id", l.ID, "score", l.Score)))
		}
	}
	for _, l := range r.doc.Colocations {
		if l.Rsc == id || l.With == id {
			els = append(els, cib.NewElement("rsc_colocation", attrs("id", l.ID, "rsc", l.Rsc, "with-rsc", l.With, "score", l.Score)))
		}
	}
	return r.result(exitOK, "", cib.NewElement("constraints", nil, els...))
}

// why says why resources are not running.
func (r *resourceCall) why() int {
	if r.outputAs == "xml" {
		return r.result(exitOK, "")
	}
	if r.resource == "" && r.node != "" {
		r.each(func(v *scheduler.ResourceView, _ []*scheduler.ResourceView) bool {
			if v.Kind == "primitive" && onNode(v, r.node) {
				r.printf("Resource %s is running on host %s\n", v.ID, r.node)
			}
			return true
		})
		for _, v := range r.view.Resources {
			if onNode(v, r.node) {
				r.whyConfigured(v, v.ID)
			}
		}
		return exitOK
	}
	if r.resource == "" {
		for _, v := range r.view.Resources {
			r.whyOne(v, v.ID)
		}
		return exitOK
	}
	v := r.find(r.resource)
	if v == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	r.whyOne(v, r.resource)
	return exitOK
}

func onNode(v *scheduler.ResourceView, node string) bool {
	return slices.ContainsFunc(v.On, func(n *scheduler.NodeView) bool { return n.Name == node })
}

func (r *resourceCall) whyOne(v *scheduler.ResourceView, name string) {
	state := "is not running"
	if running := len(v.On) > 0; r.node == "" && running || r.node != "" && onNode(v, r.node) {
		state = "is running"
	}
	if r.node != "" {
		state += " on host " + r.node
	}
	r.printf("Resource %s %s\n", name, state)
	r.whyConfigured(v, name)
}

// whyConfigured says what of the configuration keeps a resource as it is.
func (r *resourceCall) whyConfigured(v *scheduler.ResourceView, name string) {
	conf := r.configured(v)
	if conf == nil {
		return
	}
	in := &cib.RuleInput{Now: r.Now()}
	if role, ok := cib.Value(conf.Meta, in, "target-role"); ok && strings.EqualFold(role, "Stopped") {
		r.printf("Configuration specifies '%s' should remain stopped\n", name)
	} else if ok && strings.EqualFold(role, "Unpromoted") {
		r.printf("Configuration specifies '%s' should not be promoted\n", name)
	}
	if !v.Managed {
		r.printf("Configuration prevents cluster from stopping or starting unmanaged '%s'\n", name)
	}
}

// agents lists what there is of agents on this host.
func (r *resourceCall) agents() int {
	root := cmp.Or(r.Getenv("OCF_ROOT"), "/usr/lib/ocf")
	var list []string
	switch r.cmd {
	case "list-standards":
		list = []string{"ocf", "lsb", "service", "systemd", "stonith"}
	case "list-ocf-providers":
		list = names(filepath.Join(root, "resource.d", "*"))
	case "list-ocf-alternatives":
		list = names(filepath.Join(root, "resource.d", "*", r.param))
	case "list-agents":
		list = agentsOf(root, r.param)
	case "show-metadata":
		return r.metadata(root)
	}
	if len(list) == 0 {
		return r.errorf(exitNoSuch, "No agents found for %s", r.param)
	}
	for _, l := range list {
		r.printf("%s\n", l)
	}
	return exitOK
}

func names(pattern string) []string {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	var list []string
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			if base := filepath.Base(p); info.IsDir() || !strings.Contains(pattern, "*"+string(filepath.Separator)) {
				list = append(list, base)
			} else {
				list = append(list, filepath.Base(filepath.Dir(p)))
			}
		}
	}
	slices.Sort(list)
	return list
}

// agentsOf lists the agents of "standard" or "standard:provider".
func agentsOf(root, spec string) []string {
	standard, provider, _ := strings.Cut(spec, ":")
	switch standard {
	case "ocf":
		if provider != "" {
			return names(filepath.Join(root, "resource.d", provider) + "/*")
		}
		var list []string
		for _, p := range names(filepath.Join(root, "resource.d", "*")) {
			for _, a := range names(filepath.Join(root, "resource.d", p) + "/*") {
				if !slices.Contains(list, a) {
					list = append(list, a)
				}
			}
		}
		slices.Sort(list)
		return list
	case "stonith":
		return names("/usr/sbin/fence_*")
	case "lsb":
		return names("/etc/init.d/*")
	}
	return nil
}
