package executor

import (
	"context"
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
	now := e.cfg.Now()
	for i := range saved.recurring {
		s := &saved.recurring[i]
		r := &recurring{savedRecurring: *s, op: s.Op}
		l := e.lane(s.Op.Resource)
		l.recurring[recurKey{s.Op.Name, s.Op.IntervalMS}] = r
		if s.Process.PID != 0 { // a run was going on
			r.Process = driver.Process{}
			e.enqueue(l, &task{op: s.Op, callID: s.CallID, queued: now, rec: r, again: true, revived: true, process: s.Process, begun: time.UnixMilli(s.Begun)})
			continue
		}
		interval := time.Duration(s.Op.IntervalMS) * time.Millisecond
		e.rearm(l, r, min(interval, time.UnixMilli(s.LastRun).Add(interval).Sub(now)))
	}
	for _, rec := range saved.begun {
		t := &task{op: rec.Op, callID: rec.CallID, queued: now, revived: true, process: rec.Process, begun: time.UnixMilli(rec.Begun)}
		e.cfg.Log.Info("an operation was going on when the daemon ended", "op", t.op.Name, "resource", t.op.Resource, "plan", t.op.Epoch.String(), "pid", rec.Process.PID)
		if rec.State == opAccepted {
			t.begun = now
		}
		e.take(t)
	}
	return nil
}

// recover finds out what became of an operation that an earlier daemon had begun, or had taken on: it waits for
// the agent to end, and then asks it how things stand. What can be done twice without harm is done once more.
func (e *Executor) recover(ctx context.Context, t *task) driver.Result {
	op := &t.op
	e.await(ctx, t)
	if ctx.Err() != nil {
		return driver.Result{RC: cib.RCError, Status: cib.OpCancelled, Reason: "cancelled"}
	}
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
	reason := fmt.Sprintf("the daemon was restarted during the %s, after which the agent's monitor says %d", op.Name, found.RC)
	if found.Reason != "" {
		reason += ": " + found.Reason
	}
	return driver.Result{RC: cib.RCError, Status: cib.OpError, Reason: reason, Output: found.Output}
}

// await waits for the agent's process to end, for as long as the operation may take; then its group is killed.
func (e *Executor) await(ctx context.Context, t *task) {
	p := t.process
	if p.PID == 0 {
		var found bool
		if p, found = e.cfg.Find(marker(&t.op, e.cfg.BootID), t.op.Type); !found {
			return
		}
	}
	left := t.begun.Add(timeoutOf(&t.op)).Sub(e.cfg.Now())
	if !e.cfg.Await(ctx, p, max(left, 0)) {
		e.cfg.Log.Warn("an operation that had been going on when the daemon ended has not ended in its time", "op", t.op.Name, "resource", t.op.Resource, "pid", p.PID)
	}
}
