package cibgen

import (
	"math/rand/v2"
	"slices"
	"strconv"
)

// Mutate changes a CIB that somebody else has made, here and there: one to four resources, constraints,
// settings, entries of histories or states of nodes are dropped, doubled or changed. The CIB itself is
// changed. What comes out need not be a valid CIB.
func Mutate(cib *Element, seed uint64) {
	m := &perturber{cib: cib, generator: &generator{rng: rand.New(rand.NewPCG(seed, 99)), on: map[string]bool{}}}
	for range 1 + m.rng.IntN(4) {
		pick(m.generator,
			m.resourceGone, m.resourceGone, m.constraintGone, m.constraintTwice, m.constraintChanged, m.constraintChanged,
			m.constraintChanged, m.metaChanged, m.metaChanged, m.metaChanged, m.optionChanged, m.opChanged,
			m.historyGone, m.historyGone, m.historyMoved, m.entryChanged, m.entryChanged, m.entryChanged,
			m.stateGone, m.stateChanged, m.stateChanged, m.nodeAttribute, m.failedMonitor, m.failedStop,
			m.newLocation, m.newOrder, m.newColocation, m.quorumTurned)()
	}
}

// Choose is the number, below n, of the CIB that a seed is about to change.
func Choose(seed uint64, n int) int { return rand.New(rand.NewPCG(seed, 98)).IntN(n) }

// remove takes an element out of the tree.
func (m *perturber) remove(e *Element) {
	m.cib.Walk(func(parent *Element) {
		parent.Kids = slices.DeleteFunc(parent.Kids, func(k *Element) bool { return k == e })
	})
}

// resourceGone drops a resource with whatever names it: its history stays, as an orphan's.
func (m *perturber) resourceGone() {
	r := m.some(pick(m.generator, "primitive", "primitive", "group", "clone", "master", "bundle"), nil)
	if r == nil {
		return
	}
	gone := map[string]bool{}
	r.Walk(func(e *Element) { gone[e.Attr("id")] = true })
	m.remove(r)
	var drop []*Element
	m.cib.Walk(func(e *Element) {
		switch e.Name {
		case "rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket":
			for _, a := range []string{"rsc", "with-rsc", "first", "then"} {
				if gone[e.Attr(a)] {
					drop = append(drop, e)
					return
				}
			}
		case "resource_ref", "obj_ref":
			if gone[e.Attr("id")] {
				drop = append(drop, e)
			}
		case "group", "clone", "master", "resource_set":
			if len(e.Kids) == 0 {
				drop = append(drop, e)
			}
		}
	})
	for _, e := range drop {
		m.remove(e)
	}
}

func (m *perturber) constraint() *Element {
	return m.some(pick(m.generator, "rsc_location", "rsc_colocation", "rsc_colocation", "rsc_order", "rsc_order", "rsc_ticket"), nil)
}

// constraintTwice adds the like of a constraint, from the end to the beginning where that makes sense.
func (m *perturber) constraintTwice() {
	c := m.constraint()
	if c == nil || len(c.Kids) > 0 {
		return
	}
	twin := &Element{Name: c.Name, Attrs: slices.Clone(c.Attrs)}
	twin.put("id", m.id("twin"))
	for _, ends := range [][2]string{{"rsc", "with-rsc"}, {"first", "then"}, {"first-action", "then-action"}, {"rsc-role", "with-rsc-role"}} {
		a, b := twin.Attr(ends[0]), twin.Attr(ends[1])
		if a != "" && b != "" && m.chance(50) {
			twin.put(ends[0], b)
			twin.put(ends[1], a)
		}
	}
	m.some("constraints", nil).Kids = append(m.some("constraints", nil).Kids, twin)
}

func (m *perturber) constraintChanged() {
	c := m.constraint()
	if c == nil {
		return
	}
	switch c.Name {
	case "rsc_order":
		switch m.rng.IntN(4) {
		case 0:
			c.put("kind", pick(m.generator, "Optional", "Mandatory", "Serialize"))
			c.Attrs = slices.DeleteFunc(c.Attrs, func(a Attr) bool { return a.Name == "score" })
		case 1:
			c.put("symmetrical", pick(m.generator, "true", "false"))
		case 2:
			c.put("first-action", pick(m.generator, "start", "stop", "promote", "demote"))
		default:
			c.put("then-action", pick(m.generator, "start", "stop", "promote", "demote"))
		}
	case "rsc_ticket":
		c.put("loss-policy", pick(m.generator, "stop", "demote", "fence", "freeze"))
	default:
		target := c
		if r := m.some("rule", nil); c.Name == "rsc_location" && r != nil && m.chance(30) {
			target = r
		} else if c.Name == "rsc_colocation" && m.chance(40) {
			c.put(pick(m.generator, "rsc-role", "with-rsc-role"), pick(m.generator, "Started", "Promoted", "Unpromoted", "Stopped"))
			return
		} else if c.Attr("score") == "" {
			return
		}
		target.put("score", pick(m.generator, "INFINITY", "-INFINITY", "0", "1", "100", "-100", "5000"))
	}
}

