package replay

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// What a resource is on a node, in truth.
type role int

const (
	stopped role = iota
	started
	promoted
)

// Node is a model of a node: its host, what truly runs there, its daemon and its executor.
type Node struct {
	ID, Name string
	Alive    bool // the host is on
	Daemon   bool // the daemon runs

	w         *World
	ctl       *controller.Controller
	told      controller.Members
	wake      time.Time
	heard     time.Time // by the leader
	lastBoot  string    // as the leader heard
	lastReady bool
	open      bool // its ledger is known to the leader
	boots     int
	side      int // of a partition
	leaving   bool
	lone      bool // it is doing what no-quorum-policy says

	runs     map[string]role
	seen     cib.Epoch
	known    map[orderKey]bool // orders ever received
	queues   map[string][]*order
	monitors map[string]*monitor
	unacked  []cib.OpResult
	serial   uint64
	calls    int
	retry    time.Time
}

type orderKey struct {
	epoch  cib.Epoch
	action int
}

// order is an operation on a node, waiting or being carried out.
type order struct {
	op   cib.Operation
	boot int
	busy bool
	then func(ok bool) // for those that the node gave itself
}

// monitor is a recurring operation.
type monitor struct {
	op   cib.Operation
	call int
	rc   int
}

func newNode(w *World, id, name string) *Node {
	n := &Node{ID: id, Name: name, w: w, Alive: true, Daemon: true, boots: 1, heard: w.Now}
	n.empty()
	return n
}

// empty is what a boot leaves: nothing.
func (n *Node) empty() {
	n.runs, n.known, n.queues, n.monitors = map[string]role{}, map[orderKey]bool{}, map[string][]*order{}, map[string]*monitor{}
	n.unacked, n.seen, n.leaving, n.lone = nil, cib.Epoch{}, false, false
}

func (n *Node) boot() string { return fmt.Sprintf("%s-boot%d", n.Name, n.boots) }

// Runs reports whether something runs on the node, in truth.
func (n *Node) Runs(resource string) bool { return n.Alive && n.runs[resource] != stopped }

// bind has the node refuse orders of earlier epochs.
func (n *Node) bind(e cib.Epoch) {
	if n.seen.Less(e) {
		n.seen = e
	}
}

