package cibgen

import (
	"fmt"
	"strconv"
)

// rsc is a resource of the CIB being made.
type rsc struct {
	id       string
	kind     string // primitive, group, clone, bundle
	el       *Element
	parent   *rsc
	children []*rsc
	inside   *rsc // the primitive of a bundle

	class, provider, typ string
	params               []string
	monitors             []monitor

	promotable, unique bool
	promotedMax        int
}

// monitor is a recurring operation of a primitive.
type monitor struct {
	seconds int
	role    string // empty: Started
}

// leaves are the primitives at or below a resource.
func (r *rsc) leaves() []*rsc {
	if r.kind == "primitive" {
		return []*rsc{r}
	}
	var out []*rsc
	for _, c := range r.children {
		out = append(out, c.leaves()...)
	}
	return out
}

func (g *generator) makeResources() {
	if g.on["fencing"] && g.chance(95) {
		for i := range 1 + g.rng.IntN(2) {
			f := &rsc{id: fmt.Sprintf("fence%d", i+1), kind: "primitive", class: "stonith", typ: "fence_xvm"}
			f.el = g.resources.add("primitive", "id", f.id, "class", f.class, "type", f.typ)
			g.tops, g.prims = append(g.tops, f), append(g.prims, f)
		}
	}
	budget := 1 + g.rng.IntN(min(6, g.limit.Primitives))
	if g.chance(30) {
		budget = 1 + g.rng.IntN(g.limit.Primitives)
	}
	for n := 0; budget > 0; n++ {
		r := g.makeTop(n, &budget)
		g.tops = append(g.tops, r)
		g.resources.Kids = append(g.resources.Kids, r.el)
	}
}

func (g *generator) makeTop(n int, budget *int) *rsc {
	switch {
	case g.when("clones", 30):
		return g.makeClone(n, budget, false)
	case g.when("promotable", 30):
		return g.makeClone(n, budget, true)
	case g.when("bundles", 40):
		return g.makeBundle(n, budget)
	case g.when("remote", 30):
		*budget--
		return g.makeRemote(n)
	case g.when("groups", 30):
		return g.makeGroup(fmt.Sprintf("g%d", n), budget, false)
	}
	*budget--
	return g.makePrimitive(fmt.Sprintf("r%d", n), false)
}

func (g *generator) makeGroup(id string, budget *int, promotable bool) *rsc {
	r := &rsc{id: id, kind: "group", el: newElement("group", "id", id)}
	r.el.nvset("meta_attributes", id+"-meta", g.meta(false)...)
	size := 1 + g.rng.IntN(4)
	for i := range size {
		m := g.makePrimitive(fmt.Sprintf("%sm%d", id, i), promotable)
		m.parent = r
		r.children = append(r.children, m)
		r.el.Kids = append(r.el.Kids, m.el)
	}
	*budget -= size
	return r
}

func (g *generator) makeClone(n int, budget *int, promotable bool) *rsc {
	id := fmt.Sprintf("c%d", n)
	r := &rsc{id: id, kind: "clone", el: newElement("clone", "id", id), promotable: promotable, promotedMax: 1}
	meta := g.meta(promotable)
	if promotable {
		meta = append(meta, "promotable", "true")
		if g.chance(25) {
			r.promotedMax = 2
			meta = append(meta, "promoted-max", "2")
		}
	}
	if g.chance(40) {
		meta = append(meta, "interleave", "true")
	}
	if g.chance(25) {
		meta = append(meta, "clone-max", strconv.Itoa(1+g.rng.IntN(4)))
	}
	if g.chance(10) {
		meta = append(meta, "ordered", "true")
	}
	if g.when("notify", 40) {
		meta = append(meta, "notify", "true")
	}
	if g.when("unique", 40) {
		r.unique = true
		meta = append(meta, "globally-unique", "true")
		if g.chance(50) {
			meta = append(meta, "clone-node-max", "2")
		}
	}
	if !promotable && g.chance(5) {
		meta = append(meta, "clone-min", "2")
	}
	r.el.nvset("meta_attributes", id+"-meta", meta...)
	var child *rsc
	if g.when("groups", 25) {
		child = g.makeGroup(fmt.Sprintf("cg%d", n), budget, promotable)
	} else {
		*budget--
		child = g.makePrimitive(fmt.Sprintf("cr%d", n), promotable)
	}
	child.parent = r
	r.children = []*rsc{child}
	r.el.Kids = append(r.el.Kids, child.el)
	return r
}

