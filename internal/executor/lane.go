package executor

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// lane is the queue of one resource: its operations go one after the other.
type lane struct {
	resource  string
	queue     []*task
	busy      *task
	delayed   map[*task]*time.Timer // not in the queue yet: start-delay
	recurring map[recurKey]*recurring
	state     activity
	left      *work // what an earlier daemon has left at work here, until a task has waited for its end
}

// activity is what this node knows of a resource's being active here.
type activity string

const (
	unknown activity = ""
	active  activity = "active"
	stopped activity = "stopped"
)

// task is one run of an operation.
type task struct {
	op     cib.Operation
	callID int
	queued time.Time
	rec    *recurring // a later run of a recurring operation, or its first one

	again   bool // no longer the run that was ordered
	revived bool // an earlier daemon had taken it on
	waited  bool // it had only been taken on by then, and not begun
	cancel  context.CancelCauseFunc
	dropped bool // nobody wants the result
}

// ordered reports whether the leader waits for the result of this very run.
func (t *task) ordered() bool { return !t.again }

type recurKey struct {
	name     string
	interval int64
}

// recurring is an operation that recurs.
type recurring struct {
	savedRecurring
	op    cib.Operation
	timer *time.Timer
	gone  bool
}

func (e *Executor) lane(resource string) *lane {
	l := e.lanes[resource]
	if l == nil {
		l = &lane{resource: resource, delayed: map[*task]*time.Timer{}, recurring: map[recurKey]*recurring{}}
		e.lanes[resource] = l
	}
	return l
}

// take puts an accepted operation where it belongs. What changes the state of a resource ends its recurring
// operations: the plan brings those that are wanted afterwards.
func (e *Executor) take(t *task) {
	l := e.lane(t.op.Resource)
	switch {
	case t.op.Name == "cancel":
		if r := l.recurring[recurKey{t.op.CancelTask, t.op.IntervalMS}]; r != nil {
			e.endRecurring(l, r, "cancelled")
		}
	case t.op.IntervalMS > 0:
		key := recurKey{t.op.Name, t.op.IntervalMS}
		if r := l.recurring[key]; r != nil {
			e.endRecurring(l, r, "ordered anew")
		}
		t.rec = &recurring{op: t.op}
		t.rec.CallID = t.callID
		l.recurring[key] = t.rec
	case changesState(t.op.Name):
		for _, r := range l.sorted() {
			e.endRecurring(l, r, t.op.Name+" of the resource")
		}
	}
	if t.op.StartDelayMS <= 0 || t.revived {
		e.enqueue(l, t)
		return
	}
	l.delayed[t] = time.AfterFunc(time.Duration(t.op.StartDelayMS)*time.Millisecond, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, waits := l.delayed[t]; waits && !e.stopped {
			delete(l.delayed, t)
			e.enqueue(l, t)
			e.pump()
		}
	})
}

func changesState(name string) bool {
	switch name {
	case "monitor", "notify", "lrm_refresh", "validate-all", "meta-data":
		return false
	}
	return true
}

func (e *Executor) enqueue(l *lane, t *task) {
	l.queue = append(l.queue, t)
	if l.busy == nil && len(l.queue) == 1 {
		e.getReady(l)
	}
}

// getReady puts a lane that has something to do at the end of those that wait for their turn.
func (e *Executor) getReady(l *lane) {
	e.ready = append(e.ready, l)
	if l.queue[0].again {
		e.due++
	}
}

// pump starts what may start now. Recurring operations have a limit of their own: monitors that hang must not
// hold up the stop of what they watch, nor the start of something else.
func (e *Executor) pump() {
	if e.stopped {
		return
	}
	// There may be thousands: when nothing more can start the rest need not be looked at.
	rest := e.ready[:0]
	due := 0 // among rest
	for i, l := range e.ready {
		if e.running >= e.cfg.Limit && (e.watching >= e.cfg.Limit || due >= e.due) {
			rest, due = append(rest, e.ready[i:]...), e.due
			break
		}
		count, again := &e.running, l.queue[0].again
		if again {
			count = &e.watching
		}
		if *count >= e.cfg.Limit {
			if rest = append(rest, l); again {
				due++
			}
			continue
		}
		if again {
			e.due--
		}
		*count++
		t := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		l.busy = t
		ctx, cancel := context.WithCancelCause(e.ctx)
		t.cancel = cancel
		e.wg.Add(1)
		go e.run(ctx, l, t)
	}
	clear(e.ready[len(rest):])
	e.ready, e.due = rest, due
}

// release ends a run: the next one in the lane may begin.
func (e *Executor) release(l *lane, t *task) {
	if t.again {
		e.watching--
	} else {
		e.running--
	}
	l.busy = nil
	if len(l.queue) > 0 {
		e.getReady(l)
	}
	e.pump()
}

// endRecurring ends a recurring operation, with a run of it that is going on or waiting. If the leader still
// waits for its first result, it hears that there will be none.
func (e *Executor) endRecurring(l *lane, r *recurring, why string) {
	r.gone = true
	if r.timer != nil {
		r.timer.Stop()
	}
	delete(l.recurring, recurKey{r.op.Name, r.op.IntervalMS})
	e.led.dropRecurring(r.op.Resource, r.op.Name, r.op.IntervalMS)
	if l.busy != nil && l.busy.rec == r {
		l.busy.dropped = true
		l.busy.cancel(context.Canceled)
	}
	for t, timer := range l.delayed {
		if t.rec == r {
			timer.Stop()
			delete(l.delayed, t)
			e.finishCancelled(t, why)
		}
	}
	wasReady := len(l.queue) > 0 && l.busy == nil
	l.queue = slices.DeleteFunc(l.queue, func(t *task) bool {
		if t.rec != r {
			return false
		}
		if t.ordered() {
			e.finishCancelled(t, why)
		}
		return true
	})
	if wasReady && len(l.queue) > 0 && l.queue[0].again {
		e.due++ // it may not have been the first before
	}
	if wasReady && len(l.queue) == 0 {
		e.ready = slices.DeleteFunc(e.ready, func(o *lane) bool { return o == l })
	}
}

// together is what the times of runs are multiples of: signs of life go out then, too, and a daemon at rest is woken
// once for all.
const together = 100 * time.Millisecond

// rearm sets the time of the next run.
func (e *Executor) rearm(l *lane, r *recurring, in time.Duration) {
	if r.gone || e.stopped {
		return
	}
	if early := time.Duration(e.cfg.Now().Add(in).UnixNano() % int64(together)); in >= 10*together && early > 0 {
		in += together - early
	}
	r.timer = time.AfterFunc(max(in, 0), func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if r.gone || e.stopped {
			return
		}
		e.enqueue(l, &task{op: r.op, callID: r.CallID, queued: e.cfg.Now(), rec: r, again: true})
		e.pump()
	})
}

// halt stops all timers of a lane.
func (l *lane) halt() {
	for _, timer := range l.delayed {
		timer.Stop()
	}
	for _, r := range l.recurring {
		if r.timer != nil {
			r.timer.Stop()
		}
	}
}

// sorted lists the recurring operations by name and interval.
func (l *lane) sorted() []*recurring {
	out := make([]*recurring, 0, len(l.recurring))
	for _, r := range l.recurring {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *recurring) int {
		if c := strings.Compare(a.op.Name, b.op.Name); c != 0 {
			return c
		}
		return int(a.op.IntervalMS - b.op.IntervalMS)
	})
	return out
}
