package configure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// checkParams holds parameters against what the agent says. For a change, old are the parameters before it and self is the
// resource; for a new resource old is nil.
func (d *Draft) checkParams(name AgentName, agent *Agent, params, old []Pair, self string) {
	kind := "resource"
	if name.Class == "stonith" {
		kind = "stonith"
	}
	known := ParametersOf(name, agent)
	for _, p := range params {
		if p.Value == "" && old == nil {
			d.Fail("%s cannot be empty", p.Name)
		}
	}
	if agent == nil {
		return
	}
	d.unknownOptions(kind, slices.DeleteFunc(Names(params), func(n string) bool {
		return slices.ContainsFunc(old, func(p Pair) bool { return p.Name == n })
	}), known)
	for _, p := range params {
		if k := findParameter(known, p.Name); k != nil && k.Deprecated && p.Value != "" {
			d.deprecatedParam(kind, k)
		}
	}
	d.requiredParams(kind, known, params, old)
	d.uniqueParams(name, agent, params, old, self)
}

func (d *Draft) deprecatedParam(kind string, k *Parameter) {
	hint := ""
	if len(k.DeprecatedBy) > 0 {
		hint = ", use " + quoted(k.DeprecatedBy) + " instead"
	}
	text := fmt.Sprintf("%s option '%s' is deprecated and should not be used%s", kind, k.Name, hint)
	if kind == "stonith" && k.Name == "action" {
		d.Doubt("%s", text)
		return
	}
	d.Warn("%s", text)
}

// unknownOptions notes names that are no options.
func (d *Draft) unknownOptions(kind string, given []string, known []Parameter) {
	var unknown, allowed []string
	for _, n := range given {
		if findParameter(known, n) == nil {
			unknown = append(unknown, n)
		}
	}
	if len(unknown) == 0 {
		return
	}
	for _, k := range known {
		allowed = append(allowed, k.Name)
	}
	d.Doubt("%s", invalidOptions(kind, unknown, allowed))
}

func findParameter(list []Parameter, name string) *Parameter {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// requiredParams notes what is missing. An option counts as given when one that it replaces, or that replaces it, is.
func (d *Draft) requiredParams(kind string, known []Parameter, params, old []Pair) {
	has := func(name string) bool {
		if v, ok := Lookup(params, name); ok {
			return v != ""
		}
		_, ok := Lookup(old, name)
		return ok
	}
	var missing []string
	for _, k := range known {
		if !k.Required || k.Deprecated || has(k.Name) {
			continue
		}
		replaced := slices.ContainsFunc(known, func(o Parameter) bool { return slices.Contains(o.DeprecatedBy, k.Name) && has(o.Name) })
		_, touched := Lookup(params, k.Name)
		if !replaced && (old == nil || touched) {
			missing = append(missing, k.Name)
		}
	}
	slices.Sort(missing)
	switch len(missing) {
	case 0:
	case 1:
		d.Doubt("required %s option '%s' is missing", kind, missing[0])
	default:
		d.Doubt("required %s options %s are missing", kind, quoted(missing))
	}
}

// uniqueParams notes that other resources of the agent have the same values where they must be each one's own.
func (d *Draft) uniqueParams(name AgentName, agent *Agent, params, old []Pair, self string) {
	groups := map[string][]string{}
	var order []string
	for _, p := range agent.Parameters {
		if p.UniqueGroup != "" {
			if groups[p.UniqueGroup] == nil {
				order = append(order, p.UniqueGroup)
			}
			groups[p.UniqueGroup] = append(groups[p.UniqueGroup], p.Name)
		}
	}
	for _, g := range order {
		if !slices.ContainsFunc(groups[g], func(n string) bool { _, ok := Lookup(params, n); return ok }) {
			continue
		}
		mine := valuesOf(groups[g], params, old)
		if strings.Join(mine, "") == "" {
			continue
		}
		var same []string
		for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "primitive" && AgentOf(e) == name && e.ID() != self }) {
			if slices.Equal(valuesOf(groups[g], pairsOf(p.Last(), "instance_attributes"), nil), mine) {
				same = append(same, p.Last().ID())
			}
		}
		if len(same) > 0 {
			d.notUnique(name, groups[g], mine, same)
		}
	}
}

