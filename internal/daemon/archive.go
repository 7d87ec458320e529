package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/history"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/wire"
)

// keptTransitions is how many plans a node keeps of those that it decided.
const keptTransitions = 1000

// archive writes plans down beside the way: nothing waits for it. When plans come faster than the disk
// takes them, the oldest unwritten ones are left out.
type archive struct {
	log     *history.Log
	journal *events.Journal
	slog    *slog.Logger
	node    string
	now     func() time.Time

	work chan func()
	wg   sync.WaitGroup
}

func (a *archive) start() {
	a.work = make(chan func(), 64)
	a.wg.Go(func() {
		for f := range a.work {
			f()
		}
	})
}

// stop writes what is left. Nothing may be put any more.
func (a *archive) stop() {
	close(a.work)
	a.wg.Wait()
}

func (a *archive) do(f func()) {
	select {
	case a.work <- f:
	default:
		a.slog.Warn("the disk is too slow for the history of plans: one is left out")
	}
}

func planID(e cib.Epoch) string { return fmt.Sprintf("%d-%d", e.Term, e.Plan) }

func (a *archive) put(t controller.Transition) {
	summary := status.Summary(status.ShownChanges(t.Plan.Summary))
	a.journal.Add(events.Event{At: t.At, Kind: events.KindPlan, Plan: t.Epoch.String(),
		Text: fmt.Sprintf("plan %s of %d actions: %s", t.Epoch, len(t.Plan.Graph.Actions), t.Why)})
	a.do(func() {
		e := history.Entry{Term: t.Epoch.Term, Plan: t.Epoch.Plan, Node: a.node, At: t.At, Why: t.Why, Actions: len(t.Plan.Graph.Actions), Summary: summary}
		input := stamp(t.Input.Root, t.At)
		if err := a.log.Add(e, input.AppendXML(nil)); err != nil {
			a.slog.Warn("a plan could not be kept in the history", "plan", t.Epoch, "error", err)
		}
	})
}

// stamp notes in a CIB for when it was planned with, so that a replay plans for the same time.
func stamp(root *cib.Element, at time.Time) *cib.Element {
	return root.With("execution-date", fmt.Sprint(at.Unix()))
}

func (a *archive) end(e controller.Ended) {
	a.journal.Add(events.Event{At: a.now(), Kind: events.KindPlan, Plan: e.Epoch.String(), Text: fmt.Sprintf("plan %s: %s", e.Epoch, e.Outcome),
		Bad: e.Outcome != "complete"})
	at := a.now()
	a.do(func() {
		if err := a.log.End(planID(e.Epoch), at, e.Outcome); err != nil && !errors.Is(err, history.ErrNone) {
			a.slog.Warn("the end of a plan could not be kept in the history", "plan", e.Epoch, "error", err)
		}
	})
}

// historyRequest asks a node for its part of the history: the list, or one input.
type historyRequest struct {
	Input string `json:"input,omitempty"` // id of a plan; empty: the list
}

type historyAnswer struct {
	List  []history.Entry `json:"list,omitempty"`
	Input []byte          `json:"input,omitempty"`
}

func (d *Daemon) serveHistory(_ context.Context, _ string, body []byte) ([]byte, error) {
	var r historyRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	var a historyAnswer
	var err error
	if r.Input != "" {
		a.Input, err = d.history.Input(r.Input)
	} else {
		a.List, err = d.history.Last(keptTransitions)
	}
	if errors.Is(err, history.ErrNone) {
		err = fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// askHistory asks every member for its part, side by side. Those that do not answer have none.
func (d *Daemon) askHistory(ctx context.Context, r historyRequest) []historyAnswer {
	body, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	members := d.store.View().Cluster.Members
	answers := make([]*historyAnswer, len(members))
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	var wg sync.WaitGroup
	for i, m := range members {
		wg.Go(func() {
			data, err := d.call(ctx, m.Name, serviceHistory, body)
			a := &historyAnswer{}
			if err == nil && json.Unmarshal(data, a) == nil {
				answers[i] = a
			}
		})
	}
	wg.Wait()
	var out []historyAnswer
	for _, a := range answers {
		if a != nil {
			out = append(out, *a)
		}
	}
	return out
}

// Transitions lists the plans that the members have kept, newest first.
func (d *Daemon) Transitions(ctx context.Context) ([]wire.Transition, error) {
	var out []wire.Transition
	for _, a := range d.askHistory(ctx, historyRequest{}) {
		for _, e := range a.List {
			out = append(out, wire.Transition{ID: e.ID(), Epoch: cib.Epoch{Term: e.Term, Plan: e.Plan}, At: e.At, Ended: e.Ended,
				Why: e.Why, Actions: e.Actions, Summary: e.Summary, Outcome: e.Outcome})
		}
	}
	slices.SortFunc(out, func(a, b wire.Transition) int {
		switch {
		case b.Epoch.Less(a.Epoch):
			return -1
		case a.Epoch.Less(b.Epoch):
			return 1
		}
		return 0
	})
	return out, nil
}

// TransitionInput is the CIB that a plan was made from.
func (d *Daemon) TransitionInput(ctx context.Context, id string) ([]byte, error) {
	if data, err := d.history.Input(id); err == nil {
		return data, nil
	}
	for _, a := range d.askHistory(ctx, historyRequest{Input: id}) {
		if a.Input != nil {
			return a.Input, nil
		}
	}
	return nil, fmt.Errorf("%w: plan %s is kept by no member that answers", api.ErrNotFound, id)
}

// TransitionGraph is what was made of it: the same input gives the same plan.
func (d *Daemon) TransitionGraph(ctx context.Context, id string) ([]byte, error) {
	data, err := d.TransitionInput(ctx, id)
	if err != nil {
		return nil, err
	}
	c, err := cib.Decode(id, data)
	if err != nil {
		return nil, err
	}
	plan := scheduler.Schedule(c, scheduler.Options{Now: c.ExecutionDate})
	var out bytes.Buffer
	err = plan.Graph.WriteXML(&out)
	return out.Bytes(), err
}
