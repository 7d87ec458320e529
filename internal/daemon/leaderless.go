package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// leaderSoon is how long it is waited for a leader before this node answers for itself: an election takes less.
const leaderSoon = 2 * time.Second

// restAlone is what this node waits for where nobody leads, and what would release it.
func (d *Daemon) restAlone() wire.Rest {
	v := d.members.View()
	w := wire.Waiting{What: "a leader", Node: d.node.Name, Why: v.Waiting}
	var lost []string
	for _, s := range v.Seen {
		if s.Lost {
			lost = append(lost, s.Name)
			if w.Since.IsZero() || s.LastHeard.After(w.Since) {
				w.Since = s.LastHeard
			}
		}
	}
	if w.Why == "" {
		w.Why = v.Verdict.Why
	}
	if len(lost) > 0 {
		w.Why += "; not heard: " + strings.Join(lost, ", ")
		if v.Verdict.Quorate { // otherwise nothing but their return helps
			w.Release = "cerco stonith confirm " + lost[0]
		}
	}
	return withFencing(wire.Rest{Waiting: []wire.Waiting{w}}, d.fencer.Waiting())
}

// confirmRequest is a person's word that is told to nodes without a leader.
type confirmRequest struct {
	Target string `json:"target"`
	By     string `json:"by"`
}

// Confirm records a person's word that a node is off. Where nobody leads, all that can be reached are told: the
// survivor that waits for proof, whichever it is, goes on with it.
func (d *Daemon) Confirm(ctx context.Context, target, by string) (cib.FenceRecord, error) {
	for {
		if leader, _ := d.store.Leader(); leader == "" {
			return d.confirmAlone(ctx, confirmRequest{target, by})
		}
		soon, cancel := context.WithTimeout(ctx, leaderSoon)
		rec, err := d.askFence(soon, fenceRequest{Confirm: target, By: by})
		cancel()
		if !errors.Is(err, api.ErrNoLeader) && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return rec, err
		}
	}
}

func (d *Daemon) confirmAlone(ctx context.Context, r confirmRequest) (cib.FenceRecord, error) {
	rec, err := d.confirmHere(r)
	if err != nil {
		return rec, err
	}
	body, err := json.Marshal(r)
	if err != nil {
		return rec, err
	}
	for _, m := range d.clusterMembers() {
		if m.Name == d.node.Name || m.Name == r.Target || !d.reachable(m.Name) {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, leaderSoon)
		if _, err := d.call(ctx, m.Name, serviceConfirm, body); err != nil {
			d.log.Warn("a node could not be told what an operator has confirmed", "peer", m.Name, "target", r.Target, "error", err)
		}
		cancel()
	}
	return rec, nil
}

func (d *Daemon) confirmHere(r confirmRequest) (cib.FenceRecord, error) {
	rec, err := d.fencer.Confirm(r.Target, r.By, false)
	if err == nil {
		d.lone.confirm(rec)
	}
	return rec, err
}

func (d *Daemon) serveConfirm(_ context.Context, _ string, body []byte) ([]byte, error) {
	var r confirmRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	rec, err := d.confirmHere(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(rec)
}
