package controller

import (
	"fmt"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
)

// Local is what one node does by itself, in a partition without quorum: no-quorum-policy, for its own part.
type Local struct {
	Plan   *scheduler.Plan   // what the whole cluster would have to do
	Graph  *transition.Graph // of it, what this node can do alone: to stop and demote what runs here
	Reboot bool              // no-quorum-policy is suicide: the node is to end itself, by its watchdog or a reboot

	epoch   cib.Epoch
	cluster cib.Cluster
	made    time.Time
}

// LocalStops decides what a node without quorum does, from the last state it has. It starts, promotes and
// fences nothing (invariant I6). epoch must be higher than that of any operation the node has seen and lower
// than any that a later leader will use: that of the last operation with the next plan number.
func LocalStops(s cib.State, node string, epoch cib.Epoch, now time.Time) (*Local, error) {
	root := s.CIB.Root.With("have-quorum", "0")
	if s.CIB.HaveQuorum {
		root = root.With("no-quorum-panic", "1") // it had quorum, so it may be that others now think it is lost
	}
	in, err := s.CIB.Update(root)
	if err != nil {
		return nil, fmt.Errorf("what to do without quorum: %w", err)
	}
	plan := scheduler.Schedule(in, scheduler.Options{Now: now, TransitionID: int(epoch.Plan)})
	l := &Local{Plan: plan, epoch: epoch, cluster: s.Cluster, made: now}
	g := *plan.Graph
	g.Actions, g.Idle = nil, nil
	kept := map[int]bool{}
	for _, a := range plan.Graph.Actions {
		switch {
		case a.Task == "stonith" && a.Kind == transition.ClusterEvent && a.Node == node:
			l.Reboot = true
		case a.Kind == transition.Pseudo, nodeOf(a) == node && (a.Task == "stop" || a.Task == "demote"):
			kept[a.ID] = true
		}
	}
	for _, a := range plan.Graph.Actions {
		if !kept[a.ID] {
			continue
		}
		mine := *a // what others would have to do first cannot be waited for
		mine.Inputs = nil
		for _, in := range a.Inputs {
			if kept[in.ID] {
				mine.Inputs = append(mine.Inputs, in)
			}
		}
		g.Actions = append(g.Actions, &mine)
	}
	l.Graph = &g
	return l, nil
}

// Operation is what the node's executor is told to do for an action of the Graph. Its number is none that a leader
// gives in a plan of the same epoch, nor that of an earlier plan of the node's own: for the executor it would be the
// same operation.
func (l *Local) Operation(a *transition.Action) cib.Operation {
	op := makeOperation(a, l.epoch, l.Graph, l.cluster)
	op.Action = -int(l.made.UnixMilli()*1000) - a.ID
	return op
}

// Known is the last state that a node has, with what it knows besides: results that the leader has said to be
// committed, and those that no leader has taken yet. Without them, who is cut off in this moment would not know what it
// has started itself. An error comes with the state as it was.
func Known(s cib.State, node string, told, unacked []cib.OpResult, now time.Time) (cib.State, error) {
	results := slices.Clone(told)
	for _, r := range unacked {
		if !slices.ContainsFunc(told, func(t cib.OpResult) bool { return t.Serial == r.Serial }) {
			results = append(results, r)
		}
	}
	if len(results) == 0 {
		return s, nil
	}
	with, err := cib.Apply(s, cib.Command{V: cib.CommandVersion, At: now, By: node, Results: results})
	if err != nil {
		return s, fmt.Errorf("what %s has done and nobody knows yet: %w", node, err)
	}
	return with, nil
}
