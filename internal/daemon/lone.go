package daemon

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/executor"
	"github.com/cerco-ha/cerco/internal/membership"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
)

// lone carries out what membership wants done while there is no leader.
type lone struct {
	d *Daemon

	mu       sync.Mutex
	stopping bool // no-quorum-policy is being carried out
}

// recoverPatience is how long it may take to begin a new log.
const recoverPatience = 30 * time.Second

func (l *lone) perform(e membership.Effect) {
	d := l.d
	if d.left.Load() {
		return // a node that leaves decides nothing for others any more
	}
	switch e := e.(type) {
	case membership.FenceLost:
		d.aside(func() { l.fence(e.Request) })
	case membership.CancelFence:
		d.fences.cancel(e.ID)
	case membership.Recover:
		d.aside(func() { l.recover(e.Evidence) })
	case membership.JoinLog:
		d.log.Info("another log has begun without this node: its leader will take this node in", "leader", e.Leader, "generation", e.Generation)
	case membership.StopHere:
		l.mu.Lock()
		busy := l.stopping
		l.stopping = true
		l.mu.Unlock()
		if !busy {
			d.aside(func() { l.stopHere(e.Why) })
		}
	}
}

func (l *lone) confirm(rec cib.FenceRecord) { l.d.members.Fenced(rec) }

// fence cuts a lost voter off. In a race of two halves, the half that runs the more important resources shoots
// first: the other one waits for priority-fencing-delay.
func (l *lone) fence(req cib.FenceRequest) {
	d := l.d
	req.DelayMS = priorityDelay(d.store.View(), req.Target, d.cfg.Now())
	ctx, cancel := context.WithCancel(d.ctx)
	defer cancel()
	d.fences.begin(req.ID, cancel)
	defer d.fences.end(req.ID)
	now := d.cfg.Now()
	d.journal.Add(events.Event{At: now, Kind: events.KindNode, Node: req.Target, Bad: true,
		Text:      req.Target + " is lost, and with it the majority of the cluster",
		NodeState: &events.NodeState{ID: req.TargetID, Name: req.Target, State: "lost"}})
	d.tellFencing(cib.FenceRecord{FenceRequest: req, State: cib.FencePending, Requested: now})
	rec := d.fencer.Fence(ctx, req, nil)
	d.tellFencing(rec)
	d.members.Fenced(rec)
}

// tellFencing tells of a fencing that is in no log yet.
func (d *Daemon) tellFencing(rec cib.FenceRecord) {
	s := d.store.View()
	for _, e := range events.Derive(s, s, cib.Command{At: d.cfg.Now(), Fencing: []cib.FenceRecord{rec}}) {
		e.Index = 0
		d.journal.Add(e)
	}
}

// tell is for news that are in no log yet.
func (d *Daemon) tell(bad bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	d.log.Warn(text)
	d.journal.Add(events.Event{At: d.cfg.Now(), Kind: events.KindNote, Text: text, Bad: bad})
}

// priorityDelay is what the scheduler would have a fencing of the lost node wait, in ms: 0 when priorities do not
// speak for that node.
func priorityDelay(s cib.State, target string, now time.Time) int64 {
	m := s.Cluster.Member(target)
	if m == nil {
		return 0
	}
	lost, err := cib.Apply(s, cib.Command{At: now, Nodes: []cib.NodeUpdate{
		{ID: m.ID, Name: m.Name, InCCM: "false", Crmd: "offline", Join: "down"}}})
	if err != nil {
		return 0
	}
	for _, a := range scheduler.Schedule(lost.CIB, scheduler.Options{Now: now}).Graph.Actions {
		if a.Task == "stonith" && a.Node == target {
			seconds, _ := strconv.ParseInt(a.Attr("CRM_meta_priority_fencing_delay"), 10, 64) // absent: none
			return 1000 * seconds
		}
	}
	return 0
}

// recover begins a new log with this node alone.
func (l *lone) recover(evidence []cib.FenceRecord) {
	d := l.d
	ctx, cancel := context.WithTimeout(d.ctx, recoverPatience)
	defer cancel()
	st, err := d.store.Recover(ctx, cib.Command{At: d.cfg.Now(), By: d.node.Name, Fencing: evidence,
		Note: "the other voters of the log are proved off: " + d.node.Name + " goes on with a log of its own"})
	if err != nil {
		d.log.Error("the log could not be begun anew", "error", err)
	} else {
		d.tell(false, "%s goes on with a log of its own, generation %d", d.node.Name, st.Cluster.Generation)
	}
	d.members.Recovered(err)
}

// stopRound is how often it is looked whether a stop has ended.
const stopRound = 20 * time.Millisecond

// stopHere carries no-quorum-policy out on this node: what must not run without quorum is stopped, in order. The
// results stay in the ledger until there is a leader again.
func (l *lone) stopHere(why string) {
	d := l.d
	defer func() {
		l.mu.Lock()
		l.stopping = false
		l.mu.Unlock()
	}()
	epoch, began := d.executor.Epoch(), d.cfg.Now()
	s, err := d.withUnacked()
	if err != nil {
		d.log.Error("what this node has done and nobody knows yet is left out of its plan", "error", err)
	}
	local, err := controller.LocalStops(s, d.node.Name, epoch, began)
	if err != nil {
		d.log.Error("no plan could be made for a node without quorum", "error", err)
		return
	}
	if local.Reboot {
		d.tell(true, "no-quorum-policy is suicide: this node ends itself (%s)", why)
		d.cfg.Panic("no quorum, and no-quorum-policy is suicide")
		return
	}
	if len(local.Graph.Actions) == 0 {
		return
	}
	d.tell(true, "this node stops what must not run: %s", why)
	r := transition.NewRunner(local.Graph)
	for {
		a := r.Next()
		switch {
		case a == nil:
			return
		case a.Kind == transition.Pseudo:
			r.Finish(a.ID, true)
			continue
		case d.members.View().Leader != "" && d.mayAct():
			return // whoever leads knows better; one that is only remembered knows nothing
		}
		r.Finish(a.ID, d.doHere(local.Operation(a)))
	}
}

// doHere has this node's executor do something and waits until it is done.
func (d *Daemon) doHere(op cib.Operation) (ok bool) {
	if err := d.executor.Do(op); err != nil {
		d.log.Warn("an operation of a node without quorum", "resource", op.Resource, "operation", op.Name, "error", err)
		return false
	}
	tick := time.NewTicker(stopRound)
	defer tick.Stop()
	for {
		l, err := d.executor.Ledger(op.Epoch)
		if err != nil && !errors.Is(err, executor.ErrStale) {
			return false
		}
		pending := false
		for _, o := range l.InFlight {
			pending = pending || o.Epoch == op.Epoch && o.Action == op.Action
		}
		if !pending {
			for _, r := range l.Unacked {
				if r.Op.Epoch == op.Epoch && r.Op.Action == op.Action {
					return !r.Failed()
				}
			}
			return true // it has been reported already: there is a leader again
		}
		select {
		case <-tick.C:
		case <-d.ctx.Done():
			return false
		}
	}
}

// withUnacked is the last state, with the results of this node that no log has yet, or that the leader has put into
// the log without this node having heard of it.
func (d *Daemon) withUnacked() (cib.State, error) {
	l, err := d.executor.Ledger(d.executor.Epoch())
	s := d.store.View()
	s, knownErr := controller.Known(s, d.node.Name, d.told.beyond(s.Cluster.Generation, s.Index), l.Unacked, d.cfg.Now())
	return s, errors.Join(err, knownErr)
}
