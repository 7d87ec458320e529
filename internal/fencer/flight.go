package fencer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// flight is one fencing that is under way, for everybody who has asked for it.
type flight struct {
	req    cib.FenceRequest // of the first who asked
	cancel context.CancelCauseFunc
	done   chan struct{}
	record cib.FenceRecord // final once done is closed; before that only its goroutine touches it

	out       sync.Mutex // held while listeners are told, so that none is told after it has left
	listeners []*listener

	// guarded by Fencer.mu
	waiters int
	doing   string
	since   time.Time
}

// listener is one of those who wait for a flight.
type listener struct {
	rec      cib.FenceRecord
	progress func(cib.FenceRecord)
}

// translate makes the flight's record the listener's own.
func (l *listener) translate(rec cib.FenceRecord) cib.FenceRecord {
	rec.FenceRequest, rec.Requested = l.rec.FenceRequest, l.rec.Requested
	rec.Tries = slices.Clone(rec.Tries)
	return rec
}

// outcome waits for the end of the flight.
func (fl *flight) outcome() cib.FenceRecord {
	<-fl.done
	return fl.record
}

// confirmed is the cause with which an operator's word ends a flight.
type confirmed struct{ by string }

func (c confirmed) Error() string { return c.by + " says that the node is off" }

// join finds the flight that serves the listener's request, or starts one. With a nil flight, before is closed
// when there may be one.
func (f *Fencer) join(l *listener) (fl *flight, before <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := strings.ToLower(l.rec.Target)
	if fl := f.flights[key]; fl != nil {
		if fl.waiters == 0 || !satisfies(fl.req.Action, l.rec.Action) {
			return nil, fl.done
		}
		fl.waiters++
		fl.out.Lock()
		fl.listeners = append(fl.listeners, l)
		fl.out.Unlock()
		return fl, nil
	}
	fl = &flight{req: l.rec.FenceRequest, listeners: []*listener{l}, done: make(chan struct{}), record: l.rec, waiters: 1,
		doing: "begins", since: f.cfg.Now()}
	var flying context.Context
	flying, fl.cancel = context.WithCancelCause(f.base)
	f.flights[key] = fl
	f.wg.Go(func() {
		f.fly(flying, fl)
		fl.cancel(nil)
		f.mu.Lock()
		delete(f.flights, key)
		f.mu.Unlock()
		close(fl.done)
	})
	return fl, nil
}

// leave takes a listener off the flight, which ends with the last one.
func (f *Fencer) leave(fl *flight, l *listener, why error) (last bool) {
	f.mu.Lock()
	fl.waiters--
	last = fl.waiters == 0
	f.mu.Unlock()
	if last {
		fl.cancel(why)
	}
	fl.out.Lock()
	defer fl.out.Unlock()
	fl.listeners = slices.DeleteFunc(fl.listeners, func(o *listener) bool { return o == l })
	return last
}

// fly carries a flight out.
func (f *Fencer) fly(ctx context.Context, fl *flight) {
	log := f.cfg.Log.With("target", fl.req.Target, "action", fl.req.Action, "request", fl.req.ID, "by", fl.req.By)
	log.Info("fencing", "why", fl.req.Why)
	ok, problems := f.carryOut(ctx, fl)
	rec := &fl.record
	var word confirmed
	switch {
	case errors.As(context.Cause(ctx), &word):
		rec.Evidence, rec.Node = cib.ByOperator, f.cfg.Node
		*rec = f.done(*rec)
	case ok:
		*rec = f.done(*rec)
	case ctx.Err() != nil:
		*rec = f.failed(*rec, "withdrawn: "+context.Cause(ctx).Error())
	default:
		*rec = f.failed(*rec, f.explain(fl, problems))
	}
	if rec.State == cib.FenceDone {
		log.Info("fencing done", "evidence", rec.Evidence, "devices", rec.Devices, "node", rec.Node, "took", rec.Completed.Sub(rec.Requested))
	} else {
		log.Error("fencing failed", "error", rec.Error)
	}
}

