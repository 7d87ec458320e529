package replay

import (
	"fmt"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/membership"
)

// ledger is what a node's executor has written down. All of it is void after a boot, but for the term.
type ledger struct {
	epoch    cib.Epoch
	ops      map[orderKey]*record
	order    []*record // of ops, as they came
	unacked  []cib.OpResult
	monitors map[string]*monitor
	serial   uint64
	calls    int
	votes    *membership.Memory // what the counting of votes remembers
}

type orderKey struct {
	epoch  cib.Epoch
	action int
}

// record is an operation that was ordered.
type record struct {
	op     cib.Operation
	call   int
	begun  bool
	done   bool
	result *cib.OpResult
	agent  *agent    // that carries it out
	seen   cib.Epoch // the highest when it was taken
}

// monitor is a recurring operation.
type monitor struct {
	op   cib.Operation
	call int
	rc   int
}

// hands are a daemon's executor: a queue a resource.
type hands struct {
	queues    map[string][]*task
	reporting bool
	report    int // number of the last one
}

// task is an operation that is going on, or waits to.
type task struct {
	rec     *record
	busy    bool
	revived bool          // an earlier daemon had taken it on
	then    func(ok bool) // for those that the node gave itself
}

// raise has the node refuse orders of earlier epochs.
func (n *Node) raise(e cib.Epoch) {
	if !n.ledger.epoch.Less(e) {
		return
	}
	n.ledger.epoch = e
	n.ledger.order = slices.DeleteFunc(n.ledger.order, func(r *record) bool {
		old := r.done && r.op.Epoch != e
		if old {
			delete(n.ledger.ops, orderKey{r.op.Epoch, r.op.Action})
		}
		return old
	})
}

// openLedger tells a new leader what there is, and takes no order of an earlier one any more.
func (n *Node) openLedger(e cib.Epoch) (l controller.Ledger, ok bool) {
	if e.Term < n.ledger.epoch.Term {
		return l, false
	}
	n.raise(e)
	for _, r := range n.ledger.order {
		if !r.done {
			l.InFlight = append(l.InFlight, r.op)
		}
	}
	l.Unacked = slices.Clone(n.ledger.unacked)
	return l, true
}

// receive takes an order from a leader. It is answered once it is written down.
func (n *Node) receive(op cib.Operation, answer func(stale bool)) {
	if op.Name == "do_shutdown" {
		n.leave()
		answer(false)
		return
	}
	if r := n.ledger.ops[orderKey{op.Epoch, op.Action}]; r != nil {
		n.resend(r)
		answer(false)
		return
	}
	if op.Epoch.Less(n.ledger.epoch) && !n.w.cfg.Plant.AnyEpoch {
		n.w.count("order of an earlier epoch")
		n.w.trace("%s refuses an order of epoch %s", n.Name, op.Epoch)
		answer(true)
		return
	}
	r := n.accept(op)
	if n.killed("accepted") {
		return
	}
	n.enqueue(&task{rec: r})
	if n.lag > 0 {
		n.afterReal(n.w.vary(n.lag), func() { answer(false) })
		return
	}
	answer(false)
}

func (n *Node) accept(op cib.Operation) *record {
	n.raise(op.Epoch)
	n.ledger.calls++
	r := &record{op: op, call: n.ledger.calls, seen: n.ledger.epoch}
	n.ledger.ops[orderKey{op.Epoch, op.Action}] = r
	n.ledger.order = append(n.ledger.order, r)
	return r
}

// killed ends the daemon at a point that was chosen for it.
func (n *Node) killed(point string) bool {
	if n.killAt != point {
		return false
	}
	n.killAt = ""
	if point == "done" {
		n.w.count("crash between result written and sent")
	} else {
		n.w.count("crash between order written and begun")
	}
	n.kill(", its ledger says " + point)
	return true
}

// resend reports the result of an order that was given again.
func (n *Node) resend(r *record) {
	if !r.done || r.result == nil {
		return
	}
	if !slices.ContainsFunc(n.ledger.unacked, func(x cib.OpResult) bool { return x.Serial == r.result.Serial }) {
		n.ledger.unacked = append(n.ledger.unacked, *r.result)
	}
	n.report()
}

// resumeHands takes up what an earlier daemon of this boot has left.
func (n *Node) resumeHands() {
	n.d.hands = hands{queues: map[string][]*task{}}
	for _, r := range n.ledger.order {
		if !r.done {
			n.enqueue(&task{rec: r, revived: true})
		}
	}
	n.report()
}

func (n *Node) enqueue(t *task) {
	h, rsc := &n.d.hands, t.rec.op.Resource
	h.queues[rsc] = append(h.queues[rsc], t)
	n.pump(rsc)
}

// active are the resources that are active here, or about to be, as far as the node knows.
func (n *Node) active() []string {
	list := sorted(n.d.hands.queues)
	for _, rsc := range sorted(n.runs) {
		if n.runs[rsc] != stopped {
			list = append(list, rsc)
		}
	}
	return list
}

// needsLease reports whether an operation makes something active that others may have taken over.
func needsLease(op *cib.Operation) bool {
	return (op.Name == "start" || op.Name == "promote") && op.Class != "stonith"
}

