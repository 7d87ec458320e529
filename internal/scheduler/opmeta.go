package scheduler

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

const defaultTimeoutMS = 20000

// configureOp looks up the configuration of an action: its meta attributes and what it needs first.
func (p *planner) configureOp(a *action) {
	r := a.rsc
	a.op = findOp(r, a.task, a.interval)
	if a.op == nil && (a.task == taskMigrateTo || a.task == taskMigrateFrom) {
		a.op = findOp(r, "migrate", 0) // one entry for both
	}
	a.needs = p.needsOf(a)
	p.opMeta(a)
}

// needsOf says what an action must wait for: only starts and promotions wait for anything.
func (p *planner) needsOf(a *action) need {
	if a.task != taskStart && a.task != taskPromote {
		return needNothing
	}
	switch {
	case a.rsc.needsFencing:
		return needFencing
	case a.rsc.needsQuorum:
		return needQuorum
	}
	return needNothing
}

// opMeta evaluates the meta attributes of an action, highest precedence last: defaults, the operation's
// blocks, its XML attributes.
func (p *planner) opMeta(a *action) {
	values := p.opValues(a.rsc, a.task, a.interval, a.op)
	if a.task == taskMonitor && a.interval == 0 && a.op == nil {
		// A probe without an entry of its own takes the time-out of the most frequent monitor.
		if m := fastestMonitor(a.rsc); m != nil {
			if t, ok := p.opValues(a.rsc, m.Name, a.interval, m)["timeout"]; ok {
				values["timeout"] = t
			}
		}
	}
	timeout := timeoutMS(values)
	if a.rsc.class == "stonith" && (a.task == taskMonitor && a.interval == 0 || a.task == taskStart) {
		if v := p.params(a.rsc, nil)["pcmk_monitor_timeout"]; v != "" {
			if ms, ok := cib.ParseDuration(v); ok {
				timeout = ms
			}
		}
	}
	a.set("CRM_meta_timeout", strconv.FormatInt(timeout, 10))
	if a.interval > 0 {
		a.set("CRM_meta_interval", strconv.FormatInt(a.interval, 10))
	}
	for _, k := range sortedKeys(values) {
		switch k {
		case "timeout", "interval", "id", "crm-debug-origin":
			continue
		case "on-fail", "role":
		}
		v := values[k]
		if k == "start-delay" || k == "interval-origin" {
			p.startDelay(a, values)
			continue
		}
		a.set(metaName(k), v)
	}
}

// timeoutMS is the time-out among an operation's settings.
func timeoutMS(values map[string]string) int64 {
	if ms, ok := cib.ParseDuration(values["timeout"]); ok && ms >= 0 && values["timeout"] != "" {
		return ms
	}
	return defaultTimeoutMS
}

// startDelay turns start-delay or interval-origin into a delay in ms.
func (p *planner) startDelay(a *action, values map[string]string) {
	if ms, ok := cib.ParseDuration(values["start-delay"]); ok && values["start-delay"] != "" {
		a.set("CRM_meta_start_delay", strconv.FormatInt(ms, 10))
		return
	}
	origin, ok := cib.ParseTime(values["interval-origin"])
	if !ok || a.interval <= 0 {
		return
	}
	d := p.now.Unix() - origin.Unix()
	step := a.interval / 1000
	if step <= 0 {
		return
	}
	wait := (step - (d%step+step)%step) % step
	a.set("CRM_meta_start_delay", strconv.FormatInt(wait*1000, 10))
}

// metaName is the name a meta attribute has among an agent's environment.
func metaName(k string) string {
	b := []byte("CRM_meta_" + k)
	for i := range b {
		if b[i] == '-' {
			b[i] = '_'
		}
	}
	return string(b)
}

// opValues merges what is configured for an operation.
func (p *planner) opValues(r *resource, name string, interval int64, op *cib.Op) map[string]string {
	in := &cib.RuleInput{Now: p.now,
		Rsc: &cib.RscMatch{Class: r.class, Provider: r.provider, Type: r.typ},
		Op:  &cib.OpMatch{Name: name, IntervalMS: interval}}
	values, _ := cib.Evaluate(p.in.OpDefaults, in, "")
	if values == nil {
		values = map[string]string{}
	}
	out := make(map[string]string, len(values)+4)
	for k, v := range values {
		out[k] = v
	}
	if op == nil {
		return out
	}
	vs, at := cib.Evaluate(op.Meta, in, "")
	p.changesAt(at)
	for k, v := range vs {
		out[k] = v
	}
	for _, at := range op.Attrs {
		out[at.Name] = at.Value
	}
	return out
}

// ownOpParams are the parameters that an operation is configured with beside the resource's.
func (p *planner) ownOpParams(a *action) map[string]string {
	if a.op == nil || len(a.op.Params) == 0 {
		return nil
	}
	r := a.rsc
	values, at := cib.Evaluate(a.op.Params, &cib.RuleInput{Now: p.now,
		Rsc: &cib.RscMatch{Class: r.class, Provider: r.provider, Type: r.typ},
		Op:  &cib.OpMatch{Name: a.task, IntervalMS: a.interval}}, "")
	p.changesAt(at)
	return values
}

func fastestMonitor(r *resource) *cib.Op {
	var best *cib.Op
	for _, o := range r.ops {
		if o.Name != taskMonitor || o.IntervalMS <= 0 {
			continue
		}
		if !enabled(o) {
			continue
		}
		if best == nil || o.IntervalMS < best.IntervalMS {
			best = o
		}
	}
	return best
}
