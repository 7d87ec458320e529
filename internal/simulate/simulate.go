// Package simulate carries a plan out on a copy of the state: no agent is called, every operation has the
// result that the plan expects of it, or the one that the caller asks for, and what a real cluster would
// have recorded becomes the history of the copy. It also injects events before planning: nodes that
// come, go or fail, quorum, tickets, results of operations.
//
// The CIB that comes in is never changed; the one that goes out shares all it can with it. The cost of a
// run is one pass over the actions and one over the node states, however large the rest of the CIB is.
// Nothing in here reads a clock: time stamps are the caller's.
package simulate

import (
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// Options of one Run.
type Options struct {
	Stamp time.Time // time of every operation in the history
	Fail  []OpSpec  // operations that fail, and how

	// NoCancels leaves cancellations out of the history. crm_simulate records them like any operation, which
	// makes a resource that was stopped before look active.
	NoCancels bool
}

// Result of one Run.
type Result struct {
	After    *cib.CIB
	Steps    []Step
	Complete bool // every action of the graph was carried out
}

// StepKind tells what a Step is.
type StepKind uint8

const (
	PseudoStep   StepKind = iota // a pseudo event was reached
	ResourceStep                 // an operation of a resource
	ClusterStep                  // an action of the cluster itself: shutdown, clearing of failures
	FenceStep                    // a node was fenced
	FailureStep                  // the step before was made to fail
	AttrStep                     // a node attribute was set
)

// Step is one thing that happened, in order.
type Step struct {
	Kind       StepKind
	ID         int    // number of the action
	Task       string // "start", "do_shutdown", ...; "reboot", "off" or "on" of a FenceStep
	Key        string // key of a pseudo event
	Resource   string // with the instance number
	Node       string
	IntervalMS int64
	RC         int    // of a FailureStep
	Attr       string // name of an AttrStep's attribute
	Value      string // "value++" or a value
	NodeID     string // of an AttrStep
}

// run is the state of one Run.
type run struct {
	in     *cib.CIB
	status *cib.StatusEdit
	opts   Options
	runner *transition.Runner
	steps  []Step
	known  map[string]bool // names of the resources that have a history; nil: not looked yet
}

// Run carries a graph out on a copy of the CIB that it was made for.
func Run(in *cib.CIB, graph *transition.Graph, opts Options) (*Result, error) {
	r := &run{in: in, status: editStatus(in), opts: opts, runner: transition.NewRunner(graph)}
	r.steps = make([]Step, 0, len(graph.Actions))
	for a := r.runner.Next(); a != nil; a = r.runner.Next() {
		r.runner.Finish(a.ID, r.execute(a))
	}
	after, err := build(in, r.status)
	if err != nil {
		return nil, err
	}
	return &Result{After: after, Steps: r.steps, Complete: r.runner.Complete()}, nil
}

// execute carries one action out and reports whether it succeeded.
func (r *run) execute(a *transition.Action) bool {
	switch a.Kind {
	case transition.Pseudo:
		r.steps = append(r.steps, Step{Kind: PseudoStep, ID: a.ID, Key: a.Key, Node: a.Node})
		return true
	case transition.ClusterEvent:
		r.clusterEvent(a)
		return true
	}
	return r.operation(a)
}

func (r *run) clusterEvent(a *transition.Action) {
	if a.Task != "stonith" {
		s := Step{Kind: ClusterStep, ID: a.ID, Task: a.Task, Node: a.Node}
		if a.Rsc != nil {
			s.Resource = a.Rsc.ID
		}
		r.steps = append(r.steps, s)
		return
	}
	how := a.Attr("CRM_meta_stonith_action")
	r.steps = append(r.steps, Step{Kind: FenceStep, ID: a.ID, Task: how, Node: a.Node})
	if how != "on" {
		fenced(r.status.Node(a.Node, a.NodeID))
	}
}

// name is what an instance is called: by its plain name once any history knows that name, before that
// with its number.
func (r *run) name(rsc *transition.Resource) string {
	if rsc.LongID == "" || rsc.LongID == rsc.ID {
		return rsc.ID
	}
	if r.known == nil {
		r.known = make(map[string]bool)
		for _, n := range r.in.Status.Nodes {
			for _, h := range n.Lrm {
				r.known[h.ID] = true
			}
		}
	}
	if r.known[rsc.ID] {
		return rsc.ID
	}
	return rsc.LongID
}

// operation carries an operation of a resource out: the expected result, or a failure if it was asked
// for, goes into the history of the node.
func (r *run) operation(a *transition.Action) bool {
	if a.Rsc == nil || a.Task == "probe_again" { // asks the node to look again: nothing to record
		return true
	}
	name := r.name(a.Rsc)
	r.steps = append(r.steps, Step{Kind: ResourceStep, ID: a.ID, Task: a.Task, Resource: name, Node: a.Node, IntervalMS: a.Interval()})
	if a.Task == "delete" || a.Task == "cancel" && r.opts.NoCancels {
		return true
	}
	e := entryOf(a)
	e.Changed = r.opts.Stamp.Unix()
	node := r.status.Node(a.Node, a.NodeID)
	history := node.History(name, a.Rsc.ID, a.Rsc.Class, a.Rsc.Provider, a.Rsc.Type)
	for _, f := range r.opts.Fail {
		if f.matches(a, name) {
			e.RC = f.RC
			e.Reason = "User-injected result"
			record(history, e)
			r.steps = append(r.steps, Step{Kind: FailureStep, ID: a.ID, RC: f.RC})
			r.steps = append(r.steps, countFailure(node, e)...)
			r.runner.Abort(transition.Infinity)
			return false
		}
	}
	record(history, e)
	return true
}

// editStatus begins to change a status section as crm_simulate does.
func editStatus(in *cib.CIB) *cib.StatusEdit {
	s := cib.EditStatus(in)
	s.KeepOld = true
	return s
}

// root is the root element after the changes; num_updates counts the writes.
func root(in *cib.CIB, s *cib.StatusEdit) *cib.Element {
	return s.Root().With("num_updates", strconv.Itoa(in.Version.NumUpdates+s.Updates()))
}

// build puts the CIB together again.
func build(in *cib.CIB, s *cib.StatusEdit) (*cib.CIB, error) {
	return cib.DecodeRoot(in.File, root(in, s))
}
