package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// What a resource is on a node, in truth.
type role int

const (
	stopped role = iota
	started
	promoted
)

// agent is a process that carries an operation out. It goes on when the daemon ends.
type agent struct {
	began  time.Time
	ended  bool
	rc     int
	reason string
	then   func()
}

// callAgent calls the agent of a resource.
func (n *Node) callAgent(op *cib.Operation, call int) *agent {
	a := &agent{began: n.now()}
	n.host(n.w.vary(n.w.delay.Operation), func() {
		a.rc, a.reason = n.act(op, call)
		a.ended = true
		if a.then != nil {
			a.then()
		}
	})
	return a
}

// act carries an operation out, in truth.
func (n *Node) act(op *cib.Operation, call int) (rc int, reason string) {
	rsc := op.Resource
	if rc, ok := n.w.failing[n.Name+" "+rsc+" "+op.Name]; ok && (op.Name != "monitor" || op.IntervalMS > 0) {
		n.w.count("agent fails")
		if op.Name == "start" && rc != cib.RCNotRunning {
			n.become(rsc, started) // who knows
		}
		return rc, "made to fail"
	}
	switch op.Name {
	case "start":
		n.become(rsc, max(started, n.runs[rsc]))
	case "stop":
		for key, m := range n.ledger.monitors {
			if m.op.Resource == rsc {
				delete(n.ledger.monitors, key)
			}
		}
		n.become(rsc, stopped)
	case "promote", "demote":
		if n.runs[rsc] == stopped {
			return cib.RCNotRunning, ""
		}
		n.become(rsc, map[string]role{"promote": promoted, "demote": started}[op.Name])
	case "monitor":
		rc := n.observe(rsc)
		if op.IntervalMS > 0 {
			n.ledger.monitors[fmt.Sprintf("%s_%d", rsc, op.IntervalMS)] = &monitor{op: *op, call: call, rc: rc}
		}
		return rc, ""
	case "cancel":
		delete(n.ledger.monitors, fmt.Sprintf("%s_%d", rsc, op.IntervalMS))
	case "migrate_to":
		target := n.w.Node(attr(op, "CRM_meta_migrate_target"))
		way, back := [2]*Node{n, target}, [2]*Node{target, n}
		if n.runs[rsc] == stopped || !target.Alive || target.paused || n.w.cuts[way] || n.w.cuts[back] {
			return cib.RCError, "cannot migrate"
		}
		n.become(rsc, stopped)
		target.become(rsc, started)
	case "migrate_from":
		if n.runs[rsc] == stopped {
			return cib.RCError, "it has not arrived"
		}
	}
	return cib.RCOk, ""
}

func attr(op *cib.Operation, name string) string {
	for _, a := range op.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// become changes what is true of a resource on a node.
func (n *Node) become(rsc string, r role) {
	if was := n.runs[rsc]; was != r && !n.w.device(rsc) {
		n.w.mark(n, strings.TrimSpace(map[role]string{stopped: "- " + rsc, started: "+ " + rsc, promoted: "* " + rsc}[r]))
	}
	n.runs[rsc] = r
	n.w.checkTwice(rsc)
}

// observe is what a monitor finds.
func (n *Node) observe(rsc string) int {
	return map[role]int{stopped: cib.RCNotRunning, started: cib.RCOk, promoted: cib.RCPromoted}[n.runs[rsc]]
}

// Fail has an agent fail with rc whenever it is called for a task on a node, until rc 0 is given.
func (w *World) Fail(node, resource, task string, rc int) {
	key := node + " " + resource + " " + task
	if rc == 0 {
		delete(w.failing, key)
		return
	}
	w.trace("** %s will fail with rc %d", key, rc)
	w.failing[key] = rc
}

// Break ends a resource on a node without anybody having asked for it. Its monitors notice.
func (w *World) Break(name, resource string) {
	n := w.Node(name)
	if !n.Runs(resource) {
		return
	}
	w.trace("** %s breaks on %s", resource, name)
	w.count("service breaks")
	n.become(resource, stopped)
	n.host(w.vary(w.delay.Operation), func() {
		for _, key := range sorted(n.ledger.monitors) {
			m := n.ledger.monitors[key]
			if rc := n.observe(resource); m.op.Resource == resource && rc != m.rc {
				m.rc = rc
				n.result(&m.op, nil, m.call, rc, cib.OpDone, "", n.now())
			}
		}
		if n.d != nil {
			n.report()
		}
	})
}
