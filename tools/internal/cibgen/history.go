package cibgen

import (
	"fmt"
	"slices"
	"strconv"
)

// stateOf is what a node remembers of a resource.
type stateOf int

const (
	stopped      stateOf = iota // probed, found stopped
	started                     // running well
	promoted                    // running well in the promoted role
	stoppedAgain                // ran here, was stopped
	failedMonitor
	failedStart
	failedStop
	failedProbe
	pendingOp
	migratedAway // migrate_to done here
	migratingOut // migrate_to that failed or hangs
)

// makeHistory invents what the nodes remember: nothing has been probed yet, or most resources run.
func (g *generator) makeHistory() {
	if !g.on["history"] {
		return
	}
	var hosts []*node
	for _, nd := range g.nodes {
		if nd.seen && nd.remembers {
			hosts = append(hosts, nd)
		}
	}
	for _, r := range g.tops {
		switch r.kind {
		case "clone":
			g.cloneHistory(r, hosts)
		case "bundle":
		default:
			g.simpleHistory(r, hosts)
		}
	}
	if g.on["orphans"] {
		orphan := &rsc{id: "gone", kind: "primitive", class: "ocf", provider: "pacemaker", typ: "Dummy", monitors: []monitor{{10, ""}}}
		g.record(pick(g, hosts...), orphan, orphan.id, pick(g, started, started, stopped, failedMonitor))
	}
}

// simpleHistory is that of a primitive or a group: active on one node, or nowhere.
func (g *generator) simpleHistory(r *rsc, hosts []*node) {
	home := pick(g, hosts...)
	active := len(r.leaves())
	switch {
	case g.chance(20):
		active = 0
	case g.chance(20):
		active = g.rng.IntN(active + 1)
	}
	for i, leaf := range r.leaves() {
		second := pick(g, hosts...)
		twice := g.when("multiactive", 10)
		migrating := g.when("migrating", 15)
		for _, nd := range hosts {
			state := stopped
			switch {
			case i < active && nd == home:
				state = g.spoil(started)
				if migrating && second != home {
					state = started
				}
			case i < active && twice && nd == second:
				state = started
			case i < active && migrating && nd == second:
				state = pick(g, migratedAway, migratingOut)
			default:
				state = g.spoilStopped()
			}
			g.record(nd, leaf, leaf.id, state)
		}
	}
}

// cloneHistory is that of a clone: active on most nodes.
func (g *generator) cloneHistory(r *rsc, hosts []*node) {
	fresh := g.chance(15)
	masters := 0
	for n, nd := range hosts {
		active := !fresh && g.chance(75)
		role := started
		if r.promotable && masters < r.promotedMax && g.chance(50) {
			role = promoted
			masters++
		}
		leaves := r.leaves()
		depth := len(leaves)
		if g.chance(15) {
			depth = g.rng.IntN(depth + 1)
		}
		for i, leaf := range leaves {
			id := leaf.id
			if r.unique {
				id += ":" + strconv.Itoa(n)
			}
			if active && i < depth {
				g.record(nd, leaf, id, g.spoil(role))
				if r.promotable && g.chance(70) {
					nd.transient = append(nd.transient, "master-"+id, pick(g, "5", "10", "10", "100", "-1", "1", "INFINITY"))
				}
			} else {
				g.record(nd, leaf, id, g.spoilStopped())
			}
		}
	}
}

// spoil turns a good state into a failed one now and then.
func (g *generator) spoil(s stateOf) stateOf {
	switch {
	case g.when("failures", 18):
		return pick(g, failedMonitor, failedMonitor, failedStart, failedStop)
	case g.when("pending", 8):
		return pendingOp
	}
	return s
}

func (g *generator) spoilStopped() stateOf {
	switch {
	case g.when("failures", 4):
		return pick(g, failedProbe, failedStart, failedStop)
	case g.chance(10):
		return stoppedAgain
	}
	return stopped
}

// record writes the history of one resource on one node, unless the node has not probed it.
func (g *generator) record(nd *node, r *rsc, id string, s stateOf) {
	if s == stopped && g.when("partial", 15) {
		return
	}
	if nd.lrm == nil {
		nd.lrm = newElement("lrm", "id", nd.id)
		nd.lrm.add("lrm_resources")
	}
	list := nd.lrm.Kids[0]
	h := &history{g: g, node: nd, rsc: r, id: id,
		el: list.add("lrm_resource", "id", id, "class", r.class, "provider", r.provider, "type", r.typ)}
	h.fill(s)
}

// history is an lrm_resource being filled.
type history struct {
	g    *generator
	node *node
	rsc  *rsc
	id   string
	el   *Element
}

