package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/secret"
)

// defaultTimeout is for operations that come without one.
const defaultTimeout = 20 * time.Second

// run carries out one task, in a goroutine of its own.
func (e *Executor) run(ctx context.Context, l *lane, t *task) {
	defer e.wg.Done()
	defer t.cancel(nil)
	began := e.cfg.Now()
	if t.ordered() && !t.revived {
		e.led.begin(t.op, t.callID)
	}
	res := driver.Result{RC: cib.RCError, Status: cib.OpCancelled, Reason: "cancelled"}
	if e.clear(ctx, l, t) {
		res = e.discreet(ctx, &t.op, e.perform(ctx, l, t))
	}
	if errors.Is(context.Cause(ctx), driver.ErrAbandoned) {
		return // the next daemon finds it in the ledger
	}
	out := e.resultOf(ctx, t, res, began)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return
	}
	e.finish(l, t, out)
	e.release(l, t)
}

// perform does what the operation says.
func (e *Executor) perform(ctx context.Context, l *lane, t *task) driver.Result {
	op := &t.op
	switch {
	case op.Target != "" && op.Target != e.cfg.Node,
		op.Class == "ocf" && op.Provider == "pacemaker" && op.Type == "remote":
		return driver.Result{RC: cib.RCUnimplemented, Status: cib.OpNotSupported, Reason: "Pacemaker Remote nodes are not supported yet"}
	case op.Name == "cancel", op.Name == "delete":
		return driver.Result{RC: cib.RCOk, Status: cib.OpDone}
	case op.Name == "lrm_refresh":
		e.refresh(l)
		return driver.Result{RC: cib.RCOk, Status: cib.OpDone}
	case t.rec != nil && t.ordered() && op.TargetRC != cib.RCNotRunning && e.stateOf(l) == stopped:
		return driver.Result{RC: cib.RCNotRunning, Status: cib.OpCancelled,
			Reason: fmt.Sprintf("%s is not active on this node: nothing to watch", op.Resource)}
	case !t.revived && needsLease(op) && !e.cfg.Lease():
		return driver.Result{RC: cib.RCError, Status: cib.OpCancelled,
			Reason: fmt.Sprintf("not begun: the lease of %s was over, and the resource may be active elsewhere by now", e.cfg.Node)}
	case op.Class == "stonith":
		return e.device(ctx, l, t)
	case t.revived:
		return e.recover(ctx, t)
	}
	return e.call(ctx, t, op.Name)
}

// needsLease reports whether an operation makes something active here that others may have taken over, once they
// have given this node up. Fence devices are no such thing.
func needsLease(op *cib.Operation) bool {
	switch op.Name {
	case "start", "promote":
		return op.Class != "stonith"
	}
	return false
}

// call calls the agent.
func (e *Executor) call(ctx context.Context, t *task, action string) driver.Result {
	op := &t.op
	params, err := secret.Fill(op.Resource, op.Attrs, e.cfg.Secrets)
	if err != nil {
		return driver.Result{RC: cib.RCError, Status: cib.OpNoSecrets, Reason: err.Error()}
	}
	r := driver.Request{Class: op.Class, Provider: op.Provider, Type: op.Type, Resource: op.Resource,
		Action: e.actionName(ctx, op, action), Params: params, Timeout: timeoutOf(op), Env: []string{marker(op, e.cfg.BootID)}}
	w := &work{Op: op.Brief(), Begun: e.cfg.Now().UnixMilli()}
	if !t.ordered() || t.revived { // else the ledger says that it has begun
		e.led.atWork(op.Resource, w)
	}
	r.Started = func(p driver.Process) {
		w.Process = p
		e.led.atWork(op.Resource, w)
	}
	res := e.cfg.Driver.Run(ctx, r)
	if !errors.Is(context.Cause(ctx), driver.ErrAbandoned) {
		e.led.atWork(op.Resource, nil)
	}
	return res
}

// discreet takes the operation's secrets out of what an agent said: it goes into the state, into logs and to people.
func (e *Executor) discreet(ctx context.Context, op *cib.Operation, res driver.Result) driver.Result {
	if len(op.Attrs) == 0 || res.Reason == "" && res.Output == "" {
		return res
	}
	params, err := secret.Fill(op.Resource, op.Attrs, e.cfg.Secrets)
	if err != nil {
		params = op.Attrs // the agent did not get them either
	}
	var private []string
	if meta, err := e.cfg.Driver.Metadata(ctx, op.Class, op.Provider, op.Type); err == nil && op.Class != "stonith" {
		for _, p := range meta.Parameters {
			if p.Private {
				private = append(private, p.Name)
			}
		}
	}
	r := secret.Of(params, op.Attrs, private...)
	res.Reason, res.Output = r.Text(res.Reason), r.Text(res.Output)
	return res
}

// actionName is what the agent calls an action: agents of OCF 1.1 know "reload-agent" where older ones, and
// plans that were made for them, have "reload".
func (e *Executor) actionName(ctx context.Context, op *cib.Operation, action string) string {
	if action != "reload" && action != "reload-agent" {
		return action
	}
	if m, err := e.cfg.Driver.Metadata(ctx, op.Class, op.Provider, op.Type); err == nil && m.ReloadAction() != "" {
		return m.ReloadAction()
	}
	return action
}

// marker is the variable by which the process of an operation can be found again.
func marker(op *cib.Operation, boot string) string {
	return fmt.Sprintf("CERCO_OPERATION=%s/%d/%s/%s", op.Epoch, op.Action, op.Node, boot)
}

