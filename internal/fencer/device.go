package fencer

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Device is a fence device as one node sees it: a stonith-class primitive of the CIB.
type Device struct {
	ID       string
	Agent    string            // fence_ipmilan, ...
	Params   map[string]string // with pcmk_*; secrets in clear: never shown
	Priority int               // the highest is tried first where there is no topology
	Unusable string            // why this node may not use it; empty: it may
}

const unlimited = -1

// devices are all devices of the CIB as the node sees them, in the order in which they are tried.
func devices(c *cib.CIB, node string, now time.Time) []Device {
	in := &cib.RuleInput{Now: now, NodeAttr: nodeAttrs(c, node)}
	var out []Device
	for r := range c.AllResources() {
		if r.Kind != cib.Primitive || r.Class != "stonith" {
			continue
		}
		params, _ := cib.Evaluate(r.Params, in, "")
		d := Device{ID: r.ID, Agent: r.Type, Params: params}
		d.Priority, _ = cib.ParseScore(params["priority"])
		if d.Unusable = stopped(c, r, in); d.Unusable == "" {
			d.Unusable = banned(c, r, node, in)
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Device) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(manualLast(a), manualLast(b)), strings.Compare(a.ID, b.ID))
	})
	return out
}

// manualLast asks people only after machines.
func manualLast(d Device) int {
	if d.Agent == ManualAgent {
		return 1
	}
	return 0
}

// stopped says why a resource may not be used anywhere: somebody has stopped it, or what it is in.
func stopped(c *cib.CIB, r *cib.Resource, in *cib.RuleInput) string {
	for ; r != nil; r = r.Parent {
		role, ok := cib.Value(r.Meta, in, "target-role")
		if !ok {
			role, _ = cib.Value(c.RscDefaults, in, "target-role")
		}
		if strings.EqualFold(role, "Stopped") {
			return "it is disabled (target-role=Stopped); `pcs stonith enable " + r.ID + "` enables it"
		}
	}
	return ""
}

// banned says why a resource may not be used on the node: a location of -INFINITY, or a cluster that wants
// to be told where things may run.
func banned(c *cib.CIB, r *cib.Resource, node string, in *cib.RuleInput) string {
	symmetric := true
	if v, ok := cib.Value(c.Properties, in, "symmetric-cluster"); ok {
		symmetric, _ = cib.ParseBool(v)
	}
	sum, told := 0, false
	for ; r != nil; r = r.Parent {
		for _, l := range c.Locations {
			for _, score := range locationScores(c, l, r, node, in) {
				sum, told = cib.AddScores(sum, score), true
				if score <= -cib.Infinity {
					return "the constraint " + l.ID + " bans it from " + node
				}
			}
		}
	}
	if !symmetric && (!told || sum < 0) {
		return "symmetric-cluster is false and no constraint allows it on " + node
	}
	return ""
}

// locationScores are the scores that a location gives a resource on the node.
func locationScores(c *cib.CIB, l *cib.Location, r *cib.Resource, node string, in *cib.RuleInput) []int {
	if !locates(c, l, r.ID) || strings.EqualFold(l.Role, "Promoted") || strings.EqualFold(l.Role, "Master") {
		return nil
	}
	if !cib.HoldsAny(l.Lifetime, in) {
		return nil
	}
	if l.Node != "" {
		if score, ok := cib.ParseScore(l.Score); ok && strings.EqualFold(l.Node, node) {
			return []int{score}
		}
		return nil
	}
	var out []int
	for _, rule := range l.Rules {
		if rule.Holds(in) {
			if score, ok := cib.ParseScore(rule.Score); ok {
				out = append(out, score)
			}
		}
	}
	return out
}

// locates reports whether a location names the resource: by id, tag, pattern or set.
func locates(c *cib.CIB, l *cib.Location, id string) bool {
	named := func(ref string) bool {
		if ref == id {
			return true
		}
		for _, t := range c.Tags {
			if t.ID == ref && slices.Contains(t.Refs, id) {
				return true
			}
		}
		return false
	}
	if l.RscPattern != "" {
		re, err := posix(l.RscPattern)
		return err == nil && re.MatchString(id) != l.Negate
	}
	for _, s := range l.Sets {
		if slices.ContainsFunc(s.Refs, named) {
			return true
		}
	}
	return l.Rsc != "" && named(l.Rsc)
}