// explain is the text of a failure: what happened, device by device, and the way out.
func (f *Fencer) explain(fl *flight, problems []string) string {
	t := fl.req.Target
	if len(problems) == 0 {
		problems = []string{"no fence device is configured"}
	}
	text := fmt.Sprintf("%s could not be fenced (%s): %s", t, fl.req.Action, strings.Join(problems, "; "))
	if fl.req.Action == "on" {
		return text + fmt.Sprintf(". Mend the device and try again: cerco stonith unfence %s", t)
	}
	return text + fmt.Sprintf(". Mend the device, or make sure yourself that %s is off and say so: cerco stonith confirm %s", t, t)
}

// report hands an intermediate record out.
func (f *Fencer) report(fl *flight, tries []cib.FenceTry) {
	fl.record.Tries = append(fl.record.Tries, tries...)
	const most = 20 // the log of the cluster is no place for a week of tries
	if n := len(fl.record.Tries); n > most {
		fl.record.Tries = slices.Concat(fl.record.Tries[:2], fl.record.Tries[n-most+2:])
	}
	fl.out.Lock()
	defer fl.out.Unlock()
	for _, l := range fl.listeners {
		l.progress(l.translate(fl.record))
	}
}

func (f *Fencer) say(fl *flight, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl.doing, fl.since = fmt.Sprintf(format, args...), f.cfg.Now()
}

// Waiting is a fencing that is under way.
type Waiting struct {
	Request cib.FenceRequest `json:"request"`
	Doing   string           `json:"doing"` // what it does or waits for just now
	Since   time.Time        `json:"since"`
	Release string           `json:"release"` // the command that ends the wait
}

// Waiting lists what is under way, by target.
func (f *Fencer) Waiting() []Waiting {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]Waiting, 0, len(f.flights))
	for _, fl := range f.flights {
		w := Waiting{Request: fl.req, Doing: fl.doing, Since: fl.since}
		if fl.req.Action != "on" {
			w.Release = "cerco stonith confirm " + fl.req.Target
		}
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b Waiting) int { return strings.Compare(a.Request.Target, b.Request.Target) })
	return out
}

// Confirm takes an operator's word that a node is off: it ends what is under way for the node, and returns the
// record that is to be kept. A node that is heard just now is not off: force is for those who know better.
func (f *Fencer) Confirm(target, by string, force bool) (cib.FenceRecord, error) {
	state := f.cfg.State()
	n := state.CIB.NodeByName(target)
	if n == nil && state.Cluster.Member(target) == nil {
		return cib.FenceRecord{}, fmt.Errorf("there is no node %q; the nodes are %s", target, strings.Join(f.nodes(), ", "))
	}
	if strings.EqualFold(target, f.cfg.Node) {
		return cib.FenceRecord{}, fmt.Errorf("%s is this very node, and it is not off", target)
	}
	if h, ok := f.heard(target); ok && !force {
		if ago := f.cfg.Now().Sub(h.At); ago < f.token() {
			return cib.FenceRecord{}, fmt.Errorf("%s is not off: it was heard %d ms ago; confirm only what you have seen to be off, or data is lost",
				target, ago.Milliseconds())
		}
	}
	now := f.cfg.Now()
	rec := cib.FenceRecord{Requested: now, Node: f.cfg.Node, Evidence: cib.ByOperator}
	rec.FenceRequest = cib.FenceRequest{ID: fmt.Sprintf("confirm-%s-%d", target, now.UnixMilli()), Target: target, Action: "off",
		By: by, Why: "an operator says that it is off"}
	if n != nil {
		rec.TargetID = n.ID
	} else if m := state.Cluster.Member(target); m != nil {
		rec.TargetID = m.ID
	}
	f.mu.Lock()
	fl := f.flights[strings.ToLower(target)]
	f.mu.Unlock()
	if fl != nil && fl.req.Action != "on" {
		fl.cancel(confirmed{by})
	}
	f.cfg.Log.Warn("an operator confirms that a node is off", "target", target, "by", by, "forced", force)
	return f.done(rec), nil
}
