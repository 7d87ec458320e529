package configure

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// opOptions are the options that an operation may have.
func opOptions() []string {
	return []string{"OCF_CHECK_LEVEL", "description", "enabled", "id", "interval", "interval-origin", "name", "on-fail", "record-pending", "role", "start-delay", "timeout"}
}

// operations are those that a new resource gets: the typed ones, and the agent's for the names that were not typed.
func (d *Draft) operations(spec *Create, name AgentName, agent *Agent) []Op {
	typed := d.checkOps(spec.Ops, name, agent)
	ops := slices.Clone(typed)
	for _, op := range defaultOps(name, agent) {
		if spec.NoDefaultOps && op.Name != "monitor" {
			continue
		}
		if !slices.ContainsFunc(typed, func(t Op) bool { return t.Name == op.Name }) {
			ops = append(ops, op)
		}
	}
	if !slices.ContainsFunc(ops, func(o Op) bool { return o.Name == "monitor" }) {
		ops = append(ops, Op{"monitor", nil})
	}
	slices.SortStableFunc(ops, func(a, b Op) int { return cmp.Compare(a.Name, b.Name) })
	for i := range ops {
		ops[i] = withInterval(ops[i])
	}
	return ops
}

// withInterval gives an operation an interval where it has none.
func withInterval(op Op) Op {
	if v, ok := Lookup(op.Pairs, "interval"); ok && v != "" {
		return op
	}
	interval := "0s"
	if op.Name == "monitor" {
		interval = "60s"
	}
	pairs := slices.DeleteFunc(slices.Clone(op.Pairs), func(p Pair) bool { return p.Name == "interval" })
	op.Pairs = append(pairs, Pair{"interval", interval})
	return op
}

// DefaultOps are the operations that a resource of the agent gets unless it is given others.
func DefaultOps(name AgentName, agent *Agent) []Op {
	ops := defaultOps(name, agent)
	if !slices.ContainsFunc(ops, func(o Op) bool { return o.Name == "monitor" }) {
		ops = append(ops, withInterval(Op{Name: "monitor"}))
	}
	return ops
}

// defaultOps are the operations that the agent advises. Of several monitors with one interval the later ones get longer
// ones, since an interval tells operations of a resource apart.
func defaultOps(name AgentName, agent *Agent) []Op {
	if agent == nil || name.Class == "stonith" {
		return nil
	}
	var ops []Op
	used := map[string]bool{}
	for _, a := range agent.Actions {
		op := Op{Name: attr(a, "name")}
		if slices.Contains([]string{"meta-data", "validate-all", "status"}, op.Name) {
			continue
		}
		interval := cmp.Or(attr(a, "interval"), "0s")
		if ms, ok := cib.ParseDuration(interval); ok && ms > 0 {
			for used[op.Name+" "+strconv.FormatInt(ms, 10)] {
				ms += 1000
				interval = strconv.FormatInt(ms/1000, 10) + "s"
			}
			used[op.Name+" "+strconv.FormatInt(ms, 10)] = true
		}
		if op.Name != "monitor" || attr(a, "interval") != "" {
			op.Pairs = append(op.Pairs, Pair{"interval", interval})
		} else {
			op.Pairs = append(op.Pairs, Pair{"interval", "60s"})
		}
		for _, n := range []string{"timeout", "start-delay", "role", "depth"} {
			if v := attr(a, n); v != "" {
				op.Pairs = append(op.Pairs, defaultPair(n, v)...)
			}
		}
		ops = append(ops, op)
	}
	return ops
}

func defaultPair(name, value string) []Pair {
	switch {
	case name != "depth":
		return []Pair{{name, value}}
	case value == "0":
		return nil
	}
	return []Pair{{"OCF_CHECK_LEVEL", value}}
}

// checkOps notes what is wrong with typed operations, and returns them with values as they are written.
func (d *Draft) checkOps(ops []Op, name AgentName, agent *Agent) []Op {
	out := slices.Clone(ops)
	for i := range out {
		out[i] = d.checkOp(out[i])
	}
	if agent != nil {
		var known []string
		for _, a := range agent.Actions {
			known = append(known, attr(a, "name"))
		}
		slices.Sort(known)
		known = slices.Compact(known)
		var said []string
		for _, op := range out {
			if !slices.Contains(known, op.Name) && !slices.Contains(said, op.Name) {
				said = append(said, op.Name)
				d.Doubt("'%s' is not a valid operation name value, use %s", op.Name, quoted(known))
			}
		}
	}
	d.sameIntervals(out)
	return out
}

