// Package alert tells others what happens: through Pacemaker's alert agents, as the <alerts> section of the CIB
// configures them, and through webhooks.
//
// It owns which alerts an event concerns, what an agent finds in its environment, and the running of agents. It
// promises that selecting is pure, that a slow or dead recipient never holds the cluster up (what cannot be told in time is
// dropped, and logged), that an agent is ended with all its children when its time is over, and that each event is told by one
// node. It never changes anything.
package alert

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/events"
)

// Version is that of Pacemaker which agents are told.
const Version = "2.1.5"

// defaultTimeout is how long an agent may take.
const defaultTimeout = 30 * time.Second

// Call is one call of an agent, or of a webhook, for one recipient.
type Call struct {
	Alert     string // id
	Path      string // of the agent; empty for a webhook
	URL       string // of a webhook
	Token     string // of a webhook: sent as bearer token; secret
	Recipient string
	Env       []string // NAME=VALUE, sorted by name
	Timeout   time.Duration
	Event     events.Event
}

// Kinds of alerts, Pacemaker's.
const (
	kindNode      = "node"
	kindFencing   = "fencing"
	kindResource  = "resource"
	kindAttribute = "attribute"
)

// kindOf is the kind of alert that an event is, empty if it is none.
func kindOf(e *events.Event) string {
	switch {
	case e.NodeState != nil:
		return kindNode
	case e.Fencing != nil && e.Fencing.State != cib.FencePending:
		return kindFencing
	case e.Attribute != nil:
		return kindAttribute
	case e.Operation != nil && !expectedProbe(e.Operation):
		return kindResource
	}
	return ""
}

// expectedProbe reports whether a probe found what it expected: nothing has happened then.
func expectedProbe(o *events.Operation) bool {
	return o.Task == "monitor" && o.IntervalMS == 0 && o.RC == o.TargetRC
}

// Teller is the node whose alerts tell of an event: what happens on a node that is up is told there, everything else by the node
// that decides.
func Teller(e *events.Event, in *cib.CIB, leader string) string {
	if e.Operation != nil || e.Attribute != nil {
		if n := in.NodeStateByName(e.Node); n != nil && !n.Remote && n.InCCM != "false" && n.Crmd != "offline" {
			return e.Node
		}
	}
	return leader
}

// Calls are the calls that an event leads to. seq numbers the alerts of the node.
func Calls(in *cib.CIB, e events.Event, now time.Time, seq uint64) []Call {
	kind := kindOf(&e)
	if kind == "" {
		return nil
	}
	var list []Call
	for _, a := range in.Alerts {
		if !selects(a.Select, kind, &e) {
			continue
		}
		recipients := a.Recipients
		if len(recipients) == 0 {
			recipients = []cib.AlertRecipient{{}}
		}
		for i := range recipients {
			if c, ok := callFor(a, &recipients[i], &e, kind, now, seq); ok {
				list = append(list, c)
			}
		}
	}
	return list
}

// selects reports whether a <select> picks a kind of event. Without one all are picked but attributes.
func selects(sel *cib.Element, kind string, e *events.Event) bool {
	if sel == nil || !slices.ContainsFunc(sel.Children, func(c *cib.Element) bool { return c.Kind == cib.KindElement }) {
		return kind != kindAttribute
	}
	section := sel.Child("select_" + map[string]string{kindNode: "nodes", kindFencing: "fencing", kindResource: "resources", kindAttribute: "attributes"}[kind])
	if section == nil || kind != kindAttribute {
		return section != nil
	}
	any := true
	for a := range section.Elements() {
		if a.Name == "attribute" {
			if any = false; a.Attr("name") == e.Attribute.Name {
				return true
			}
		}
	}
	return any
}