func timeoutOf(op *cib.Operation) time.Duration {
	if op.TimeoutMS <= 0 {
		return defaultTimeout
	}
	return time.Duration(op.TimeoutMS) * time.Millisecond
}

// resultOf makes the report of a run.
func (e *Executor) resultOf(ctx context.Context, t *task, res driver.Result, began time.Time) cib.OpResult {
	now := e.cfg.Now()
	out := cib.OpResult{Op: t.op.Brief(), BootID: e.cfg.BootID, CallID: t.callID, RC: res.RC, Status: res.Status, Reason: res.Reason,
		Output: res.Output, Started: began.Unix(), Changed: now.Unix(), ExecMS: now.Sub(began).Milliseconds(),
		QueueMS: max(began.Sub(t.queued).Milliseconds(), 0), Recovery: t.revived}
	switch t.op.Name {
	case "cancel", "delete", "lrm_refresh", "notify":
		return out
	}
	var meta *driver.Metadata
	if t.op.Class != "stonith" && res.Status != cib.OpNotInstalled && res.Status != cib.OpNotSupported {
		var err error
		if meta, err = e.cfg.Driver.Metadata(ctx, t.op.Class, t.op.Provider, t.op.Type); err != nil {
			e.cfg.Log.Warn("an agent has no usable metadata: changes of its parameters will restart it", "resource", t.op.Resource, "err", err)
		}
	}
	d := driver.DigestsOf(meta, t.op.Attrs, t.op.IntervalMS)
	out.Digest, out.RestartDigest, out.Restart, out.SecureDigest, out.Secure = d.All, d.Restart, d.Force, d.Secure, d.Private
	return out
}

// finish takes in what came of a task: what it says of the resource, whether it is reported, what goes on.
func (e *Executor) finish(l *lane, t *task, out cib.OpResult) {
	if t.dropped {
		if t.ordered() {
			e.finishCancelled(t, "superseded")
		}
		return
	}
	e.learn(l, &out)
	if t.op.Name == "delete" {
		e.led.forget(l.resource)
		l.state = unknown
	}
	if t.rec == nil {
		e.report(t, out)
		return
	}
	r := t.rec
	same := r.Reported && r.RC == out.RC && r.Status == out.Status
	if same {
		out.Changed = r.Changed
	}
	r.RC, r.Status, r.Changed, r.LastRun = out.RC, out.Status, out.Changed, e.cfg.Now().UnixMilli()
	r.Reported = true
	if out.Status == cib.OpCancelled || out.Status == cib.OpNotSupported {
		e.endRecurring(l, r, out.Reason)
	} else {
		e.led.saveRecurring(r)
		e.rearm(l, r, time.Duration(r.op.IntervalMS)*time.Millisecond)
	}
	if t.ordered() || !same {
		e.report(t, out)
	}
}

// finishCancelled reports that there will be no result.
func (e *Executor) finishCancelled(t *task, why string) {
	e.report(t, cib.OpResult{Op: t.op.Brief(), BootID: e.cfg.BootID, CallID: t.callID, RC: cib.RCError, Status: cib.OpCancelled, Reason: why,
		Started: e.cfg.Now().Unix(), Changed: e.cfg.Now().Unix()})
}

// report puts a result into the outbox and the ledger. What an agent wrote goes along when it explains a failure.
func (e *Executor) report(t *task, out cib.OpResult) {
	output := out.Output
	if !out.Failed() {
		out.Output = ""
	}
	e.led.finish(&out, t.ordered())
	e.outbox = append(e.outbox, out)
	e.wakeReporter()
	level := e.cfg.Log.Info
	switch {
	case out.Failed() && t.op.Name != "notify":
		level = e.cfg.Log.Warn
	case !changesState(t.op.Name):
		level = e.cfg.Log.Debug
	}
	level("operation finished", "op", out.Op.Name, "resource", out.Op.Resource, "interval", out.Op.IntervalMS, "plan", out.Op.Epoch.String(),
		"call", out.CallID, "rc", out.RC, "status", out.Status, "reason", out.Reason, "ms", out.ExecMS, "output", output)
}

// learn concludes from a result whether the resource is active here.
func (e *Executor) learn(l *lane, out *cib.OpResult) {
	was := l.state
	if out.Status == cib.OpDone || out.Status == cib.OpNotInstalled {
		switch name, rc := out.Op.Name, out.RC; {
		case name == "start" && rc == cib.RCOk, name == "migrate_from" && rc == cib.RCOk,
			name == "promote" && rc == cib.RCOk, name == "demote" && rc == cib.RCOk:
			l.state = active
		case name == "stop" && rc == cib.RCOk, name == "migrate_to" && rc == cib.RCOk:
			l.state = stopped
		case name == "monitor" && (rc == cib.RCOk || rc == cib.RCPromoted || rc == cib.RCDegraded || rc == cib.RCDegradedProm):
			l.state = active
		case name == "monitor" && (rc == cib.RCNotRunning || rc == cib.RCInstalled && out.Op.IntervalMS == 0):
			l.state = stopped
		case changesState(name) && rc != cib.RCOk:
			l.state = unknown
		}
	} else if changesState(out.Op.Name) && out.Status != cib.OpCancelled {
		l.state = unknown
	}
	if l.state != was {
		e.led.saveState(l.resource, l.state)
	}
}

func (e *Executor) stateOf(l *lane) activity {
	e.mu.Lock()
	defer e.mu.Unlock()
	return l.state
}