// pump begins the first operation of a resource's queue.
func (n *Node) pump(rsc string) {
	q := n.d.hands.queues[rsc]
	if len(q) == 0 || q[0].busy {
		return
	}
	t := q[0]
	t.busy = true
	r := t.rec
	switch {
	case t.revived && r.agent != nil:
		n.await(t)
	case t.revived:
		n.after(10*time.Millisecond, func() { n.recover(t) })
	case needsLease(&r.op) && !n.mayAct():
		n.w.count("order without a lease")
		n.w.trace("%s does not begin: %s, its lease is over", n.Name, operation(&r.op))
		n.afterReal(0, func() { n.finish(t, cib.RCError, cib.OpCancelled, "the lease was over") })
	default:
		r.begun = true
		n.w.checkBegin(n, r)
		r.agent = n.callAgent(&r.op, r.call)
		n.await(t)
	}
}

// await waits for an agent to end.
func (n *Node) await(t *task) {
	a := t.rec.agent
	ended := func() {
		if t.revived {
			n.recover(t)
			return
		}
		n.finish(t, a.rc, cib.OpDone, a.reason)
	}
	if a.ended {
		n.afterReal(0, ended)
		return
	}
	d := n.d
	a.then = func() {
		if n.d == d {
			ended()
		}
	}
}

// recover finds out what became of an operation that an earlier daemon had taken on.
func (n *Node) recover(t *task) {
	op := &t.rec.op
	found := n.observe(op.Resource)
	running := found == cib.RCOk || found == cib.RCPromoted
	ok := false
	switch op.Name {
	case "start", "migrate_from":
		ok = running
	case "promote":
		ok = found == cib.RCPromoted
	case "demote":
		ok = found == cib.RCOk
	case "migrate_to":
		ok = found == cib.RCNotRunning
	case "stop":
		if ok = found == cib.RCNotRunning; !ok {
			t.rec.agent, t.revived = n.callAgent(op, t.rec.call), false
			n.await(t)
			return
		}
	default:
		t.rec.agent, t.revived = n.callAgent(op, t.rec.call), false
		n.await(t)
		return
	}
	switch {
	case ok:
		n.finish(t, cib.RCOk, cib.OpDone, "")
	case !t.rec.begun && op.Name == "start" && found == cib.RCNotRunning:
		n.finish(t, cib.RCError, cib.OpCancelled, "the daemon was restarted before it began")
	default:
		n.finish(t, cib.RCError, cib.OpError, fmt.Sprintf("the daemon was restarted during it, and finds %d", found))
	}
}

// finish writes down what became of an operation, reports it, and begins the next.
func (n *Node) finish(t *task, rc, status int, reason string) {
	r, h := t.rec, &n.d.hands
	h.queues[r.op.Resource] = h.queues[r.op.Resource][1:]
	if len(h.queues[r.op.Resource]) == 0 {
		delete(h.queues, r.op.Resource)
	}
	began := n.now()
	if r.agent != nil {
		began = r.agent.began
	}
	n.result(&r.op, r, r.call, rc, status, reason, began)
	if n.killed("done") {
		return
	}
	n.report()
	if t.then != nil {
		t.then(status == cib.OpDone && rc == r.op.TargetRC)
	}
	n.pump(r.op.Resource)
}

// result writes a result down.
func (n *Node) result(op *cib.Operation, rec *record, call, rc, status int, reason string, began time.Time) {
	n.ledger.serial++
	params := map[string]string{}
	for _, a := range op.Attrs {
		params[a.Name] = a.Value
	}
	res := cib.OpResult{Op: op.Brief(), BootID: n.boot(), Serial: n.ledger.serial, CallID: call, RC: rc, Status: status, Reason: reason,
		Started: began.Unix(), Changed: n.now().Unix(), ExecMS: n.now().Sub(began).Milliseconds(),
		Digest: cib.Digest(params, func(name string) bool {
			if name == "CRM_meta_timeout" {
				return op.IntervalMS == 0
			}
			return name == "crm_feature_set" || len(name) > 9 && name[:9] == "CRM_meta_"
		})}
	if rec != nil {
		rec.done, rec.result = true, &res
	}
	n.ledger.unacked = append(n.ledger.unacked, res)
}

// report takes to the leader what is no fact yet, again and again.
func (n *Node) report() {
	d := n.d
	if d.hands.reporting || len(n.ledger.unacked) == 0 {
		return
	}
	d.hands.reporting = true
	d.hands.report++
	number := d.hands.report
	again := func() {
		if d.hands.report == number { // otherwise another leader has been told meanwhile
			d.hands.reporting = false
			n.report()
		}
	}
	l := d.leader
	if l == nil {
		n.after(100*time.Millisecond, again)
		return
	}
	batch := slices.Clone(n.ledger.unacked)
	n.call(l, ackPatience, func(answer func(func())) {
		taken := l.takeReport(n.Name, batch, func() {
			gen, index := l.disk.gen, l.d.commit.index
			if n.deaf {
				n.w.count("acknowledgement lost")
				return
			}
			answer(func() {
				d.told = append(d.told, told{gen, index, batch})
				n.ledger.unacked = slices.DeleteFunc(n.ledger.unacked, func(r cib.OpResult) bool {
					return slices.ContainsFunc(batch, func(b cib.OpResult) bool { return b.Serial == r.Serial })
				})
				again()
			})
		})
		if !taken {
			answer(func() { n.after(20*time.Millisecond, again) })
		}
	}, func() { n.after(50*time.Millisecond, again) })
}
