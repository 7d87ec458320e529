package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// MonXML gives what crm_mon shows as XML.
func MonXML(in *cib.CIB, v *scheduler.View, o *MonOptions) []*cib.Element {
	m := &mon{text: &text{zone: o.Now.Location()}, in: in, v: v, o: o}
	list := []*cib.Element{m.summaryXML()}
	nodes := XML(v, true)
	resources := nodes[1]
	if o.ByNode {
		nodes[0] = m.nodesXML()
		var inactive []*cib.Element
		x := xmlStatus{pending: true}
		for _, r := range v.Resources {
			if !r.Internal && !isActive(r, true) && !(r.Kind == "primitive" && isActive(r, false)) && (!r.Orphaned || isActive(r, false)) {
				inactive = append(inactive, x.resource(r))
			}
		}
		resources = cib.NewElement("resources", nil, inactive...)
	}
	list = append(list, nodes[0])
	if len(resources.Children) > 0 {
		list = append(list, resources)
	}
	add := func(s Section, e *cib.Element) {
		if o.Sections&s != 0 && len(e.Children) > 0 {
			list = append(list, e)
		}
	}
	add(NodeAttributes, m.attributesXML())
	if o.Sections&(Operations|FailCountsSection) != 0 && len(in.Status.Nodes) > 0 {
		list = append(list, m.historyXML())
	}
	add(Tickets, m.ticketsXML())
	add(Failed, m.failuresXML())
	add(Fencing, m.fencingXML())
	add(Bans, m.bansXML())
	return list
}

func (m *mon) nodesXML() *cib.Element {
	x := xmlStatus{pending: true}
	var list []*cib.Element
	for _, n := range m.wantedNodes() {
		e := nodeXML(n)
		for _, r := range m.activeOn(n) {
			e = e.WithChild(x.primitive(r))
		}
		list = append(list, e)
	}
	return cib.NewElement("nodes", nil, list...)
}

func (m *mon) summaryXML() *cib.Element {
	root := m.in.Root
	dc := cib.NewElement("current_dc", attrs("present", "false"))
	for _, n := range m.v.Nodes {
		if n.DC {
			dc = cib.NewElement("current_dc", append([]cib.Attr{{Name: "present", Value: "true"}, {Name: "version", Value: option(m.in, "dc-version")}},
				attrs("name", n.Name, "id", n.ID, "with_quorum", yes(m.v.Quorate), "mixed_version", "false")...))
		}
	}
	nodes, resources := m.counts()
	policy := option(m.in, "no-quorum-policy")
	if policy == "" {
		policy = "stop"
	}
	e := func(name string, pairs ...string) *cib.Element { return cib.NewElement(name, attrs(pairs...)) }
	stack := option(m.in, "cluster-infrastructure")
	if stack == "" {
		stack = "unknown"
	}
	change := []cib.Attr{{Name: "time", Value: root.Attr("cib-last-written")}, {Name: "user", Value: root.Attr("update-user")},
		{Name: "client", Value: root.Attr("update-client")}, {Name: "origin", Value: root.Attr("update-origin")}}
	return cib.NewElement("summary", nil, e("stack", "type", stack), dc,
		e("last_update", "time", m.o.Now.Format("Mon Jan _2 15:04:05 2006")), cib.NewElement("last_change", change),
		e("nodes_configured", "number", strconv.Itoa(nodes)),
		e("resources_configured", "number", strconv.Itoa(resources), "disabled", strconv.Itoa(m.v.Disabled), "blocked", strconv.Itoa(m.v.Blocked)),
		e("cluster_options", "stonith-enabled", m.yesOption("stonith-enabled", true), "symmetric-cluster", m.yesOption("symmetric-cluster", true),
			"no-quorum-policy", policy, "maintenance-mode", yes(m.v.Maintenance), "stop-all-resources", yes(m.v.StopAll),
			"stonith-timeout-ms", m.msOption("stonith-timeout", 60000), "priority-fencing-delay-ms", m.msOption("priority-fencing-delay", 0)))
}

func (m *mon) yesOption(name string, standard bool) string {
	if v, ok := cib.ParseBool(option(m.in, name)); ok {
		return yes(v)
	}
	return yes(standard)
}

func (m *mon) msOption(name string, standard int64) string {
	if v, ok := cib.ParseDuration(option(m.in, name)); ok {
		standard = v
	}
	return strconv.FormatInt(standard, 10)
}

func (m *mon) attributesXML() *cib.Element {
	var list []*cib.Element
	for _, n := range m.wantedNodes() {
		var as []*cib.Element
		for _, name := range shownAttributes(n) {
			e := cib.NewElement("attribute", []cib.Attr{{Name: "name", Value: name}, {Name: "value", Value: n.Attrs[name]}})
			if want, ok := m.reachable(name); ok {
				e = e.With("expected", strconv.Itoa(want))
			}
			as = append(as, e)
		}
		if len(as) > 0 {
			list = append(list, cib.NewElement("node", attrs("name", n.Name), as...))
		}
	}
	return cib.NewElement("node_attributes", nil, list...)
}

