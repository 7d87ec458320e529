package executor

import (
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// batch is how many results go into one report at most.
const batch = 200

// While more operations wait for their turn here than can go on at one time, results of what was done as expected wait
// for others, until there is one for so many that wait for their turn, or it has taken so long: each report is a message
// and an entry of the log.
const (
	gatherShare = 10
	gatherTime  = 250 * time.Millisecond
)

func (e *Executor) wakeReporter() {
	select {
	case e.wake <- struct{}{}:
	default: // it has been woken already
	}
}

// reporter reports what is in the outbox until it is empty. What cannot be reported stays, and is tried again
// after a while that grows to a second.
func (e *Executor) reporter() {
	defer e.wg.Done()
	const least, most = 20 * time.Millisecond, time.Second
	pause := least
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
		e.gathered(timer)
		for {
			results := e.unacked()
			if len(results) == 0 {
				pause = least
				break
			}
			if err := e.cfg.Report(e.ctx, results); err != nil {
				if e.ctx.Err() != nil {
					return
				}
				e.cfg.Log.Debug("results are not reported yet", "results", len(results), "err", err, "again", pause)
				timer.Reset(pause)
				pause = min(2*pause, most)
				break
			}
			pause = least
			serials := make([]uint64, len(results))
			for i := range results {
				serials[i] = results[i].Serial
			}
			e.mu.Lock()
			e.acked(serials)
			e.mu.Unlock()
		}
	}
}

// gathered waits until it is time to report what there is.
func (e *Executor) gathered(timer *time.Timer) {
	if !e.mayGather() {
		return
	}
	timer.Reset(gatherTime)
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-timer.C:
			return
		case <-e.wake:
			if !e.mayGather() {
				return
			}
		}
	}
}

// mayGather reports whether nobody loses anything when what is in the outbox waits: this node has more to do than it
// can do at one time, and nothing has failed.
func (e *Executor) mayGather() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running < e.cfg.Limit || len(e.outbox) >= min(batch, len(e.ready)/gatherShare) {
		return false
	}
	for i := range e.outbox {
		if r := &e.outbox[i]; r.RC != r.Op.TargetRC || r.Status != cib.OpDone {
			return false
		}
	}
	return true
}

func (e *Executor) unacked() []cib.OpResult {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.outbox[:min(len(e.outbox), batch)])
}

// acked takes results out of the outbox that are committed.
func (e *Executor) acked(serials []uint64) {
	e.outbox = slices.DeleteFunc(e.outbox, func(r cib.OpResult) bool { return slices.Contains(serials, r.Serial) })
	if !e.stopped {
		e.led.ack(serials)
	}
}

// resend reports the result of an order that was given again.
func (e *Executor) resend(rec *record) {
	if rec.Result == nil || slices.ContainsFunc(e.outbox, func(r cib.OpResult) bool { return r.Serial == rec.Result.Serial }) {
		return
	}
	e.led.unack(rec.Result)
	e.outbox = append(e.outbox, *rec.Result)
	e.wakeReporter()
}

// refresh reports the last known results of the recurring operations again.
func (e *Executor) refresh(l *lane) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range l.sorted() {
		if !r.Reported {
			continue
		}
		if r.timer != nil && r.timer.Stop() {
			r.Reported = false // the next result is reported, whatever it is
			e.rearm(l, r, 0)
		}
	}
}
