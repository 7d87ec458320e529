package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/wire"
)

// backend is the daemon as its API sees it.
type backend struct{ *Daemon }

var _ api.Backend = backend{}

// restRequest asks the leader whether all that follows from a command has been done.
type restRequest struct {
	Index  uint64 `json:"index"`
	WaitMS int64  `json:"wait_ms"` // how long it may wait for that
}

// settleRound is how long a node waits for the leader's answer at a time.
const settleRound = 5 * time.Second

// serveRest waits until the plans that a command led to are done, or time is up, and tells how things are.
func (d *Daemon) serveRest(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var r restRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	if d.leading() == nil {
		return nil, errElsewhere
	}
	late := time.NewTimer(time.Duration(r.WaitMS) * time.Millisecond)
	defer late.Stop()
	for {
		s, index, more := d.loop.look()
		if !s.Leading {
			return nil, errElsewhere
		}
		rest := withFencing(restOf(s), d.fencer.Waiting())
		rest.Upgrade = d.upgrading()
		rest.Settled = rest.Settled && index >= r.Index
		if rest.Settled {
			return json.Marshal(rest)
		}
		select {
		case <-more:
		case <-late.C:
			return json.Marshal(rest)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func restOf(s controller.Status) wire.Rest {
	r := wire.Rest{Settled: s.Phase == controller.PhaseResting && len(s.Waits) == 0, Plan: s.Epoch.String()}
	for _, w := range s.Waits {
		r.Waiting = append(r.Waiting, wire.Waiting{What: w.What, Node: w.Node, Since: w.Since, Why: w.Trouble, Release: w.Release})
	}
	return r
}

// withFencing adds what each fencing does just now, and those that the controller has not asked for.
func withFencing(r wire.Rest, flights []fencer.Waiting) wire.Rest {
	for _, f := range flights {
		i := slices.IndexFunc(r.Waiting, func(w wire.Waiting) bool {
			return w.Node == f.Request.Target && strings.HasPrefix(w.What, "fencing of ")
		})
		if i < 0 {
			r.Waiting = append(r.Waiting, wire.Waiting{What: fmt.Sprintf("fencing of %s (%s), asked for by %s", f.Request.Target, f.Request.Action, f.Request.By),
				Node: f.Request.Target, Since: f.Since, Release: f.Release})
			i = len(r.Waiting) - 1
		}
		r.Waiting[i].Why = f.Doing
	}
	return r
}

func (d *Daemon) rest(ctx context.Context, index uint64, wait time.Duration) (wire.Rest, error) {
	return ask[wire.Rest](ctx, d, serviceRest, restRequest{Index: index, WaitMS: wait.Milliseconds()})
}

// Rest says what the cluster is doing about a command.
func (d *Daemon) Rest(ctx context.Context, index uint64) (wire.Rest, error) {
	soon, cancel := context.WithTimeout(ctx, leaderSoon)
	defer cancel()
	if leader, _ := d.store.Leader(); leader != "" {
		r, err := d.rest(soon, index, 0)
		if !errors.Is(err, api.ErrNoLeader) && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return r, err
		}
	}
	return d.restAlone(), nil
}

// Settle waits for it to come to rest.
func (d *Daemon) Settle(ctx context.Context, index uint64) (wire.Rest, error) {
	var last wire.Rest
	for {
		r, err := d.rest(ctx, index, settleRound)
		switch {
		case err == nil && r.Settled:
			return r, nil
		case err == nil:
			last = r
		case ctx.Err() == nil && !errors.Is(err, api.ErrNoLeader):
			return r, err
		}
		if ctx.Err() != nil {
			return last, nil
		}
	}
}

// fenceRequest is a fencing that somebody asks the leader for, or a word that a node is off.
type fenceRequest struct {
	Request *cib.FenceRequest `json:"request,omitempty"`
	Confirm string            `json:"confirm,omitempty"`
	By      string            `json:"by"`
}

// Fence has the leader cut a node off.
func (d *Daemon) Fence(ctx context.Context, r cib.FenceRequest) (cib.FenceRecord, error) {
	return d.askFence(ctx, fenceRequest{Request: &r, By: r.By})
}

func (d *Daemon) askFence(ctx context.Context, r fenceRequest) (cib.FenceRecord, error) {
	return ask[cib.FenceRecord](ctx, d, serviceFence, r)
}

// serveFence is the leader's part of a fencing that a person or a tool asks for.
func (d *Daemon) serveFence(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var r fenceRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	if err := d.store.VerifyLeader(ctx); err != nil {
		return nil, err
	}
	var rec cib.FenceRecord
	switch {
	case r.Confirm != "":
		var err error
		if rec, err = d.fencer.Confirm(r.Confirm, r.By, false); err != nil {
			return nil, err
		}
	case r.Request != nil:
		req := *r.Request
		if m := d.store.View().Cluster.Member(req.Target); m != nil {
			req.TargetID = m.ID
		} else if n := d.store.View().CIB.NodeByName(req.Target); n != nil {
			req.TargetID = n.ID
		} else {
			return nil, fmt.Errorf("%w: the cluster has no node %q", api.ErrNotFound, req.Target)
		}
		if req.ID == "" {
			req.ID = "asked-" + req.Target + "-" + strconv.FormatInt(d.cfg.Now().UnixNano(), 36)
		}
		rec = d.fencer.Fence(ctx, req, func(p cib.FenceRecord) { d.commitFencing(ctx, p) })
	default:
		return nil, errors.New("nothing is asked for")
	}
	if err := d.commitFencing(ctx, rec); err != nil {
		return nil, fmt.Errorf("%s: the outcome (%s) could not be committed: %w", rec.Target, rec.State, err)
	}
	return json.Marshal(rec)
}

func (d *Daemon) commitFencing(ctx context.Context, rec cib.FenceRecord) error {
	_, err := d.store.Propose(ctx, cib.Command{At: d.cfg.Now(), By: rec.By, Fencing: []cib.FenceRecord{rec}})
	return err
}

// Stop has everything moved away from a node; then its daemon ends.
func (d backend) Stop(ctx context.Context, node, by string) error {
	if d.store.View().Cluster.Member(node) == nil {
		return fmt.Errorf("%w: the cluster has no node %q", api.ErrNotFound, node)
	}
	_, err := d.Propose(ctx, cib.Command{By: by, Note: by + " stops " + node, Attributes: []cib.AttributeUpdate{
		{Node: node, Name: "shutdown", Value: strconv.FormatInt(d.cfg.Now().Unix(), 10)}}})
	return err
}
