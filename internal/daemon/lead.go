package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/executor"
)

// office is this node's time as the leader: one term.
type office struct {
	ctx  context.Context
	end  context.CancelFunc
	mu   sync.Mutex
	duty *controller.Office // under mu
}

// ledgerPatience is how long a member may take to open its ledger. One that does not is asked again for as
// long as it is heard.
const ledgerPatience = 2 * time.Second

// barrierAgain is after how long a new leader tries the barrier of its term again. As long as the office lasts,
// nobody else decides: an office that gave up here would leave the cluster without anybody who does.
const barrierAgain = 100 * time.Millisecond

// ackPatience is how long a report waits to become a fact; then the node sends it again, with what came since.
const ackPatience = 2 * time.Second

// lead is called by the store when this node begins to lead, and when it ceases to.
func (d *Daemon) lead(leads bool, term uint64) {
	d.officeMu.Lock()
	old := d.office
	d.office = nil
	if leads {
		ctx, end := context.WithCancel(d.ctx)
		d.office = &office{ctx: ctx, end: end, duty: controller.NewOffice(term)}
	}
	now := d.office
	d.officeMu.Unlock()
	if old != nil {
		old.end()
		d.loop.put(controller.Follow{})
	}
	if now != nil {
		d.aside(func() { d.takeOffice(now) })
	}
	d.membersChanged()
}

// takeOffice hears the ledger of every member that can be reached before the controller decides anything:
// what earlier leaders ordered and nobody has acknowledged is thereby known, and a node that has opened its
// ledger takes no orders of an earlier term any more.
func (d *Daemon) takeOffice(o *office) {
	for err := d.store.Barrier(o.ctx); err != nil; err = d.store.Barrier(o.ctx) {
		d.log.Info("the barrier of a new term did not hold", "term", o.duty.Term, "error", err)
		select {
		case <-time.After(barrierAgain):
		case <-o.ctx.Done(): // somebody else leads, or nobody
			return
		}
	}
	o.mu.Lock()
	o.duty.Begin(d.cfg.Now())
	d.loop.put(controller.Lead{Term: o.duty.Term, State: d.store.View()})
	o.mu.Unlock()
	d.members.Poke()
	d.membersChanged()
}

// openLedger asks a node for its ledger. From then on the node takes no order of an earlier term.
func (d *Daemon) openLedger(o *office, node string) (l controller.Ledger, err error) {
	ctx, cancel := context.WithTimeout(o.ctx, ledgerPatience)
	defer cancel()
	body, err := json.Marshal(cib.Epoch{Term: o.duty.Term})
	if err != nil {
		return l, err
	}
	answer, err := d.call(ctx, node, serviceLedger, body)
	if err != nil {
		return l, err
	}
	var of executor.Ledger
	if err := json.Unmarshal(answer, &of); err != nil {
		return l, fmt.Errorf("the ledger of %s: %w", node, err)
	}
	return controller.LedgerOf(node, of.InFlight, of.Unacked), nil
}

// serveLedger opens this node's ledger to a new leader.
func (d *Daemon) serveLedger(_ context.Context, _ string, body []byte) ([]byte, error) {
	var epoch cib.Epoch
	if err := json.Unmarshal(body, &epoch); err != nil {
		return nil, err
	}
	l, err := d.executor.Ledger(epoch)
	if err != nil {
		return nil, err
	}
	return json.Marshal(l)
}

// leading is the office that this node holds, nil when it holds none.
func (d *Daemon) leading() *office {
	d.officeMu.Lock()
	defer d.officeMu.Unlock()
	return d.office
}

// inOffice is the office that this node holds and has begun: it knows all that earlier leaders had committed.
// Nil when there is none.
func (d *Daemon) inOffice() *office {
	o := d.leading()
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.duty.Begun() {
		return nil
	}
	return o
}

// serveResult is the leader's part of a report: it answers once the results are committed.
func (d *Daemon) serveResult(ctx context.Context, from string, body []byte) ([]byte, error) {
	var results []cib.OpResult
	if err := json.Unmarshal(body, &results); err != nil {
		return nil, err
	}
	o := d.inOffice()
	if o == nil {
		return nil, errElsewhere
	}
	ctx, cancel := context.WithTimeout(ctx, ackPatience)
	defer cancel()
	if err := d.acks.wait(ctx, o.ctx, from, results, func() { d.loop.put(controller.Reported{Results: results}) }); err != nil {
		return nil, err
	}
	return json.Marshal(d.store.View().Index)
}

// Report hands results to the controller, wherever it is, and returns when they are committed.
func (d *Daemon) Report(ctx context.Context, results []cib.OpResult) error {
	index, err := ask[uint64](ctx, d, serviceResult, results)
	if err != nil {
		return err
	}
	d.told.add(told{d.store.View().Cluster.Generation, index, results})
	return nil
}

// told are results that the leader has committed, as of an index.
type told struct {
	generation, index uint64
	results           []cib.OpResult
}

// tellings are results that are facts, but maybe not yet in this node's own copy of the state: who is cut off in this
// moment must know what it has started.
type tellings struct {
	mu   sync.Mutex
	list []told
}

func (t *tellings) add(r told) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.list, r)
}

// beyond lists the results that a state does not have, and forgets the others.
func (t *tellings) beyond(generation, index uint64) []cib.OpResult {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = slices.DeleteFunc(t.list, func(r told) bool { return r.generation != generation || r.index <= index })
	var out []cib.OpResult
	for _, r := range t.list {
		out = append(out, r.results...)
	}
	return out
}

// acks are the reports that wait until what they tell is committed.
type acks struct {
	mu      sync.Mutex
	waiting map[ack][]chan struct{}
}

type ack struct {
	node   string
	serial uint64
}

// wait registers results, has them put, and waits until each has been acknowledged.
func (a *acks) wait(ctx, office context.Context, node string, results []cib.OpResult, put func()) error {
	var all []chan struct{}
	a.mu.Lock()
	if a.waiting == nil {
		a.waiting = map[ack][]chan struct{}{}
	}
	for i := range results {
		c := make(chan struct{})
		k := ack{node, results[i].Serial}
		a.waiting[k] = append(a.waiting[k], c)
		all = append(all, c)
	}
	a.mu.Unlock()
	defer a.forget(node, results, all)
	put()
	for _, c := range all {
		select {
		case <-c:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-office.Done():
			return errElsewhere
		}
	}
	return nil
}

func (a *acks) forget(node string, results []cib.OpResult, all []chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range results {
		k := ack{node, results[i].Serial}
		var rest []chan struct{}
		for _, c := range a.waiting[k] {
			if c != all[i] {
				rest = append(rest, c)
			}
		}
		if rest == nil {
			delete(a.waiting, k)
		} else {
			a.waiting[k] = rest
		}
	}
}

// done acknowledges one result.
func (a *acks) done(node string, serial uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := ack{node, serial}
	for _, c := range a.waiting[k] {
		close(c)
	}
	delete(a.waiting, k)
}

var errDaemonEnds = errors.New("the daemon ends")
