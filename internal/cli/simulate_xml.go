package cli

import (
	"io"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
	"github.com/cerco-ha/cerco/internal/status"
)

// apiVersion is the version of Pacemaker's output schema that the XML follows.
const apiVersion = "2.25"

// xmlReport writes crm_simulate's XML. It is built as a tree and written at the end.
type xmlReport struct {
	w        io.Writer
	c        *call
	o        *simulateOptions
	children []*cib.Element
	errors   []*cib.Element
}

var _ report = (*xmlReport)(nil)

func newXMLReport(w io.Writer, c *call, o *simulateOptions) *xmlReport {
	return &xmlReport{w: w, c: c, o: o}
}

// element makes an element from pairs of name and value; attributes without a value are left out.
func element(name string, pairs ...string) *cib.Element {
	var attrs []cib.Attr
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			attrs = append(attrs, cib.Attr{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return cib.NewElement(name, attrs)
}

func (x *xmlReport) add(name string, children []*cib.Element) {
	x.children = append(x.children, cib.NewElement(name, nil, children...))
}

func (x *xmlReport) date(string) {}

func (x *xmlReport) status(v *scheduler.View, in *cib.CIB, revised bool) {
	if v == nil {
		return
	}
	name := "cluster_status"
	if revised {
		name = "revised_cluster_status"
	}
	x.add(name, status.XML(v, !revised))
}

var modAction = map[simulate.ModKind]string{
	simulate.ModNodeUp: "Online", simulate.ModNodeDown: "Offline", simulate.ModNodeFail: "Failing",
	simulate.ModTicketGrant: "Granting", simulate.ModTicketRevoke: "Revoking",
	simulate.ModTicketStandby: "Standby", simulate.ModTicketActivate: "Activating",
}

func (x *xmlReport) modifications(mods []simulate.Modification, o *simulateOptions) {
	e := element("modifications", "quorum", o.events.Quorum, "watchdog", o.events.Watchdog)
	var list []*cib.Element
	for _, m := range mods {
		switch m.Kind {
		case simulate.ModNodeUp, simulate.ModNodeDown, simulate.ModNodeFail:
			list = append(list, element("modify_node", "action", modAction[m.Kind], "node", m.Name))
		case simulate.ModTicketGrant, simulate.ModTicketRevoke, simulate.ModTicketStandby, simulate.ModTicketActivate:
			list = append(list, element("modify_ticket", "action", modAction[m.Kind], "ticket", m.Name))
		case simulate.ModOp:
			list = append(list, element("inject_spec", "spec", m.Name))
		case simulate.ModAttr:
			list = append(list, injectAttr(m.Name, m.Value, m.NodeID))
		}
	}
	x.children = append(x.children, e.WithChildren(list))
}

func injectAttr(name, value, node string) *cib.Element {
	return element("inject_attr", "name", name, "value", value, "node_path", "/node_state", "cib_node", node)
}

func (x *xmlReport) problem(err error) {
	x.errors = append(x.errors, cib.NewElement("error", nil, cib.NewText(err.Error())))
}

func (x *xmlReport) plan(p *scheduler.Plan) {
	if x.o.showUtil {
		x.add("utilizations", utilizationXML(p.Utilization))
	}
	if x.o.showScores {
		list := make([]*cib.Element, len(p.Scores))
		for i, l := range p.Scores {
			if l.Promotion {
				list[i] = element("promotion_score", "id", l.Resource, "score", cib.FormatScore(l.Score), "node", l.Node)
				continue
			}
			list[i] = element("node_weight", "function", l.By, "node", l.Node, "score", cib.FormatScore(l.Score), "id", l.Resource)
		}
		x.add("allocations", list)
	}
	var list []*cib.Element
	for _, c := range status.ShownChanges(p.Summary) {
		list = append(list, changeXML(&c))
	}
	x.add("actions", list)
}

// utilizationXML takes the lines of the utilization listing apart: "Original: n1 capacity: cpu=2" and
// "FUNCTION: rsc utilization on n1: cpu=1".
func utilizationXML(lines []string) []*cib.Element {
	var list []*cib.Element
	for _, l := range lines {
		head, values, _ := strings.Cut(l, ":")
		what, values, _ := strings.Cut(values, ":")
		w := strings.Fields(what)
		var pairs []string
		switch {
		case len(w) == 2:
			pairs = []string{"node", w[0], "comment", head}
		case len(w) == 4:
			pairs = []string{"resource", w[0], "node", w[3], "function", head}
		default:
			continue
		}
		for _, v := range strings.Fields(values) {
			name, value, _ := strings.Cut(v, "=")
			pairs = append(pairs, name, value)
		}
		name := "capacity"
		if len(w) == 4 {
			name = "utilization"
		}
		list = append(list, element(name, pairs...))
	}
	return list
}

func changeXML(c *scheduler.Change) *cib.Element {
	if c.Node != "" {
		return element("node_action", "task", status.NodeTask(c), "node", status.NodeName(c), "reason", c.Reason)
	}
	pairs := []string{"action", strings.ToLower(c.Verb), "resource", c.Resource}
	from, to := when(c.ShowRoles, c.FromRole), when(c.ShowRoles, c.ToRole)
	switch {
	case c.Verb == "Start":
		pairs = append(pairs, "node", c.To)
	case c.Verb == "Stop" || c.To == "":
		pairs = append(pairs, "role", from, "node", c.From)
	case c.From == "":
		pairs = append(pairs, "role", c.FromRole, "next-role", c.ToRole, "dest", c.To)
	case c.From != c.To && from != to:
		pairs = append(pairs, "role", from, "source", c.From, "next-role", to, "dest", c.To)
	case c.From != c.To:
		pairs = append(pairs, "source", c.From, "dest", c.To, "role", to)
	case c.FromRole != c.ToRole && (c.ShowRoles || c.Verb == "Promote" || c.Verb == "Demote"):
		pairs = append(pairs, "role", c.FromRole, "next-role", c.ToRole, "source", c.From)
	case c.Verb == "Recover":
		pairs = append(pairs, "role", to, "node", c.To)
	default:
		pairs = append(pairs, "role", to, "source", c.From)
	}
	pairs = append(pairs, "reason", c.Reason, "blocked", when(c.Blocked, "true"))
	return element("rsc_action", pairs...)
}

func (x *xmlReport) transition(steps []simulate.Step) {
	var list []*cib.Element
	for _, s := range steps {
		switch s.Kind {
		case simulate.PseudoStep:
			list = append(list, element("pseudo_action", "task", s.Key, "node", s.Node))
		case simulate.ResourceStep:
			interval := ""
			if s.IntervalMS > 0 {
				interval = strconv.FormatInt(s.IntervalMS, 10)
			}
			list = append(list, element("rsc_action", "resource", s.Resource, "op", s.Task, "node", s.Node, "interval", interval))
		case simulate.ClusterStep:
			list = append(list, element("cluster_action", "task", s.Task, "node", s.Node, "id", s.Resource))
		case simulate.FenceStep:
			list = append(list, element("fencing_action", "target", s.Node, "op", s.Task))
		case simulate.AttrStep:
			list = append(list, injectAttr(s.Attr, s.Value, s.NodeID))
		}
	}
	x.add("transition", list)
}

func (x *xmlReport) finish(code int) error {
	message := "OK"
	if code != exitOK {
		message = "Error"
	}
	result := element("status", "code", strconv.Itoa(code), "message", message)
	if len(x.errors) > 0 {
		result = result.WithChild(cib.NewElement("errors", nil, x.errors...))
	}
	request := x.c.name + " " + strings.Join(x.c.args, " ")
	root := element("pacemaker-result", "api-version", apiVersion, "request", request)
	_, err := x.w.Write(root.WithChildren(append(x.children, result)).AppendXML(nil))
	return err
}