func (g *generator) makePrimitive(id string, promotable bool) *rsc {
	r := &rsc{id: id, kind: "primitive", class: "ocf", provider: "pacemaker", typ: "Dummy"}
	switch {
	case promotable:
		r.typ = "Stateful"
	case g.chance(10):
		r.class, r.provider, r.typ = "systemd", "", "httpd"
	}
	r.el = newElement("primitive", "id", id, "class", r.class, "provider", r.provider, "type", r.typ)
	meta := g.meta(promotable)
	if g.when("migration", 25) && r.class == "ocf" {
		meta = append(meta, "allow-migrate", "true")
	}
	r.el.nvset("meta_attributes", id+"-meta", meta...)
	if g.when("params", 50) {
		r.params = []string{"fake", pick(g, "1", "x y", "a&b")}
		r.el.nvset("instance_attributes", id+"-params", r.params...)
	}
	if g.on["utilization"] && g.chance(70) {
		r.el.nvset("utilization", id+"-util", "cpu", pick(g, "1", "2"), "memory", pick(g, "256", "1024"))
	}
	g.operations(r, promotable)
	g.prims = append(g.prims, r)
	return r
}

func (g *generator) operations(r *rsc, promotable bool) {
	switch {
	case promotable && g.chance(70):
		r.monitors = []monitor{{10, "Promoted"}, {11, "Unpromoted"}}
	case !promotable && g.chance(70):
		r.monitors = []monitor{{pick(g, 10, 30), ""}}
	}
	var ops *Element
	op := func(name string, seconds int, role string) {
		if ops == nil {
			ops = r.el.add("operations")
		}
		e := ops.add("op", "id", fmt.Sprintf("%s-%s-%d", r.id, name, seconds), "name", name,
			"interval", fmt.Sprintf("%ds", seconds), "role", role)
		if g.when("onfail", 25) {
			choices := []string{"restart", "ignore", "block", "stop", "standby"}
			if g.on["fencing"] {
				choices = append(choices, "fence")
			}
			if promotable && (name == "promote" || role == "Promoted") {
				choices = append(choices, "demote")
			}
			e.set("on-fail", pick(g, choices...))
		}
	}
	for _, m := range r.monitors {
		op("monitor", m.seconds, m.role)
	}
	if g.chance(15) {
		op("start", 0, "")
	}
	if g.chance(10) {
		op("stop", 0, "")
	}
	if promotable && g.chance(15) {
		op("promote", 0, "")
	}
}

// meta makes meta attributes for a resource of any kind.
func (g *generator) meta(promotable bool) []string {
	var m []string
	if g.when("targetrole", 8) {
		roles := []string{"Stopped", "Stopped", "Started"}
		if promotable {
			roles = append(roles, "Unpromoted", "Promoted")
		}
		m = append(m, "target-role", pick(g, roles...))
	}
	if g.when("unmanaged", 6) {
		m = append(m, "is-managed", "false")
	}
	if g.when("maintenance", 4) {
		m = append(m, "maintenance", "true")
	}
	if g.when("priority", 15) {
		m = append(m, "priority", pick(g, "1", "5", "10", "-3"))
	}
	if g.when("stickiness", 15) {
		m = append(m, "resource-stickiness", pick(g, "0", "1", "10", "200", "INFINITY", "-INFINITY", "-10"))
	}
	if g.when("failures", 15) {
		m = append(m, "migration-threshold", pick(g, "1", "2", "5"))
	}
	if g.when("failures", 10) {
		m = append(m, "failure-timeout", pick(g, "60", "1h", "1d"))
	}
	if g.when("multiactive", 20) {
		m = append(m, "multiple-active", pick(g, "block", "stop_only", "stop_start", "stop_unexpected"))
	}
	if g.when("fencing", 4) {
		m = append(m, "requires", pick(g, "nothing", "quorum", "fencing"))
	}
	return m
}