// nodeAttrs looks up the attributes of a node, as rules see them.
func nodeAttrs(c *cib.CIB, name string) func(string) (string, bool) {
	n := c.NodeByName(name)
	return func(attr string) (string, bool) {
		switch {
		case attr == "#uname":
			return name, true
		case n == nil:
			return "", false
		case attr == "#id":
			return n.ID, true
		case attr == "#kind":
			if n.Kind == cib.NodeRemote {
				return "remote", true
			}
			return "cluster", true
		}
		if v, ok := cib.Value(n.Attrs, &cib.RuleInput{}, attr); ok {
			return v, true
		}
		if s := c.NodeState(n.ID); s != nil {
			return cib.Value(s.Attrs, &cib.RuleInput{}, attr)
		}
		return "", false
	}
}

// limit is how many agents of the device may run at once on one node.
func (d *Device) limit() int {
	n, err := strconv.Atoi(strings.TrimSpace(d.Params["pcmk_action_limit"]))
	switch {
	case err != nil || n == 0:
		return 1
	case n < 0:
		return unlimited
	}
	return n
}

// tries is how often the action is tried in all.
func (d *Device) tries(action string) int {
	n, err := strconv.Atoi(strings.TrimSpace(d.Params["pcmk_"+action+"_retries"]))
	if err != nil || n < 1 {
		return 2
	}
	return n
}

// timeout is how long one action may take, all its tries together; fallback is stonith-timeout.
func (d *Device) timeout(action string, fallback time.Duration) time.Duration {
	if t := duration(d.Params["pcmk_"+action+"_timeout"], 0); t > 0 {
		return t
	}
	return fallback
}

// call is the word that the agent is given for the action. An alias that would do nothing, and be taken for
// done, is refused.
func (d *Device) call(action string) (string, error) {
	word := d.Params["pcmk_"+action+"_action"]
	if word == "" {
		return action, nil
	}
	harmless := []string{"on", "status", "monitor", "list", "list-status", "metadata", "manpage", "validate-all", "start", "stop"}
	if (action == "off" || action == "reboot") && slices.Contains(harmless, word) {
		return "", fmt.Errorf("pcmk_%s_action is %q, which cuts nothing off; mend it with `pcs stonith update %s pcmk_%s_action=`",
			action, word, d.ID, action)
	}
	return word, nil
}

// plug is what the device calls the target.
func (d *Device) plug(target string) string {
	for _, p := range parseHostMap(d.Params["pcmk_host_map"]) {
		if strings.EqualFold(p.name, target) {
			return p.value
		}
	}
	return target
}

// static are the targets that the device's own parameters name, and whether they name any.
func (d *Device) static() ([]string, bool) {
	names := parseHostList(d.Params["pcmk_host_list"])
	for _, p := range parseHostMap(d.Params["pcmk_host_map"]) {
		names = append(names, p.name)
	}
	return names, len(names) > 0
}

// Ways to find out whom a device can fence: pcmk_host_check.
const (
	checkStatic  = "static-list"
	checkDynamic = "dynamic-list"
	checkStatus  = "status"
	checkNone    = "none"
)

// check is how the device's targets are found. meta may be nil where the parameters say it all.
func (d *Device) check(meta *Metadata) string {
	if c := d.Params["pcmk_host_check"]; c == checkStatic || c == checkDynamic || c == checkStatus || c == checkNone {
		return c
	}
	if _, told := d.static(); told {
		return checkStatic
	}
	switch {
	case d.Agent == ManualAgent:
		return checkNone
	case meta != nil && (meta.Action("list") != nil || meta.Action("list-status") != nil):
		return checkDynamic
	case meta != nil && meta.Action("status") != nil:
		return checkStatus
	}
	return checkNone
}

// delay is how long to wait before the device is used against the target.
func (d *Device) delay(target string, random func(int64) int64) time.Duration {
	base := delayBase(d.Params["pcmk_delay_base"], target)
	most := duration(d.Params["pcmk_delay_max"], 0)
	if most <= base || random == nil { // a base above the bound is clamped to it
		if most > 0 {
			return min(base, most)
		}
		return base
	}
	return base + time.Duration(random(int64(most-base)+1))
}
