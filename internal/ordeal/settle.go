package ordeal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
	"github.com/cerco-ha/cerco/internal/wire"
)

// bootPatience is how long a host that was fenced may take to boot by itself.
const bootPatience = 5 * time.Second

// heal ends all faults and waits until all is well again. What was acknowledged must be there then, on every node.
func (r *run) heal(ctx context.Context) error {
	clear(r.links)
	clear(r.full)
	errs := []error{r.thaw(true), r.noteAlone(), r.site.Connect(nil), r.site.Power(PowerWorks)}
	for _, n := range r.site.Nodes() {
		errs = append(errs, r.site.Disk(n, Disk{}))
	}
	if err := errors.Join(append(errs, r.note("", "", "heal"))...); err != nil {
		return err
	}
	began := time.Now()
	off := map[string]time.Time{}
	for {
		lacks := r.lacks(ctx)
		if err := r.verdict(); err != nil {
			if lacks != "" {
				err = fmt.Errorf("%w; what is not well: %s", err, lacks)
			}
			return err
		}
		if lacks == "" {
			err := r.changes.check(ctx)
			if err == nil {
				break
			}
			lacks = err.Error()
		}
		if time.Since(began) > r.Converge+time.Second { // the judge says so as soon as something happens
			return fmt.Errorf("%w: I8: the faults were over %v ago, and all is not well: %s", ErrViolated, r.Converge, lacks)
		}
		if err := r.bootThoseOff(off); err != nil {
			return err
		}
		if err := r.pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.Join(r.note("", "", "whole"), r.verdict())
}

// bootThoseOff switches hosts on that do not come back by themselves.
func (r *run) bootThoseOff(off map[string]time.Time) error {
	for _, n := range r.site.Nodes() {
		if r.site.On(n) {
			delete(off, n)
			continue
		}
		if off[n].IsZero() {
			off[n] = time.Now()
		}
		if time.Since(off[n]) > bootPatience {
			delete(off, n)
			if err := r.site.Boot(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// lacks is what is not well, empty for nothing: every node is up and agrees on the leader and on the state, nothing is
// left to do, and every service runs exactly once, as the journal has it.
func (r *run) lacks(ctx context.Context) string {
	var leader string
	var index uint64
	for i, n := range r.site.Nodes() {
		node, err := r.askNode(ctx, n)
		switch {
		case err != nil:
			return fmt.Sprintf("%s does not answer: %v", n, err)
		case node.Leader == "" || !node.Quorate:
			return fmt.Sprintf("%s: leader %q, quorate %v (%s)", n, node.Leader, node.Quorate, node.Why)
		case i > 0 && node.Leader != leader:
			return fmt.Sprintf("%s takes %s for the leader, others %s", n, node.Leader, leader)
		}
		leader = node.Leader
		index = max(index, node.Index)
	}
	var state wire.Status
	err := r.ask(ctx, leader, func(ctx context.Context, c asked) (err error) {
		state, err = c.Status(ctx)
		return err
	})
	if err != nil {
		return fmt.Sprintf("the leader %s does not tell the state: %v", leader, err)
	}
	if !state.Rest.Settled {
		return "the cluster is not at rest: " + waiting(state.Rest.Waiting)
	}
	if what := r.planned(state.CIB); what != "" {
		return what
	}
	if _, err := r.journal.follow(); err != nil {
		return err.Error()
	}
	for _, s := range r.services {
		if on := r.journal.judge.Running(s); len(on) != 1 {
			return fmt.Sprintf("%s runs on %v", s, on)
		}
	}
	return ""
}

func waiting(list []wire.Waiting) string {
	var out []string
	for i, w := range list {
		if i == 5 {
			out = append(out, "and more")
			break
		}
		out = append(out, w.What+" "+w.Why)
	}
	return strings.Join(out, "; ")
}

// planned is what the scheduler would do in this state; empty: nothing (I5). What it says must not depend on anything but the
// state (I4), which it must leave as it is (I7).
func (r *run) planned(text string) string {
	c, err := cib.Decode("status", []byte(text))
	if err != nil {
		return err.Error()
	}
	now := time.Now()
	plan := scheduler.Schedule(c, scheduler.Options{Now: now, Masked: true})
	again := scheduler.Schedule(c, scheduler.Options{Now: now, Masked: true})
	fresh, err := cib.Decode("status", []byte(text))
	if err != nil {
		return err.Error()
	}
	third := scheduler.Schedule(fresh, scheduler.Options{Now: now, Masked: true})
	if a := draw(plan); a != draw(again) || a != draw(third) {
		_ = r.note("", "I4", "broken", "the same state has led to different plans")
	}
	for _, n := range plan.View.Nodes {
		if !n.Online {
			return n.Name + " is not online"
		}
	}
	for _, a := range plan.Graph.Actions {
		if a.Kind != transition.Pseudo {
			return "the cluster is at rest, and there is still to do: " + a.Words()
		}
	}
	return ""
}

func draw(p *scheduler.Plan) string {
	var b bytes.Buffer
	_ = p.Graph.WriteXML(&b) // into memory
	return b.String()
}
