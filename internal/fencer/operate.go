package fencer

import (
	"context"
	"errors"
	"fmt"
)

// ErrNotInstalled says that a device cannot be used on this node, whatever state it is in.
var ErrNotInstalled = errors.New("the fence agent cannot be used")

// Register starts a device's resource on this node, if it is configured and its agent can be used. Whether it
// answers is Monitor's to say. That it is started nowhere keeps nobody from fencing with it.
func (f *Fencer) Register(ctx context.Context, device string) error {
	_, _, err := f.usable(ctx, device)
	f.register(device, err == nil)
	return err
}

// Unregister stops a device's resource on this node.
func (f *Fencer) Unregister(_ context.Context, device string) error {
	f.register(device, false)
	return nil
}

// Registered reports whether the device's resource is started on this node, as far as this process knows.
func (f *Fencer) Registered(device string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started[device]
}

// Monitor has the agent look whether its device can be reached from here. A device that answers counts as
// started: a recurring monitor goes on where an earlier process of this daemon has registered it.
func (f *Fencer) Monitor(ctx context.Context, device string) error {
	err := f.monitor(ctx, device)
	if err == nil {
		f.register(device, true)
	}
	return err
}

func (f *Fencer) register(device string, on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.started[device] == on {
		return
	}
	if on {
		f.started[device] = true
	} else {
		delete(f.started, device)
	}
	delete(f.lists, device)
}

// usable finds a device and the metadata of its agent.
func (f *Fencer) usable(ctx context.Context, device string) (Device, *Metadata, error) {
	d, ok := f.device(device)
	if !ok {
		return d, nil, fmt.Errorf("%s is no fence device of the configuration", device)
	}
	meta, err := f.metadata(ctx, d.Agent)
	if err != nil {
		return d, nil, fmt.Errorf("%w: %w", ErrNotInstalled, err)
	}
	return d, meta, nil
}

// monitor uses the parameters of the CIB, not of an operation: they are what a fencing would use.
func (f *Fencer) monitor(ctx context.Context, device string) error {
	d, meta, err := f.usable(ctx, device)
	if err != nil {
		return err
	}
	if Builtin(d.Agent) != nil {
		return nil
	}
	action := "monitor"
	if meta.Action(action) == nil && meta.Action("status") != nil {
		action = "status"
	}
	for {
		r, err := f.look(ctx, d, meta, action)
		switch {
		case errors.Is(err, errYield) && ctx.Err() == nil:
			continue // after the fencing
		case err != nil:
			return err
		case r.RC == 0 || action == "status" && r.RC == 2:
			return nil
		case r.TimedOut || ctx.Err() != nil:
			return fmt.Errorf("%s of %s: %s: %w", action, d.Agent, describe(r), context.DeadlineExceeded)
		}
		return fmt.Errorf("%s of %s: %s", action, d.Agent, describe(r))
	}
}

// look calls the agent, unless a fencing needs the device at the same time.
func (f *Fencer) look(ctx context.Context, d Device, meta *Metadata, action string) (AgentResult, error) {
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	release, err := f.take(running, &d, cancel)
	if err != nil {
		return AgentResult{}, err
	}
	defer release()
	u := &use{f: f, d: d, meta: meta, t: try{Device: d.ID, Action: action}, base: f.baseTimeout()}
	r, err := u.run(running, action)
	if err == nil && errors.Is(context.Cause(running), errYield) && r.RC != 0 {
		err = errYield
	}
	return r, err
}