func (d *Draft) notUnique(name AgentName, names, values, same []string) {
	slices.Sort(same)
	if len(names) == 1 {
		d.Doubt("Value '%s' of option '%s' is not unique across '%s' resources. Following resources are configured with the same value of the instance attribute: %s",
			values[0], names[0], name, quoted(same))
		return
	}
	d.Doubt("Values %s of options %s are not unique across '%s' resources. Following resources are configured with the same values of the instance attributes: %s",
		quoted(values), quoted(names), name, quoted(same))
}

// valuesOf are the values of names: those of params or else of old.
func valuesOf(names []string, params, old []Pair) []string {
	values := make([]string, len(names))
	for i, n := range names {
		v, ok := Lookup(params, n)
		if !ok {
			v, _ = Lookup(old, n)
		}
		values[i] = v
	}
	return values
}

// pairsOf are the pairs of an element's first block of that tag.
func pairsOf(e *cib.Element, tag string) []Pair {
	var list []Pair
	for p := range e.Child(tag).Elements() {
		if p.Name == "nvpair" {
			list = append(list, Pair{p.Attr("name"), p.Attr("value")})
		}
	}
	return list
}

// oldAction is what the action= of fence devices meant: the command that reboots.
func (d *Draft) oldAction(params []Pair) []Pair {
	action, ok := Lookup(params, "action")
	if !ok || d.Force || action != "reboot" && action != "off" {
		return params
	}
	if _, ok := Lookup(params, "pcmk_reboot_action"); ok {
		return params
	}
	d.Deprecate("stonith option 'action=%s' is now: pcmk_reboot_action=%s", action, action)
	out := slices.Clone(params)
	for i := range out {
		if out[i].Name == "action" {
			out[i].Name = "pcmk_reboot_action"
		}
	}
	return out
}

// ParametersOf are those that a resource of the agent may have, the cluster's own included.
func ParametersOf(name AgentName, agent *Agent) []Parameter {
	if agent == nil {
		return nil
	}
	list := slices.Clone(agent.Parameters)
	switch {
	case name.Class == "stonith":
		for i := range list {
			switch list[i].Name {
			case "action":
				list[i].Deprecated, list[i].Required, list[i].DeprecatedBy = true, false, []string{"pcmk_off_action", "pcmk_reboot_action"}
			case "port", "plug": // the cluster fills it in
				list[i].Required = false
			}
		}
		list = append(list, fencingParameters()...)
	case name.Class == "ocf" && (name.Provider == "heartbeat" || name.Provider == "pacemaker"):
		for _, n := range []string{"trace_ra", "trace_file"} {
			if findParameter(list, n) == nil {
				list = append(list, Parameter{Name: n, Advanced: true, Short: "Trace the calls of the agent"})
			}
		}
	}
	return list
}

// fencingParameters are the cluster's own parameters of fence devices.
func fencingParameters() []Parameter {
	list := []Parameter{
		{Name: "pcmk_host_argument", Advanced: true, Short: "The agent's parameter that names what is to be fenced, instead of plug or port"},
		{Name: "pcmk_host_map", Short: "What the device calls the nodes: node1:1;node2:2,3"},
		{Name: "pcmk_host_list", Short: "The nodes that the device can fence: node1,node2"},
		{Name: "pcmk_host_check", Short: "How to find out which nodes the device can fence: dynamic-list, static-list, status or none"},
		{Name: "pcmk_delay_max", Short: "Wait for a random time of up to this before fencing"},
		{Name: "pcmk_delay_base", Short: "Wait for this time before fencing; node1:1s;node2:5 for each node its own"},
		{Name: "pcmk_action_limit", Short: "How many actions the device can carry out at the same time; -1 for any number"},
	}
	for _, action := range []string{"reboot", "off", "on", "list", "monitor", "status"} {
		list = append(list,
			Parameter{Name: "pcmk_" + action + "_action", Advanced: true, Short: "What to call on the agent instead of " + action},
			Parameter{Name: "pcmk_" + action + "_timeout", Advanced: true, Short: "The time-out of " + action + " instead of the cluster's"},
			Parameter{Name: "pcmk_" + action + "_retries", Advanced: true, Short: "How often to try " + action + " within its time-out"})
	}
	return list
}
