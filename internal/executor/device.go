package executor

import (
	"context"
	"errors"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// device does what an operation says to a fence device. To start one is to register it, once it answers: nothing
// runs. A probe asks whether it is registered here.
func (e *Executor) device(ctx context.Context, l *lane, t *task) driver.Result {
	op := &t.op
	if e.cfg.Fencer == nil {
		return driver.Result{RC: cib.RCUnimplemented, Status: cib.OpNotSupported, Reason: "this node has no fencer"}
	}
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(op))
	defer cancel()
	var err error
	switch {
	case op.Name == "stop":
		err = e.cfg.Fencer.Unregister(ctx, op.Resource)
	case op.Name == "start":
		if err = e.cfg.Fencer.Register(ctx, op.Resource); err == nil {
			err = e.cfg.Fencer.Monitor(ctx, op.Resource)
		}
	case op.Name == "monitor" && e.stateOf(l) != active && !t.revived:
		return driver.Result{RC: cib.RCNotRunning, Status: cib.OpDone}
	case op.Name == "monitor":
		err = e.cfg.Fencer.Monitor(ctx, op.Resource)
	default:
		return driver.Result{RC: cib.RCUnimplemented, Status: cib.OpNotSupported, Reason: "fence devices have no action " + op.Name}
	}
	switch {
	case err == nil:
		return driver.Result{RC: cib.RCOk, Status: cib.OpDone}
	case errors.Is(err, context.DeadlineExceeded):
		return driver.Result{RC: cib.RCError, Status: cib.OpTimedOut, Reason: err.Error()}
	}
	return driver.Result{RC: cib.RCError, Status: cib.OpDone, Reason: err.Error()}
}
