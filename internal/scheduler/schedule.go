// Package scheduler decides what a cluster must do next: a pure function from a CIB and a time to a plan.
//
// It owns the working set of that one decision. It promises that the same input gives a byte-identical
// plan (invariant I4), that it never changes its input (I7), and that a plan whose expected results are
// applied leaves nothing to do (I5). It never reads a clock, a file or a random number and never logs:
// what it has to say is in the plan, each action with its reason and each placement with its account.
package scheduler

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// Options of one Schedule call.
type Options struct {
	Now          time.Time // effective time; required
	Scores       bool      // keep the score lines
	Account      bool      // keep the account of every score
	Masked       bool      // secrets in the CIB may be masked: what only they changed is no change
	Idle         bool      // keep what was considered and is not done in Graph.Idle, for drawings
	TransitionID int       // number written into the graph
}

// Plan is what Schedule decided.
type Plan struct {
	Graph       *transition.Graph
	Summary     []Change    // what will become of each resource and node, in CIB order
	Scores      []ScoreLine // with Options.Scores, in the order of assignment
	Utilization []string    // with Options.Scores: utilisation lines
	// UtilizationAt says for each line of Utilization how many lines of Scores go before it.
	UtilizationAt []int
	Warnings      []string
	View          *View       // the cluster as it was understood before any action
	Placements    []Placement // with Options.Account: one for each primitive or instance
}

// Placement says where one resource will be and how each node scored for it.
type Placement struct {
	Resource string
	Node     string // empty: nowhere
	Role     string
	Why      string // one sentence
	Nodes    []NodeAccount
}

// NodeAccount is the account of one node's score for one resource.
type NodeAccount struct {
	Node  string
	Score int
	In    bool
	Terms []Term
}

// Term is one thing that changed a score.
type Term struct {
	Kind, ID, Note string
	Delta          int
}

// ScoreLine is one line of a score trace.
type ScoreLine struct {
	By        string // the phase that printed it; empty for promotion scores
	Resource  string
	Promotion bool
	Node      string // "none" when it was not assigned
	Score     int
}

// Change is a row of the transition summary. Rows are in the order in which they are shown: nodes that
// are fenced or shut down first, then resources.
type Change struct {
	// Verb is "Fence" or "Shutdown" for nodes; for resources "Start", "Stop", "Recover", "Restart",
	// "Reload", "Move", "Migrate", "Promote", "Demote", "Re-promote" or "Leave".
	Verb string

	// Nodes. Detail is how the node is fenced ("reboot", "off", "on"); Container is the resource that
	// a guest node lives in, empty for other nodes.
	Node      string
	Detail    string
	Container string

	// Resources. From is where it is now, empty if nowhere; To is where it will be, empty if nowhere.
	// For verbs that keep the resource in place both are set and equal. Roles are "Stopped", "Started",
	// "Unpromoted" or "Promoted". ShowRoles says that the roles are part of the row (either is one of
	// promotion), except in a plain Start.
	Resource         string
	From, To         string
	FromRole, ToRole string
	ShowRoles        bool
	Blocked          bool // it ought to be done and cannot be

	// Reason is why, without "due to": "node availability", "required rsc1 start"; may be empty.
	Reason string
}

// Schedule decides what the cluster described by in must do.
func Schedule(in *cib.CIB, opts Options) *Plan {
	p := &planner{in: in, now: opts.Now, opts: opts}
	p.unpack()
	view := p.view()
	p.assign()
	p.act()
	return &Plan{Graph: p.graph(), Summary: p.summary(), Scores: p.scoreLines, Utilization: p.utilLines, UtilizationAt: p.utilAt,
		Warnings: p.warnings, View: view, Placements: p.placements()}
}

// Look unpacks the state without deciding anything.
func Look(in *cib.CIB, opts Options) *View {
	p := &planner{in: in, now: opts.Now, opts: opts}
	p.unpack()
	return p.view()
}