func (m *mon) historyXML() *cib.Element {
	counts := map[[2]string]failCount{}
	for _, f := range failCounts(m.v, m.in) {
		counts[[2]string{f.node, f.resource}] = f
	}
	views := map[string]*scheduler.ResourceView{}
	collectPrimitives(m.v.Resources, views)
	var list []*cib.Element
	for _, state := range m.in.Status.Nodes {
		n := m.node(state.Name)
		if n == nil || !n.Online {
			continue
		}
		var rs []*cib.Element
		for _, h := range state.Lrm {
			ops := shownOps(h)
			if len(ops) == 0 {
				continue
			}
			r := views[h.ID]
			if r == nil {
				r = views[plainName(h.ID)]
			}
			name := h.ID
			if r != nil {
				name = r.Name
			}
			as := attrs("id", name, "orphan", yes(r == nil))
			if r != nil {
				as = append(as, cib.Attr{Name: "migration-threshold", Value: strconv.Itoa(r.MigrationThreshold)})
			}
			if f, ok := counts[[2]string{state.Name, h.ID}]; ok && r != nil {
				as = append(as, cib.Attr{Name: "fail-count", Value: cib.FormatScore(f.count)})
				if f.last != 0 {
					as = append(as, cib.Attr{Name: "last-failure", Value: m.time(f.last)})
				}
			}
			e := cib.NewElement("resource_history", as)
			for i := range ops {
				e = e.WithChild(m.opXML(&ops[i]))
			}
			rs = append(rs, e)
		}
		if len(rs) > 0 {
			list = append(list, cib.NewElement("node", attrs("name", state.Name), rs...))
		}
	}
	return cib.NewElement("node_history", nil, list...)
}

func (m *mon) opXML(op *cib.LrmOp) *cib.Element {
	as := attrs("call", strconv.Itoa(op.CallID), "task", task(op), "rc", strconv.Itoa(op.RC), "rc_text", codeText(op.RC))
	if op.IntervalMS != 0 {
		as = append(as, cib.Attr{Name: "interval", Value: fmt.Sprintf("%dms", op.IntervalMS)})
	}
	if op.LastRCChange > 0 {
		as = append(as, cib.Attr{Name: "last-rc-change", Value: m.time(op.LastRCChange)})
	}
	for _, name := range [...]string{"exec-time", "queue-time"} {
		if v := op.El.Attr(name); v != "" {
			as = append(as, cib.Attr{Name: name, Value: v + "ms"})
		}
	}
	return cib.NewElement("operation_history", as)
}

func (m *mon) ticketsXML() *cib.Element {
	var list []*cib.Element
	for _, t := range m.in.Status.Tickets {
		state, last := "revoked", ""
		if t.Granted {
			state = "granted"
		}
		if t.LastGranted > 0 {
			last = m.time(t.LastGranted)
		}
		list = append(list, cib.NewElement("ticket", attrs("id", t.ID, "status", state, "standby", yes(t.Standby), "last-granted", last)))
	}
	return cib.NewElement("tickets", nil, list...)
}

func (m *mon) failuresXML() *cib.Element {
	var list []*cib.Element
	for i := range m.v.Failures {
		f := &m.v.Failures[i]
		as := attrs("op_key", f.Key, "node", f.Node, "exitstatus", codeText(f.RC))
		as = append(as, cib.Attr{Name: "exitreason", Value: cmp.Or(f.ExitReason, "none")}, cib.Attr{Name: "exitcode", Value: strconv.Itoa(f.RC)},
			cib.Attr{Name: "call", Value: strconv.Itoa(f.CallID)}, cib.Attr{Name: "status", Value: statusText(f.Status)})
		if f.LastRCChange != 0 {
			as = append(as, attrs("last-rc-change", FenceTime(time.Unix(f.LastRCChange, 0)), "queued", f.Queued, "exec", f.Exec,
				"interval", strconv.FormatInt(f.IntervalMS, 10), "task", f.Task)...)
		}
		list = append(list, cib.NewElement("failure", as))
	}
	return cib.NewElement("failures", nil, list...)
}

// FenceXML is one fencing as XML.
func FenceXML(r *cib.FenceRecord) *cib.Element {
	client, origin := FenceClient(r)
	completed := ""
	if !r.Completed.IsZero() {
		completed = FenceTime(r.Completed)
	}
	return cib.NewElement("fence_event", attrs("action", r.Action, "target", r.Target, "client", client, "origin", origin, "status", r.State,
		"delegate", Delegate(r), "exit-reason", r.Error, "completed", completed))
}

func (m *mon) fencingXML() *cib.Element {
	var list []*cib.Element
	for _, r := range slices.Backward(m.o.Fencing) {
		list = append(list, FenceXML(&r))
	}
	return cib.NewElement("fence_history", nil, list...)
}

func (m *mon) bansXML() *cib.Element {
	var list []*cib.Element
	for _, b := range m.banList() {
		promoted := b.location.Role == "Promoted" || b.location.Role == "Master"
		list = append(list, cib.NewElement("ban", attrs("id", b.location.ID, "resource", b.location.Rsc, "node", b.node.Name,
			"weight", strconv.Itoa(b.score), "promoted-only", yes(promoted), "master_only", yes(promoted))))
	}
	return cib.NewElement("bans", nil, list...)
}

// Result is the document around what a call of a tool has found, when all went well.
func Result(request string, found []*cib.Element) *cib.Element {
	return cib.NewElement("pacemaker-result", []cib.Attr{{Name: "api-version", Value: "2.25"}, {Name: "request", Value: request}},
		append(found, cib.NewElement("status", []cib.Attr{{Name: "code", Value: "0"}, {Name: "message", Value: "OK"}}))...)
}