// callFor is the call for a recipient, whose settings go before those of the alert. ok is false if it is disabled.
func callFor(a *cib.Alert, r *cib.AlertRecipient, e *events.Event, kind string, now time.Time, seq uint64) (c Call, ok bool) {
	in := &cib.RuleInput{Now: now}
	meta := func(name string) string {
		for _, sets := range [][]*cib.NVSet{r.Meta, a.Meta} {
			if v, ok := cib.Value(sets, in, name); ok {
				return v
			}
		}
		return ""
	}
	if on, known := cib.ParseBool(meta("enabled")); known && !on {
		return c, false
	}
	c = Call{Alert: a.ID, Path: a.Path, Recipient: r.Value, Timeout: defaultTimeout, Event: *e}
	if ms, ok := cib.ParseDuration(meta("timeout")); ok && ms > 0 {
		c.Timeout = time.Duration(ms) * time.Millisecond
	}
	env := variables(e, kind, seq)
	env["recipient"] = r.Value
	env["timestamp"] = Strftime(cmp.Or(meta("timestamp-format"), "%H:%M:%S.%06N"), e.At.In(now.Location()))
	env["timestamp_epoch"] = strconv.FormatInt(e.At.Unix(), 10)
	env["timestamp_usec"] = strconv.Itoa(e.At.Nanosecond() / 1000)
	for name, value := range env { //house:unordered sorted below
		// Agents that were written for ocf:pacemaker:ClusterMon know the variables by another prefix.
		c.Env = append(c.Env, "CRM_alert_"+name+"="+value, "CRM_notify_"+name+"="+value)
	}
	params, _ := cib.Evaluate(a.Params, in, "")
	own, _ := cib.Evaluate(r.Params, in, "")
	for name, value := range own { //house:unordered one map into another
		params[name] = value
	}
	for name, value := range params { //house:unordered sorted below
		if !strings.HasPrefix(name, "CRM_") {
			c.Env = append(c.Env, name+"="+value)
		}
	}
	slices.Sort(c.Env)
	c.webhook(params)
	return c, true
}

// webhook makes the call one over HTTP if the path says so: a URL, or "webhook", when the recipient is the URL.
func (c *Call) webhook(params map[string]string) {
	url := c.Path
	if url == "webhook" {
		url = c.Recipient
	}
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		c.URL, c.Path, c.Token, c.Env = url, "", params["token"], nil
	}
}

// variables are what an agent is told of an event, without the prefix of their names.
func variables(e *events.Event, kind string, seq uint64) map[string]string {
	v := map[string]string{"kind": kind, "version": Version, "node_sequence": strconv.FormatUint(seq, 10), "node": e.Node}
	switch kind {
	case kindNode:
		v["desc"], v["nodeid"] = e.NodeState.State, e.NodeState.ID
	case kindAttribute:
		v["nodeid"], v["attribute_name"], v["attribute_value"] = e.Attribute.NodeID, e.Attribute.Name, e.Attribute.Value
	case kindFencing:
		f := e.Fencing
		outcome, rc, by := "OK", "0", "the cluster"
		if f.State != cib.FenceDone {
			outcome, rc = cmp.Or(f.Error, "No fence device"), "-19" // Pacemaker's code for that: no such device
			if len(f.Tries) > 0 {
				rc = "-61" // no data: the devices gave no success
			}
		} else if f.Evidence == cib.ByOperator {
			by = "a human"
		} else if f.Node != "" {
			by = f.Node
		}
		v["task"], v["rc"] = "st_notify_fence", rc
		v["desc"] = fmt.Sprintf("Operation %s of %s by %s for %s@%s: %s (ref=%s)", f.Action, f.Target, by, cmp.Or(f.By, "cluster"),
			cmp.Or(f.Node, "cluster"), outcome, f.ID)
	case kindResource:
		o := e.Operation
		v["rsc"], v["task"], v["interval"] = o.Resource, o.Task, strconv.FormatInt(o.IntervalMS, 10)
		v["desc"], v["status"] = statusWords(o), strconv.Itoa(o.Status)
		v["rc"], v["target_rc"], v["exec_time"] = strconv.Itoa(o.RC), strconv.Itoa(o.TargetRC), strconv.FormatInt(o.ExecMS, 10)
	}
	return v
}

// statusWords is how an operation ended, in words.
func statusWords(o *events.Operation) string {
	if o.Status == cib.OpDone {
		words := []string{"ok", "error", "invalid parameter", "unimplemented feature", "insufficient privileges", "not installed",
			"not configured", "not running", "promoted", "promoted (failed)"}
		if o.RC >= 0 && o.RC < len(words) {
			return words[o.RC]
		}
		return "unknown"
	}
	words := []string{"complete", "Cancelled", "Timed Out", "NOT SUPPORTED", "Error", "Hard error", "Fatal error", "Not installed",
		"Internal communication failure", "Cannot execute now"}
	if o.Status > 0 && o.Status < len(words) {
		return words[o.Status]
	}
	return "unknown"
}
