package cibgen

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
)

// Perturb changes a CIB that has settled: one to three things happen to it, such as a node that dies, a
// monitor that fails, or a new constraint. The CIB itself is changed. Only what the features allow happens.
func Perturb(cib *Element, seed uint64, features []string) {
	p := &perturber{cib: cib, generator: &generator{rng: rand.New(rand.NewPCG(seed, 77)), on: map[string]bool{}}}
	for _, f := range features {
		p.on[f] = true
	}
	events := []struct {
		feature string
		happen  func()
	}{
		{"offline", p.nodeGone}, {"offline", p.nodeGone}, {"standby", p.standby}, {"shutdown", p.shutdown},
		{"failures", p.failedMonitor}, {"failures", p.failedMonitor}, {"failures", p.failedStop},
		{"targetrole", p.targetRole}, {"location", p.newLocation}, {"order", p.newOrder}, {"colocation", p.newColocation},
		{"partial", p.forget}, {"quorum", p.quorumLost}, {"maintenance", p.maintenance}, {"unmanaged", p.unmanage},
		{"location", p.constraintGone}, {"promotable", p.promotionScore},
	}
	for range 1 + p.rng.IntN(3) {
		if e := pick(p.generator, events...); p.on[e.feature] {
			e.happen()
		}
	}
}

type perturber struct {
	*generator
	cib *Element
}

// some picks an element of that name for which ok holds, nil if there is none.
func (p *perturber) some(name string, ok func(*Element) bool) *Element {
	var all []*Element
	p.cib.Walk(func(e *Element) {
		if e.Name == name && (ok == nil || ok(e)) {
			all = append(all, e)
		}
	})
	if len(all) == 0 {
		return nil
	}
	return pick(p.generator, all...)
}

// put sets an attribute whether or not it is there.
func (e *Element) put(name, value string) {
	if slices.ContainsFunc(e.Attrs, func(a Attr) bool { return a.Name == name }) {
		e.replace(name, value)
		return
	}
	e.set(name, value)
}

// child returns the first child of that name, made in front if need be.
func (e *Element) child(name string, attrs ...string) *Element {
	for _, k := range e.Kids {
		if k.Name == name {
			return k
		}
	}
	c := newElement(name, attrs...)
	e.Kids = append([]*Element{c}, e.Kids...)
	return c
}

// setPair sets an nvpair in a block of name/value pairs.
func (e *Element) setPair(name, value string) {
	for _, k := range e.Kids {
		if k.Attr("name") == name {
			k.replace("value", value)
			return
		}
	}
	e.add("nvpair", "id", e.Attr("id")+"-new-"+idSafe(name), "name", name, "value", value)
}

func (p *perturber) nodeState() *Element {
	return p.some("node_state", func(e *Element) bool { return e.Attr("id") != p.cib.Attr("dc-uuid") && e.Attr("remote_node") == "" })
}

func (p *perturber) nodeGone() {
	n := p.nodeState()
	if n == nil {
		return
	}
	n.put("in_ccm", "false")
	n.put("crmd", "offline")
	n.put("join", "down")
	n.put("expected", pick(p.generator, "member", "member", "down"))
}

func (p *perturber) standby() {
	if n := p.some("node", nil); n != nil {
		n.child("instance_attributes", "id", "nodes-"+n.Attr("id")).setPair("standby", "on")
	}
}

func (p *perturber) transient(n *Element, name, value string) {
	id := n.Attr("id")
	n.child("transient_attributes", "id", id).child("instance_attributes", "id", "status-"+id).setPair(name, value)
}

func (p *perturber) shutdown() {
	if n := p.some("node_state", nil); n != nil {
		p.transient(n, "shutdown", strconv.Itoa(Now-10))
	}
}

// owner finds the node_state that an element is in.
func (p *perturber) owner(e *Element) *Element {
	return p.some("node_state", func(n *Element) bool {
		found := false
		n.Walk(func(k *Element) { found = found || k == e })
		return found
	})
}

// happened adds an operation to a resource's history, later than all others there, and counts the failure.
func (p *perturber) happened(h *Element, name string, ms, rc, target int) {
	n := p.owner(h)
	last := 0
	n.Walk(func(e *Element) {
		if c, err := strconv.Atoi(e.Attr("call-id")); err == nil {
			last = max(last, c)
		}
	})
	id := h.Attr("id")
	key := fmt.Sprintf("%d:1:%d:11111111-2222-3333-4444-555555555555", last+1, target)
	h.Kids = slices.DeleteFunc(h.Kids, func(e *Element) bool { return e.Attr("id") == id+"_last_failure_0" })
	h.add("lrm_rsc_op", "id", id+"_last_failure_0", "operation_key", fmt.Sprintf("%s_%s_%d", id, name, ms), "operation", name,
		"crm_feature_set", "3.16.1", "transition-key", key, "transition-magic", fmt.Sprintf("0:%d;%s", rc, key),
		"on_node", n.Attr("uname"), "call-id", strconv.Itoa(last+1), "rc-code", strconv.Itoa(rc), "op-status", "0",
		"interval", strconv.Itoa(ms), "last-rc-change", strconv.Itoa(Now-5), "exec-time", "0", "queue-time", "0",
		"op-digest", md5Of(" <parameters/>\n"))
	if p.chance(80) {
		p.transient(n, fmt.Sprintf("fail-count-%s#%s_%d", id, name, ms), pick(p.generator, "1", "1", "3", "INFINITY"))
		p.transient(n, fmt.Sprintf("last-failure-%s#%s_%d", id, name, ms), strconv.Itoa(Now-5))
	}
}