func (h *history) fill(s stateOf) {
	g := h.g
	switch s {
	case stopped:
		h.op("last_0", "monitor", 0, 7, 7, 0)
	case started, promoted:
		role := "Unpromoted"
		if s == promoted {
			role = "Promoted"
		}
		h.running(role)
	case stoppedAgain:
		h.op("last_0", "stop", 0, 0, 0, 0)
	case failedMonitor:
		h.failedMonitor()
	case failedStart:
		rc := pick(g, 1, 1, 5, 6, 7)
		status := 0
		if g.chance(20) {
			rc, status = 1, 2 // timed out
		}
		h.op("last_failure_0", "start", 0, rc, 0, status)
		h.op("last_0", "start", 0, rc, 0, status)
		h.failCount("start", 0, pick(g, "1", "INFINITY", "INFINITY"))
	case failedStop:
		h.op("last_failure_0", "stop", 0, 1, 0, 0)
		h.op("last_0", "stop", 0, 1, 0, 0)
		h.failCount("stop", 0, pick(g, "1", "INFINITY"))
	case failedProbe:
		rc := pick(g, 1, 5, 6, 0, 8, 9)
		if rc >= 8 && h.rsc.typ != "Stateful" {
			rc = 1
		}
		h.op("last_failure_0", "monitor", 0, rc, 7, 0)
		h.op("last_0", "monitor", 0, rc, 7, 0)
	case pendingOp:
		h.op("last_0", pick(g, "start", "stop", "monitor"), 0, 193, 0, -1)
	case migratedAway:
		h.migration(0, 0)
	case migratingOut:
		if g.chance(50) {
			h.migration(193, -1)
		} else {
			h.migration(1, 0)
		}
	}
}

// running writes a good start and the monitors of the role.
func (h *history) running(role string) {
	if role == "Promoted" {
		h.op("last_0", "promote", 0, 0, 0, 0)
	} else if h.g.chance(85) {
		h.op("last_0", "start", 0, 0, 0, 0)
	} else {
		h.op("last_0", "monitor", 0, 0, 7, 0) // found running
	}
	for _, m := range h.rsc.monitors {
		if m.role != "" && m.role != role || h.g.when("partial", 8) {
			continue
		}
		rc := 0
		if m.role == "Promoted" {
			rc = 8
		}
		h.op(fmt.Sprintf("monitor_%d", m.seconds*1000), "monitor", m.seconds*1000, rc, rc, 0)
	}
}

// failedMonitor is a resource that ran and was then found failed.
func (h *history) failedMonitor() {
	if len(h.rsc.monitors) == 0 {
		h.running("Unpromoted")
		return
	}
	m := h.rsc.monitors[len(h.rsc.monitors)-1]
	target := 0
	name := "start"
	if len(h.rsc.monitors) == 2 && h.g.chance(50) {
		m, target, name = h.rsc.monitors[0], 8, "promote"
	}
	rc, status := pick(h.g, 1, 7, 7), 0
	if name == "promote" && h.g.chance(30) {
		rc = 9
	}
	if h.g.chance(20) {
		rc, status = 1, 2
	}
	h.op("last_0", name, 0, 0, 0, 0)
	h.op("last_failure_0", "monitor", m.seconds*1000, rc, target, status)
	if h.g.chance(50) {
		h.op(fmt.Sprintf("monitor_%d", m.seconds*1000), "monitor", m.seconds*1000, target, target, 0)
		// the failure came later than the last good result
		a, b := h.el.Kids[len(h.el.Kids)-2], h.el.Kids[len(h.el.Kids)-1]
		x, y := a.Attr("call-id"), b.Attr("call-id")
		a.replace("call-id", y)
		b.replace("call-id", x)
	}
	h.failCount("monitor", m.seconds*1000, pick(h.g, "1", "1", "2", "5", "INFINITY"))
}

// migration is a migrate_to from here, with its migrate_from left out or done elsewhere.
func (h *history) migration(rc, status int) {
	target := pick(h.g, h.g.nodes...)
	if target == h.node {
		h.op("last_0", "stop", 0, 0, 0, 0)
		return
	}
	e := h.op("last_0", "migrate_to", 0, rc, 0, status)
	e.set("migrate_source", h.node.name)
	e.set("migrate_target", target.name)
}

// failCount records failures, most of the time.
func (h *history) failCount(op string, ms int, value string) {
	if !h.g.chance(80) {
		return
	}
	key := fmt.Sprintf("%s#%s_%d", h.id, op, ms)
	if slices.Contains(h.node.transient, "fail-count-"+key) {
		return
	}
	h.node.transient = append(h.node.transient, "fail-count-"+key, value,
		"last-failure-"+key, strconv.Itoa(Now-pick(h.g, 10, 600, 100000)))
}

// op writes one lrm_rsc_op.
func (h *history) op(slot, name string, ms, rc, target, status int) *Element {
	h.g.calls++
	call := strconv.Itoa(h.g.calls)
	if status == -1 {
		call = "-1"
	}
	key := fmt.Sprintf("%d:1:%d:11111111-2222-3333-4444-555555555555", h.g.calls, target)
	age := pick(h.g, 50, 5000, 200000)
	digest := h.g.digest(h.rsc, ms)
	return h.el.add("lrm_rsc_op", "id", h.id+"_"+slot, "operation_key", fmt.Sprintf("%s_%s_%d", h.id, name, ms),
		"operation", name, "crm-debug-origin", "do_update_resource", "crm_feature_set", "3.16.1",
		"transition-key", key, "transition-magic", fmt.Sprintf("%d:%d;%s", status, rc, key),
		"exit-reason", "", "on_node", h.node.name, "call-id", call, "rc-code", strconv.Itoa(rc),
		"op-status", strconv.Itoa(status), "interval", strconv.Itoa(ms),
		"last-rc-change", strconv.Itoa(Now-age), "exec-time", "10", "queue-time", "0", "op-digest", digest)
}