// checkOp notes what is wrong with one operation.
func (d *Draft) checkOp(op Op) Op {
	var unknown []string
	pairs := slices.Clone(op.Pairs)
	for i, p := range pairs {
		if !slices.Contains(opOptions(), p.Name) {
			unknown = append(unknown, p.Name)
			continue
		}
		pairs[i].Value = d.opValue(p)
	}
	if len(unknown) > 0 {
		d.Fail("%s", invalidOptions("resource operation", unknown, opOptions()))
	}
	_, origin := Lookup(pairs, "interval-origin")
	_, delay := Lookup(pairs, "start-delay")
	if origin && delay {
		d.Fail("Only one of resource operation options 'interval-origin' and 'start-delay' can be used")
	}
	if id, ok := Lookup(pairs, "id"); ok {
		d.NewID(id, "operation id")
	}
	op.Pairs = pairs
	return op
}

// opValue is an option's value as it is written, with a problem noted if it cannot be.
func (d *Draft) opValue(p Pair) string {
	switch p.Name {
	case "role":
		return d.oneOf(p, true, "Master", "Promoted", "Slave", "Started", "Stopped", "Unpromoted")
	case "on-fail":
		return d.oneOf(p, false, "block", "demote", "fence", "ignore", "restart", "restart-container", "standby", "stop")
	case "enabled", "record-pending":
		return d.oneOf(p, false, "0", "1", "false", "true")
	case "interval":
		if _, ok := cib.ParseDuration(p.Value); p.Value == "" || !ok {
			d.Doubt("'%s' is not a valid interval value, use time interval (e.g. 1, 2s, 3m, 4h, ...)", p.Value)
		}
	}
	return p.Value
}

// oneOf is the value as the list spells it. Roles are written by the name that the document's schema has.
func (d *Draft) oneOf(p Pair, role bool, values ...string) string {
	for _, v := range values {
		if strings.EqualFold(v, p.Value) {
			if role {
				return d.Role(v)
			}
			return v
		}
	}
	d.Fail("'%s' is not a valid %s value, use %s", p.Value, p.Name, quoted(values))
	return p.Value
}

// sameIntervals notes operations of one name and interval.
func (d *Draft) sameIntervals(ops []Op) {
	type key struct {
		name string
		ms   int64
	}
	seen := map[key][]string{}
	var order []key
	for _, op := range ops {
		interval, _ := Lookup(withInterval(op).Pairs, "interval")
		ms, ok := cib.ParseDuration(interval)
		if !ok {
			continue
		}
		k := key{op.Name, ms}
		if seen[k] == nil {
			order = append(order, k)
		}
		seen[k] = append(seen[k], interval)
	}
	text := ""
	for _, k := range order {
		if len(seen[k]) > 1 {
			text += fmt.Sprintf("\n%s with intervals %s", k.name, strings.Join(seen[k], ", "))
		}
	}
	if text != "" {
		d.Fail("multiple specification of the same operation with the same interval:%s", text)
	}
}

// newOp makes the element of an operation of a new resource.
func (d *Draft) newOp(resource string, op Op) *cib.Element {
	attrs := []cib.Attr{{Name: "name", Value: op.Name}}
	id, level := "", ""
	for _, p := range op.Pairs {
		switch {
		case p.Name == "OCF_CHECK_LEVEL":
			level = p.Value
		case p.Name == "id":
			id = p.Value
		case p.Name == "role":
			attrs = append(attrs, cib.Attr{Name: "role", Value: d.Role(p.Value)})
		case p.Value != "":
			attrs = cib.SetAttr(attrs, p.Name, p.Value)
		}
	}
	if id == "" {
		id = d.Free(resource + "-" + op.Name + "-interval-" + attr(attrs, "interval"))
	}
	e := cib.NewElement("op", append(attrs, cib.Attr{Name: "id", Value: id}))
	if level == "" {
		return e
	}
	return e.WithChild(d.NewSet("instance_attributes", d.Free(id+"-instance_attributes"), []Pair{{"OCF_CHECK_LEVEL", level}}))
}
