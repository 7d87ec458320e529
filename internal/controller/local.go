package controller

import (
	"fmt"
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
	l := &Local{Plan: plan, epoch: epoch, cluster: s.Cluster}
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

// Operation is what the node's executor is told to do for an action of the Graph.
func (l *Local) Operation(a *transition.Action) cib.Operation {
	return makeOperation(a, l.epoch, l.Graph, l.cluster)
}