// metas are settings of resources with values that make a difference.
var metas = []struct {
	name   string
	values []string
}{
	{"target-role", []string{"Stopped", "Started", "Promoted", "Unpromoted"}},
	{"is-managed", []string{"true", "false"}},
	{"maintenance", []string{"true", "false"}},
	{"resource-stickiness", []string{"0", "1", "100", "INFINITY"}},
	{"migration-threshold", []string{"1", "2", "INFINITY"}},
	{"failure-timeout", []string{"10", "1000000000"}},
	{"multiple-active", []string{"block", "stop_only", "stop_start", "stop_unexpected"}},
	{"allow-migrate", []string{"true", "false"}},
	{"interleave", []string{"true", "false"}},
	{"ordered", []string{"true", "false"}},
	{"notify", []string{"true", "false"}},
	{"globally-unique", []string{"true", "false"}},
	{"clone-max", []string{"0", "1", "2", "3"}},
	{"clone-node-max", []string{"1", "2"}},
	{"clone-min", []string{"0", "1", "2"}},
	{"promotable", []string{"true", "false"}},
	{"promoted-max", []string{"0", "1", "2"}},
	{"priority", []string{"0", "10", "-5"}},
	{"requires", []string{"nothing", "quorum", "fencing"}},
	{"critical", []string{"true", "false"}},
}

func (m *perturber) metaChanged() {
	meta := pick(m.generator, metas...)
	value := pick(m.generator, meta.values...)
	// Rather what is set already, so that it is about something that matters.
	if pair := m.some("nvpair", func(e *Element) bool { return e.Attr("name") == meta.name }); pair != nil && m.chance(60) {
		pair.put("value", value)
		return
	}
	m.setMeta(meta.name, value)
}

func (m *perturber) optionChanged() {
	set := m.some("cluster_property_set", nil)
	if set == nil {
		return
	}
	option := pick(m.generator, [][]string{
		{"stonith-enabled", "true", "false"}, {"no-quorum-policy", "stop", "freeze", "ignore", "demote", "suicide"},
		{"symmetric-cluster", "true", "false"}, {"maintenance-mode", "true", "false"}, {"stop-all-resources", "true", "false"},
		{"stop-orphan-resources", "true", "false"}, {"stop-orphan-actions", "true", "false"}, {"start-failure-is-fatal", "true", "false"},
		{"enable-startup-probes", "true", "false"}, {"startup-fencing", "true", "false"}, {"concurrent-fencing", "true", "false"},
		{"placement-strategy", "default", "utilization", "minimal", "balanced"}, {"shutdown-lock", "true", "false"},
	}...)
	set.setPair(option[0], pick(m.generator, option[1:]...))
}

func (m *perturber) opChanged() {
	op := m.some("op", nil)
	if op == nil {
		return
	}
	switch m.rng.IntN(5) {
	case 0:
		m.remove(op)
	case 1:
		op.put("on-fail", pick(m.generator, "ignore", "block", "stop", "restart", "fence", "standby", "demote"))
	case 2:
		op.put("role", pick(m.generator, "Started", "Promoted", "Unpromoted", "Stopped"))
	case 3:
		op.put("interval", pick(m.generator, "7s", "10s", "0"))
	default:
		op.put("enabled", pick(m.generator, "true", "false"))
	}
}

func (m *perturber) historyGone() {
	if h := m.some(pick(m.generator, "lrm_resource", "lrm_rsc_op", "lrm_rsc_op", "transient_attributes"), nil); h != nil {
		m.remove(h)
	}
}

// historyMoved makes another node remember what one does.
func (m *perturber) historyMoved() {
	h, list := m.some("lrm_resource", nil), m.some("lrm_resources", nil)
	if h == nil {
		return
	}
	if m.chance(50) {
		m.remove(h)
	}
	list.Kids = slices.DeleteFunc(list.Kids, func(k *Element) bool { return k.Attr("id") == h.Attr("id") })
	list.Kids = append(list.Kids, h.Without(nil))
}

func (m *perturber) entryChanged() {
	o := m.some("lrm_rsc_op", nil)
	if o == nil {
		return
	}
	switch m.rng.IntN(6) {
	case 0, 1, 2:
		o.put("rc-code", pick(m.generator, "0", "0", "1", "5", "6", "7", "7", "8", "9"))
		o.put("op-status", "0")
	case 3:
		o.put("op-status", pick(m.generator, "-1", "0", "2", "4", "7"))
	case 4:
		o.put("call-id", strconv.Itoa(m.rng.IntN(200)))
	default:
		o.put("last-rc-change", strconv.Itoa(Now-m.rng.IntN(100000)))
	}
}

func (m *perturber) stateGone() {
	if n := m.nodeState(); n != nil {
		m.remove(n)
	}
}

func (m *perturber) stateChanged() {
	n := m.nodeState()
	if n == nil {
		return
	}
	switch m.rng.IntN(4) {
	case 0:
		m.nodeGone()
	case 1:
		n.put("in_ccm", "true")
		n.put("crmd", "online")
		n.put("join", "member")
		n.put("expected", "member")
	case 2:
		n.put("join", pick(m.generator, "down", "pending", "banned", "member"))
	default:
		m.transient(n, "shutdown", strconv.Itoa(Now-10))
	}
}

func (m *perturber) nodeAttribute() {
	if n := m.some("node", nil); n != nil {
		n.child("instance_attributes", "id", "nodes-"+n.Attr("id")).
			setPair(pick(m.generator, "standby", "standby", "maintenance", "terminate"), pick(m.generator, "true", "false"))
	}
}

func (m *perturber) quorumTurned() { m.cib.put("have-quorum", pick(m.generator, "0", "1")) }