// inFlight is what the node is doing, or has to do.
func (n *Node) inFlight() []cib.Operation {
	var out []cib.Operation
	for _, rsc := range sorted(n.queues) {
		for _, o := range n.queues[rsc] {
			if o.then == nil {
				out = append(out, o.op)
			}
		}
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// receive takes an order from a leader.
func (n *Node) receive(op cib.Operation) {
	w := n.w
	key := orderKey{op.Epoch, op.Action}
	if n.known[key] && op.Name != "do_shutdown" {
		n.report()
		return
	}
	if op.Epoch.Less(n.seen) {
		w.trace("%s refuses an order of epoch %s", n.Name, op.Epoch)
		w.after(w.vary(w.delay.Link), func() {
			if w.leader != nil && w.reach(w.leader, n) {
				w.step(w.leader, controller.Undelivered{Op: op, Err: "a later epoch has been seen", Refused: true})
			}
		})
		return
	}
	n.bind(op.Epoch)
	n.lone = false
	if op.Name == "do_shutdown" {
		if !n.leaving {
			n.leaving = true
			w.tellMembers(w.leader)
			w.after(w.delay.Operation, n.StopDaemon)
		}
		return
	}
	n.known[key] = true
	n.enqueue(&order{op: op, boot: n.boots})
}

func (n *Node) enqueue(o *order) {
	rsc := o.op.Resource
	n.queues[rsc] = append(n.queues[rsc], o)
	n.pump(rsc)
}

// pump begins the first operation of a resource's queue, one at a time.
func (n *Node) pump(rsc string) {
	q := n.queues[rsc]
	if len(q) == 0 || q[0].busy {
		return
	}
	o := q[0]
	o.busy = true
	n.w.checkBegin(n, &o.op)
	n.calls++
	call, begun := n.calls, n.w.Now
	n.w.after(n.w.vary(n.w.delay.Operation), func() {
		if o.boot != n.boots || !n.Alive {
			return
		}
		n.queues[rsc] = n.queues[rsc][1:]
		if len(n.queues[rsc]) == 0 {
			delete(n.queues, rsc)
		}
		rc, reason := n.act(&o.op, call)
		n.result(&o.op, call, rc, reason, begun)
		if o.then != nil {
			o.then(rc == o.op.TargetRC)
		}
		n.pump(rsc)
	})
}

// act carries an operation out, in truth.
func (n *Node) act(op *cib.Operation, call int) (rc int, reason string) {
	rsc := op.Resource
	if rc, ok := n.w.failing[n.Name+" "+rsc+" "+op.Name]; ok && (op.Name != "monitor" || op.IntervalMS > 0) {
		if op.Name == "start" && rc != cib.RCNotRunning {
			n.become(rsc, started) // who knows
		}
		return rc, "made to fail"
	}
	switch op.Name {
	case "start":
		n.become(rsc, max(started, n.runs[rsc]))
	case "stop":
		for key, m := range n.monitors {
			if m.op.Resource == rsc {
				delete(n.monitors, key)
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
			n.monitors[fmt.Sprintf("%s_%d", rsc, op.IntervalMS)] = &monitor{op: *op, call: call, rc: rc}
		}
		return rc, ""
	case "cancel":
		delete(n.monitors, fmt.Sprintf("%s_%d", rsc, op.IntervalMS))
	case "migrate_to":
		target := n.w.Node(attr(op, "CRM_meta_migrate_target"))
		if n.runs[rsc] == stopped || !n.w.reach(n, target) {
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

func (n *Node) become(rsc string, r role) {
	n.runs[rsc] = r
	n.w.checkTwice(rsc)
}

// observe is what a monitor finds.
func (n *Node) observe(rsc string) int {
	return map[role]int{stopped: cib.RCNotRunning, started: cib.RCOk, promoted: cib.RCPromoted}[n.runs[rsc]]
}

// result writes down what became of an operation, and reports it.
func (n *Node) result(op *cib.Operation, call, rc int, reason string, begun time.Time) {
	n.serial++
	params := map[string]string{}
	for _, a := range op.Attrs {
		params[a.Name] = a.Value
	}
	n.unacked = append(n.unacked, cib.OpResult{Op: op.Brief(), BootID: n.boot(), Serial: n.serial, CallID: call, RC: rc, Reason: reason,
		Started: begun.Unix(), Changed: n.w.Now.Unix(), ExecMS: n.w.Now.Sub(begun).Milliseconds(),
		Digest: cib.Digest(params, func(name string) bool {
			if name == "CRM_meta_timeout" {
				return op.IntervalMS == 0
			}
			return name == "crm_feature_set" || len(name) > 9 && name[:9] == "CRM_meta_"
		})})
	n.report()
}

// report sends the leader what it has not acknowledged, again and again.
func (n *Node) report() {
	if len(n.unacked) == 0 || !n.Alive || !n.Daemon {
		return
	}
	w, batch, boot := n.w, slices.Clone(n.unacked), n.boots
	if l := w.leader; l != nil && w.reach(n, l) {
		w.after(w.vary(w.delay.Link), func() {
			if w.leader == l && w.reach(n, l) && n.boots == boot && !w.mishap() {
				w.step(l, controller.Reported{Results: batch})
			}
		})
	}
	if !w.Now.Before(n.retry) {
		n.retry = w.Now.Add(500 * time.Millisecond)
		w.after(500*time.Millisecond, n.report)
	}
}

func (n *Node) acknowledged(serial uint64) {
	n.unacked = slices.DeleteFunc(n.unacked, func(r cib.OpResult) bool { return r.Serial == serial })
}
