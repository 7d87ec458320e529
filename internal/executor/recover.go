package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// resume takes up what the ledger says: what is known of resources, results that nobody has acknowledged,
// recurring operations, and operations that an earlier daemon had taken on.
func (e *Executor) resume() error {
	saved, err := e.led.load()
	if err != nil {
		return err
	}
	e.outbox = saved.unacked
	if len(e.outbox) > 0 {
		e.wakeReporter()
	}
	for resource, state := range saved.states {
		e.lane(resource).state = state
	}
	for resource, w := range saved.work {
		e.lane(resource).left = w
	}
	now := e.cfg.Now()
	for i := range saved.recurring {
		s := &saved.recurring[i]
		r := &recurring{savedRecurring: *s, op: s.Op}
		l := e.lane(s.Op.Resource)
		l.recurring[recurKey{s.Op.Name, s.Op.IntervalMS}] = r
		if l.left != nil && l.left.is(&s.Op) { // a run was going on
			e.enqueue(l, &task{op: s.Op, callID: s.CallID, queued: now, rec: r, again: true, revived: true})
			continue
		}
		interval := time.Duration(s.Op.IntervalMS) * time.Millisecond
		e.rearm(l, r, min(interval, time.UnixMilli(s.LastRun).Add(interval).Sub(now)))
	}
	for _, rec := range saved.begun {
		t := &task{op: rec.Op, callID: rec.CallID, queued: now, revived: true, waited: rec.State == opAccepted}
		e.cfg.Log.Info("an operation was going on when the daemon ended", "op", t.op.Name, "resource", t.op.Resource, "plan", t.op.Epoch.String(), "state", rec.State)
		if l := e.lane(t.op.Resource); rec.State == opBegun && l.left == nil { // its agent may have been about to start
			l.left = &work{Op: rec.Op.Brief(), Begun: now.UnixMilli()}
		}
		e.take(t)
	}
	return nil
}

// recover finds out what became of an operation that an earlier daemon had begun, or had taken on, and whose agent has
// ended: it asks the agent how things stand. What can be done twice without harm is done once more.
func (e *Executor) recover(ctx context.Context, t *task) driver.Result {
	op := &t.op
	switch op.Name {
	case "start", "stop", "promote", "demote", "migrate_to", "migrate_from":
	default:
		return e.call(ctx, t, op.Name)
	}
	found := e.call(ctx, t, "monitor")
	if ctx.Err() != nil {
		return found
	}
	done := found.Status == cib.OpDone
	running := found.RC == cib.RCOk || found.RC == cib.RCPromoted || found.RC == cib.RCDegraded || found.RC == cib.RCDegradedProm
	promoted := found.RC == cib.RCPromoted || found.RC == cib.RCDegradedProm
	ok := false
	switch op.Name {
	case "start", "migrate_from":
		ok = done && running
	case "stop":
		if !done || found.RC != cib.RCNotRunning {
			return e.call(ctx, t, op.Name) // stopping what is stopped is a success
		}
		ok = true
	case "promote":
		ok = done && promoted
	case "demote":
		ok = done && running && !promoted
	case "migrate_to":
		ok = done && found.RC == cib.RCNotRunning
	}
	if ok {
		return driver.Result{RC: cib.RCOk, Status: cib.OpDone, Output: found.Output}
	}
	if t.waited && done && found.RC == cib.RCNotRunning && op.Name == "start" {
		return driver.Result{RC: cib.RCError, Status: cib.OpCancelled, Reason: "not begun: the daemon was restarted before its turn came"}
	}
	reason := fmt.Sprintf("the daemon was restarted during the %s, after which the agent's monitor says %d", op.Name, found.RC)
	if found.Reason != "" {
		reason += ": " + found.Reason
	}
	return driver.Result{RC: cib.RCError, Status: cib.OpError, Reason: reason, Output: found.Output}
}

// is reports whether it is a run of an operation.
func (w *work) is(op *cib.Operation) bool {
	return w.Op.Name == op.Name && w.Op.IntervalMS == op.IntervalMS && w.Op.Epoch == op.Epoch && w.Op.Action == op.Action
}

// clear waits until what an earlier daemon has left at work on the resource has ended. It may take the time that it has
// left; a monitor that nobody waits for any more is ended at once. false: the context has ended first.
func (e *Executor) clear(ctx context.Context, l *lane, t *task) bool {
	e.mu.Lock()
	w := l.left
	e.mu.Unlock()
	if w == nil {
		return true
	}
	p, found := w.Process, true
	if p.PID == 0 {
		p, found = e.cfg.Find(marker(&w.Op, e.cfg.BootID), w.Op.Type)
	}
	left := max(time.UnixMilli(w.Begun).Add(timeoutOf(&w.Op)).Sub(e.cfg.Now()), 0)
	if w.Op.IntervalMS > 0 && !w.is(&t.op) {
		left = 0
	}
	if found && !e.cfg.Await(ctx, p, left) && ctx.Err() == nil && left > 0 {
		e.cfg.Log.Warn("an operation that had been going on when the daemon ended has not ended in its time", "op", w.Op.Name, "resource", l.resource, "pid", p.PID)
	}
	if errors.Is(context.Cause(ctx), driver.ErrAbandoned) {
		return false // the next daemon waits for it
	}
	e.led.atWork(l.resource, nil)
	e.mu.Lock()
	l.left = nil
	e.mu.Unlock()
	return ctx.Err() == nil
}