// active picks the history of a resource with a recurring monitor: it runs there.
func (p *perturber) active() (h, monitor *Element) {
	h = p.some("lrm_resource", func(e *Element) bool {
		return slices.ContainsFunc(e.Kids, func(o *Element) bool { return o.Attr("interval") != "0" })
	})
	if h != nil {
		for _, o := range h.Kids {
			if o.Attr("interval") != "0" {
				monitor = o
			}
		}
	}
	return h, monitor
}

func (p *perturber) failedMonitor() {
	h, m := p.active()
	if h == nil {
		return
	}
	ms, _ := strconv.Atoi(m.Attr("interval"))
	target := 0
	if m.Attr("rc-code") == "8" {
		target = 8
	}
	p.happened(h, "monitor", ms, pick(p.generator, 1, 7, 7), target)
}

func (p *perturber) failedStop() {
	if h, _ := p.active(); h != nil {
		p.happened(h, "stop", 0, 1, 0)
	}
}

func (p *perturber) resource() *Element {
	return p.some(pick(p.generator, "primitive", "primitive", "group", "clone"), nil)
}

func (p *perturber) setMeta(name, value string) {
	if r := p.resource(); r != nil {
		r.child("meta_attributes", "id", r.Attr("id")+"-newmeta").setPair(name, value)
	}
}

func (p *perturber) targetRole() { p.setMeta("target-role", pick(p.generator, "Stopped", "Started")) }

func (p *perturber) unmanage() { p.setMeta("is-managed", "false") }

func (p *perturber) quorumLost() { p.cib.put("have-quorum", "0") }

func (p *perturber) maintenance() {
	if p.chance(50) {
		p.setMeta("maintenance", "true")
	} else if n := p.some("node", nil); n != nil {
		n.child("instance_attributes", "id", "nodes-"+n.Attr("id")).setPair("maintenance", "true")
	}
}

// top picks two different resources that constraints may name, in the order of the configuration.
func (p *perturber) top() (a, b string) {
	resources := p.some("resources", nil)
	if n := len(resources.Kids); n >= 2 {
		i := p.rng.IntN(n - 1)
		j := i + 1 + p.rng.IntN(n-1-i)
		return resources.Kids[i].Attr("id"), resources.Kids[j].Attr("id")
	} else if n == 1 {
		return resources.Kids[0].Attr("id"), ""
	}
	return "", ""
}

func (p *perturber) newLocation() {
	if a, _ := p.top(); a != "" {
		p.some("constraints", nil).add("rsc_location", "id", p.id("new"), "rsc", a,
			"node", p.some("node", nil).Attr("uname"), "score", pick(p.generator, scores...))
	}
}

func (p *perturber) newOrder() {
	if a, b := p.top(); b != "" {
		p.some("constraints", nil).add("rsc_order", "id", p.id("new"), "first", a, "then", b)
	}
}

func (p *perturber) newColocation() {
	if a, b := p.top(); b != "" {
		p.some("constraints", nil).add("rsc_colocation", "id", p.id("new"), "rsc", b, "with-rsc", a, "score", pick(p.generator, scores...))
	}
}

func (p *perturber) constraintGone() {
	if c := p.some("constraints", nil); len(c.Kids) > 0 {
		i := p.rng.IntN(len(c.Kids))
		c.Kids = slices.Delete(c.Kids, i, i+1)
	}
}

// forget drops what one node knows of one resource.
func (p *perturber) forget() {
	list := p.some("lrm_resources", func(e *Element) bool { return len(e.Kids) > 0 })
	if list != nil {
		i := p.rng.IntN(len(list.Kids))
		list.Kids = slices.Delete(list.Kids, i, i+1)
	}
}

func (p *perturber) promotionScore() {
	r := p.some("primitive", func(e *Element) bool { return e.Attr("type") == "Stateful" })
	if n := p.some("node_state", nil); r != nil && n != nil {
		p.transient(n, "master-"+r.Attr("id"), pick(p.generator, "1", "5", "50", "100", "-5", "INFINITY"))
	}
}
