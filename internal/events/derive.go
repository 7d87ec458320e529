package events

import (
	"fmt"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Derive returns what a command that was applied to before, and gave after, tells: in the order of the
// command's fields. Seq is left to the journal.
func Derive(before, after cib.State, c cib.Command) []Event {
	d := deriver{before: before, after: after, c: c}
	if c.Cluster != nil {
		d.cluster()
	}
	if c.Lead != nil {
		d.lead()
	}
	if c.Raise != 0 {
		d.add(Event{Kind: KindCluster, Text: fmt.Sprintf("the upgrade is final: version %d of commands is agreed on", c.Raise)})
	}
	for i := range c.Nodes {
		d.node(&c.Nodes[i])
	}
	if c.Config != nil && len(c.Config.Edits) > 0 {
		d.config()
	}
	for i := range c.Results {
		d.result(&c.Results[i])
	}
	for i := range c.Attributes {
		d.attribute(&c.Attributes[i])
	}
	for _, f := range c.Forget {
		d.add(Event{Kind: KindForget, Node: f.Node, Text: forgetWords(f)})
	}
	for i := range c.Fencing {
		d.fencing(&c.Fencing[i])
	}
	return d.out
}

type deriver struct {
	before, after cib.State
	c             cib.Command
	out           []Event
}

func (d *deriver) add(e Event) {
	e.At, e.Index = d.c.At, d.after.Index
	d.out = append(d.out, e)
}

func (d *deriver) cluster() {
	was, is := &d.before.Cluster, &d.after.Cluster
	for i := range is.Members {
		if m := &is.Members[i]; was.Member(m.Name) == nil {
			d.add(Event{Kind: KindCluster, Node: m.Name, Text: m.Name + " belongs to the cluster"})
		}
	}
	for i := range is.Members {
		if m := &is.Members[i]; was.Member(m.Name) != nil && was.Member(m.Name).Key != m.Key {
			d.add(Event{Kind: KindCluster, Node: m.Name, Text: m.Name + " has a new key"})
		}
	}
	if was.Authority != is.Authority {
		d.add(Event{Kind: KindCluster, Text: "the cluster has a new certificate authority"})
	}
	for i := range was.Members {
		if m := &was.Members[i]; is.Member(m.Name) == nil {
			d.add(Event{Kind: KindCluster, Node: m.Name, Text: m.Name + " no longer belongs to the cluster"})
		}
	}
	if was.Generation != is.Generation && was.Generation != 0 {
		d.add(Event{Kind: KindCluster, Bad: true,
			Text: fmt.Sprintf("the survivors go on with a log of their own: generation %d", is.Generation)})
	}
	if was.Quorum != is.Quorum || was.Timing != is.Timing || was.KeyDays != is.KeyDays {
		d.add(Event{Kind: KindCluster, Text: "the cluster's options were changed by " + d.c.By})
	}
	if len(is.Invites) > len(was.Invites) {
		d.add(Event{Kind: KindCluster, Text: "an invitation to join was made by " + d.c.By})
	}
}

func (d *deriver) lead() {
	l := d.c.Lead
	dc := l.DC
	if m := d.after.Cluster.MemberByID(l.DC); m != nil {
		dc = m.Name
	}
	text := "decisions are taken by " + dc
	if dc == "" {
		text = "nobody takes decisions"
	}
	if l.HaveQuorum {
		text += ", with quorum"
	} else {
		text += ", without quorum"
	}
	d.add(Event{Kind: KindLead, Node: dc, Bad: !l.HaveQuorum, Text: text, Lead: l})
}

// node tells of a node only if it has come or gone.
func (d *deriver) node(u *cib.NodeUpdate) {
	was, is := isMember(d.before, u.ID), isMember(d.after, u.ID)
	name := u.Name
	if name == "" && d.after.CIB != nil {
		if n := d.after.CIB.NodeState(u.ID); n != nil {
			name = n.Name
		}
	}
	if was == is {
		return
	}
	s := &NodeState{ID: u.ID, Name: name, State: "lost"}
	text := name + " is lost"
	if is {
		s.State, text = "member", name+" is up"
	}
	d.add(Event{Kind: KindNode, Node: name, Bad: !is, Text: text, NodeState: s})
}

func isMember(s cib.State, id string) bool {
	if s.CIB == nil {
		return false
	}
	n := s.CIB.NodeState(id)
	return n != nil && yes(n.InCCM) && n.Crmd != "offline" && !zero(n.Crmd)
}

// yes reads in_ccm: a boolean, or since feature set 3.18 a time.
func yes(s string) bool { return s != "" && s != "false" && !zero(s) }

func zero(s string) bool { return s == "0" }

func (d *deriver) config() {
	by := d.c.By
	if by == "" {
		by = "somebody"
	}
	text := "the configuration was changed by " + by
	if d.after.CIB != nil {
		text += " to version " + d.after.CIB.Version.String()
	}
	if d.c.Note != "" {
		text += ": " + d.c.Note
	}
	d.add(Event{Kind: KindConfig, Text: text})
}

func (d *deriver) result(r *cib.OpResult) {
	op := &r.Op
	on := op.Node
	if op.Target != "" {
		on = op.Target
	}
	task := op.Name
	if op.IntervalMS > 0 {
		task = fmt.Sprintf("%s every %d ms", task, op.IntervalMS)
	}
	text := fmt.Sprintf("%s of %s on %s: ", task, op.Resource, on)
	failed := r.Failed()
	switch {
	case op.Name == "monitor" && op.IntervalMS == 0 && r.Status == cib.OpDone && r.RC < 10: // a probe: it finds what it finds
		failed = false
		text = fmt.Sprintf("%s on %s: found %s", op.Resource, on, probeWords(r.RC))
	case failed:
		text += fmt.Sprintf("failed (rc=%d, expected %d, status %d)", r.RC, op.TargetRC, r.Status)
		if r.Reason != "" {
			text += ": " + r.Reason
		}
	default:
		text += fmt.Sprintf("ok (rc=%d) in %d ms", r.RC, r.ExecMS)
	}
	e := Event{Kind: KindOperation, Node: on, Bad: failed, Text: text, Operation: &Operation{Resource: op.Resource, Task: op.Name,
		IntervalMS: op.IntervalMS, RC: r.RC, TargetRC: op.TargetRC, Status: r.Status, Reason: r.Reason,
		ExecMS: r.ExecMS, Class: op.Class, Failed: failed}}
	if op.Epoch != (cib.Epoch{}) {
		e.Plan = op.Epoch.String()
	}
	d.add(e)
}

func probeWords(rc int) string {
	switch rc {
	case cib.RCOk:
		return "running"
	case cib.RCNotRunning:
		return "not running"
	case cib.RCPromoted:
		return "promoted"
	case cib.RCFailedPromoted:
		return "promoted, and failed"
	}
	return fmt.Sprintf("unable to run (rc=%d)", rc)
}

func (d *deriver) attribute(a *cib.AttributeUpdate) {
	id := ""
	if d.after.CIB != nil {
		if n := d.after.CIB.NodeByName(a.Node); n != nil {
			id = n.ID
		}
	}
	text := fmt.Sprintf("%s=%s on %s", a.Name, a.Value, a.Node)
	if a.Delete {
		text = fmt.Sprintf("%s is gone from %s", a.Name, a.Node)
	}
	d.add(Event{Kind: KindAttribute, Node: a.Node, Text: text,
		Attribute: &Attribute{Name: a.Name, Value: a.Value, NodeID: id, Gone: a.Delete}})
}

func forgetWords(f cib.Forget) string {
	var b strings.Builder
	b.WriteString("history of ")
	if f.Resource == "" {
		b.WriteString("all resources")
	} else {
		b.WriteString(f.Resource)
	}
	if f.Node != "" {
		b.WriteString(" on " + f.Node)
	}
	b.WriteString(" is forgotten")
	return b.String()
}

func (d *deriver) fencing(r *cib.FenceRecord) {
	for i := range d.before.Fencing {
		if old := &d.before.Fencing[i]; old.ID == r.ID && old.State == r.State && r.State == cib.FencePending {
			return // one more try of it
		}
	}
	var text string
	switch r.State {
	case cib.FenceDone:
		text = fmt.Sprintf("%s was fenced (%s): proof by %s", r.Target, r.Action, r.Evidence)
		if r.Node != "" {
			text += ", through " + r.Node
		}
	case cib.FenceFailed:
		text = fmt.Sprintf("fencing of %s (%s) failed: %s", r.Target, r.Action, r.Error)
	default:
		text = fmt.Sprintf("%s is being fenced (%s)", r.Target, r.Action)
		if r.Why != "" {
			text += ": " + r.Why
		}
	}
	e := Event{Kind: KindFencing, Node: r.Target, Bad: r.State != cib.FenceDone, Text: text, Fencing: r}
	if r.Epoch != (cib.Epoch{}) {
		e.Plan = r.Epoch.String()
	}
	d.add(e)
}
