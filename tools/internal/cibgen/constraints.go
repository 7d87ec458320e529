package cibgen

import "strconv"

// scores are what constraints give, the common ones more than once.
var scores = []string{"INFINITY", "INFINITY", "-INFINITY", "100", "100", "50", "7", "0", "-1", "-50", "-100"}

func (g *generator) makeConstraints() {
	n := len(g.tops)
	if g.on["location"] {
		for range g.rng.IntN(n + 2) {
			g.location()
		}
	}
	if n < 2 {
		return
	}
	if g.on["colocation"] {
		for range g.rng.IntN(n + 1) {
			g.colocation()
		}
	}
	if g.on["order"] {
		for range g.rng.IntN(n + 1) {
			g.order()
		}
	}
	if g.on["sets"] && n >= 3 {
		for range 1 + g.rng.IntN(2) {
			g.resourceSet()
		}
	}
	if g.on["tickets"] {
		g.tickets()
	}
}

// pair picks two different top-level resources, the earlier first. Constraints that all point one way
// cannot make a loop.
func (g *generator) pair() (*rsc, *rsc) {
	i := g.rng.IntN(len(g.tops))
	j := g.rng.IntN(len(g.tops) - 1)
	if j >= i {
		j++
	}
	if i > j && !g.when("loops", 20) {
		i, j = j, i
	}
	return g.inner(g.tops[i]), g.inner(g.tops[j])
}

// inner sometimes names a member of a group instead of the group.
func (g *generator) inner(r *rsc) *rsc {
	if r.kind == "group" && g.when("members", 30) {
		return pick(g, r.children...)
	}
	return r
}

func (g *generator) location() {
	r := g.inner(pick(g, g.tops...))
	id := g.id("loc")
	if !g.when("rules", 40) {
		c := g.constraints.add("rsc_location", "id", id, "rsc", r.id, "node", pick(g, g.nodes...).name, "score", pick(g, scores...))
		if r.promotable && g.chance(30) {
			c.set("role", "Promoted")
		}
		if g.chance(5) {
			c.set("resource-discovery", pick(g, "always", "never", "exclusive"))
		}
		return
	}
	c := g.constraints.add("rsc_location", "id", id, "rsc", r.id)
	rule := c.add("rule", "id", id+"-rule", "score", pick(g, scores...), "boolean-op", pick(g, "and", "or"))
	if r.promotable && g.chance(50) {
		rule.set("role", "Promoted")
	}
	for i := range 1 + g.rng.IntN(2) {
		eid := id + "-expr" + strconv.Itoa(i)
		switch g.rng.IntN(4) {
		case 0:
			rule.add("expression", "id", eid, "attribute", "#uname", "operation", pick(g, "eq", "ne"), "value", pick(g, g.nodes...).name)
		case 1:
			rule.add("expression", "id", eid, "attribute", "site", "operation", pick(g, "eq", "ne", "lt"), "value", pick(g, "east", "west"))
		case 2:
			rule.add("expression", "id", eid, "attribute", "weight", "operation", pick(g, "defined", "not_defined"))
		case 3:
			rule.add("expression", "id", eid, "attribute", "weight", "type", pick(g, "number", "integer"), "operation",
				pick(g, "lt", "lte", "gt", "gte", "eq"), "value", pick(g, "1", "10", "20"))
		}
	}
}

func (g *generator) colocation() {
	first, second := g.pair()
	score := pick(g, scores...)
	c := g.constraints.add("rsc_colocation", "id", g.id("colo"), "rsc", second.id, "with-rsc", first.id, "score", score)
	if second.promotable && g.chance(40) {
		c.set("rsc-role", pick(g, "Promoted", "Promoted", "Unpromoted", "Started"))
	}
	if first.promotable && g.chance(60) {
		c.set("with-rsc-role", pick(g, "Promoted", "Promoted", "Unpromoted", "Started"))
	}
	if g.chance(6) {
		c.set("influence", pick(g, "true", "false"))
	}
	if g.when("rules", 6) {
		c.set("node-attribute", "site")
	}
}

func (g *generator) order() {
	first, then := g.pair()
	c := g.constraints.add("rsc_order", "id", g.id("order"), "first", first.id, "then", then.id)
	if g.chance(75) {
		c.set("kind", pick(g, "Mandatory", "Mandatory", "Optional", "Serialize"))
	}
	if first.promotable && g.chance(60) {
		c.set("first-action", pick(g, "promote", "promote", "start", "demote"))
		c.set("then-action", "start")
	} else if then.promotable && g.chance(40) {
		c.set("first-action", "start")
		c.set("then-action", "promote")
	} else if g.chance(5) {
		c.set("first-action", pick(g, "start", "stop"))
		c.set("then-action", pick(g, "start", "stop"))
	}
	if g.chance(12) && c.Attr("kind") != "Serialize" {
		c.set("symmetrical", "false")
	}
	if first.kind == "clone" && g.chance(10) {
		c.set("require-all", "false")
	}
}

// resourceSet adds an order or a colocation of two sets.
func (g *generator) resourceSet() {
	rs := g.rng.Perm(len(g.tops))
	cut := 1 + g.rng.IntN(len(rs)-1)
	if len(rs) > 6 {
		rs, cut = rs[:6], min(cut, 4)
	}
	kind := pick(g, "rsc_order", "rsc_colocation")
	c := g.constraints.add(kind, "id", g.id("set"))
	if kind == "rsc_colocation" {
		c.set("score", pick(g, "INFINITY", "100", "-100"))
	} else {
		c.set("kind", pick(g, "Mandatory", "Optional"))
	}
	for i, part := range [][]int{rs[:cut], rs[cut:]} {
		if i == 1 && g.chance(30) {
			break
		}
		s := c.add("resource_set", "id", c.Attr("id")+"-"+strconv.Itoa(i))
		if g.chance(40) {
			s.set("sequential", "false")
			if kind == "rsc_order" && g.chance(30) {
				s.set("require-all", "false")
			}
		}
		for _, k := range part {
			s.add("resource_ref", "id", g.tops[k].id)
		}
	}
}

func (g *generator) tickets() {
	states := g.status.add("tickets")
	for i := range 1 + g.rng.IntN(2) {
		id := "ticket" + string(rune('A'+i))
		if g.chance(80) {
			t := states.add("ticket_state", "id", id, "granted", pick(g, "true", "false"), "last-granted", strconv.Itoa(Now-500))
			if g.chance(20) {
				t.set("standby", "true")
			}
		}
		r := pick(g, g.tops...)
		c := g.constraints.add("rsc_ticket", "id", g.id("tick"), "rsc", r.id, "ticket", id)
		if r.promotable && g.chance(60) {
			c.set("rsc-role", "Promoted")
		}
		policies := []string{"", "stop", "freeze", "demote"}
		if g.on["fencing"] {
			policies = append(policies, "fence")
		}
		c.set("loss-policy", pick(g, policies...))
	}
}
