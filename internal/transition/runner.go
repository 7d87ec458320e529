package transition

import (
	"container/heap"
	"slices"
	"strconv"
)

// Infinity is the priority that no abort outranks: actions of this priority run in every case.
const Infinity = 1000000

// Phase is how far an action has come.
type Phase uint8

const (
	Waiting  Phase = iota // for its inputs, or for its turn
	Running               // handed out by Next, not done yet
	Done                  // complete, and successful or allowed to fail
	Failed                // complete, and what comes after it is lost
	Skipped               // never to be handed out: its priority was too low when the transition was aborted
	Stranded              // never to be handed out: something before it failed or was skipped
)

// Runner leads through a graph: it says which action may start now and takes in results. It performs
// nothing and reads no clock.
//
// Actions are handed out in rounds: in each round every action whose inputs are complete, in the order
// of the graph, including those that became ready through an earlier action of the same round. That is
// the order in which Pacemaker executes its graphs.
type Runner struct {
	graph      *Graph
	phase      []Phase
	tainted    []bool    // something before it failed
	waits      []int32   // inputs of an action that are not complete
	dependents [][]int32 // actions that wait for it
	index      map[int]int32
	thisRound  intHeap // ready, behind the cursor's place in this round
	nextRound  intHeap // ready, but their turn in this round is over
	cursor     int32   // the action that was handed out last
	abort      int     // actions of lower priority are not started
	running    int     // agents' and fencing operations in flight
	batch      int     // most of them at a time; 0: no limit
	migrations int     // most live migrations on a node; negative: no limit
	migrating  map[string]int
	done       int
}

// NewRunner starts at the beginning of a graph. The graph must not change while the runner is in use.
func NewRunner(g *Graph) *Runner {
	n := len(g.Actions)
	r := &Runner{graph: g, phase: make([]Phase, n), tainted: make([]bool, n), waits: make([]int32, n), dependents: make([][]int32, n),
		index: make(map[int]int32, n), cursor: -1, abort: -Infinity - 1,
		batch: limit(g.BatchLimit, 0), migrations: limit(g.MigrationLimit, -1), migrating: map[string]int{}}
	for i, a := range g.Actions {
		r.index[a.ID] = int32(i)
	}
	for i, a := range g.Actions {
		for _, in := range a.Inputs {
			if before, ok := r.index[in.ID]; ok {
				r.waits[i]++
				r.dependents[before] = append(r.dependents[before], int32(i))
			}
		}
		if r.waits[i] == 0 {
			r.thisRound = append(r.thisRound, int32(i))
		}
	}
	return r
}

// limit reads a limit of the graph's header; none when it is absent or not a number.
func limit(s string, none int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return none
}

// Next hands out one action that may start now, or nil when there is none: then either results are
// outstanding (Pending), or the transition is over. Every action that was handed out must be reported
// with Finish, pseudo events too.
func (r *Runner) Next() *Action {
	var deferred []int32
	defer func() {
		for _, i := range deferred {
			heap.Push(&r.nextRound, i)
		}
	}()
	for {
		if len(r.thisRound) == 0 {
			if len(r.nextRound) == 0 {
				return nil
			}
			r.thisRound, r.nextRound, r.cursor = r.nextRound, r.thisRound, -1
		}
		i := heap.Pop(&r.thisRound).(int32)
		a := r.graph.Actions[i]
		if a.Kind != Pseudo && a.Priority < r.abort {
			r.drop(i, Skipped)
			continue
		}
		r.cursor = i
		if !r.admits(a) {
			deferred = append(deferred, i)
			continue
		}
		r.begin(i)
		return a
	}
}

// admits reports whether the limits of the graph let an action start.
func (r *Runner) admits(a *Action) bool {
	if a.Kind == Pseudo {
		return true
	}
	if r.batch > 0 && r.running >= r.batch {
		return false
	}
	return r.migrations < 0 || !a.migrates() || r.migrating[a.Node] < r.migrations
}

func (a *Action) migrates() bool { return a.Task == "migrate_to" || a.Task == "migrate_from" }

func (r *Runner) begin(i int32) {
	r.phase[i] = Running
	if a := r.graph.Actions[i]; a.Kind != Pseudo {
		r.running++
		if a.migrates() {
			r.migrating[a.Node]++
		}
	}
}

// Finish takes in the result of an action that Next handed out. A failure that the action may not have
// (CanFail) strands what comes after it, and keeps actions of the same or a lower priority from starting.
// Only what has infinite priority still comes directly after it, such as the pseudo event that all starts
// of a clone are over, with the notifications around it; operations behind those are stranded all the same.
//
// It reports whether the result was expected: a second result, or one for an unknown action, changes nothing.
func (r *Runner) Finish(id int, ok bool) bool {
	i, known := r.index[id]
	if !known || r.phase[i] != Running {
		return false
	}
	a := r.graph.Actions[i]
	if a.Kind != Pseudo {
		r.running--
		if a.migrates() {
			r.migrating[a.Node]--
		}
	}
	if ok || a.CanFail {
		r.phase[i] = Done
		r.done++
	} else {
		r.phase[i] = Failed
		r.Abort(a.Priority + 1)
		r.tainted[i] = true
	}
	for _, d := range r.dependents[i] {
		if r.phase[d] != Waiting {
			continue
		}
		if r.tainted[i] {
			then := r.graph.Actions[d]
			if then.Priority < Infinity && (r.phase[i] == Failed || then.Kind != Pseudo) {
				r.drop(d, Stranded)
				continue
			}
			r.tainted[d] = true
		}
		if r.waits[d]--; r.waits[d] == 0 {
			r.enqueue(d)
		}
	}
	return true
}

func (r *Runner) enqueue(i int32) {
	if i > r.cursor {
		heap.Push(&r.thisRound, i)
	} else {
		heap.Push(&r.nextRound, i)
	}
}

// Abort keeps operations of a lower priority than this one from starting; those that run are waited for,
// and pseudo events, which do nothing, still come to pass when their inputs are complete. A later
// call with a lower priority has no effect.
func (r *Runner) Abort(priority int) { r.abort = max(r.abort, min(priority, Infinity)) }

// Aborted reports whether Abort was called or an action failed.
func (r *Runner) Aborted() bool { return r.abort > -Infinity-1 }

// drop marks an action that will never be handed out, and with it all that waits for it.
func (r *Runner) drop(i int32, p Phase) {
	r.phase[i] = p
	r.strand(i)
}

func (r *Runner) strand(i int32) {
	todo := []int32{i}
	for len(todo) > 0 {
		last := len(todo) - 1
		i, todo = todo[last], todo[:last]
		for _, d := range r.dependents[i] {
			if r.phase[d] == Waiting {
				r.phase[d] = Stranded
				todo = append(todo, d)
			}
		}
	}
}

// Pending is the number of actions in flight, pseudo events not counted.
func (r *Runner) Pending() int { return r.running }

// Completed is the number of actions that are done, pseudo events included.
func (r *Runner) Completed() int { return r.done }

// Complete reports whether every action of the graph is done.
func (r *Runner) Complete() bool { return r.done == len(r.graph.Actions) }

// Phase tells how far an action has come; Waiting for an unknown one.
func (r *Runner) Phase(id int) Phase {
	if i, ok := r.index[id]; ok {
		return r.phase[i]
	}
	return Waiting
}

// Left returns the actions that are not done, in the order of the graph.
func (r *Runner) Left() []*Action {
	var out []*Action
	for i, a := range r.graph.Actions {
		if r.phase[i] != Done {
			out = append(out, a)
		}
	}
	return slices.Clip(out)
}

// intHeap is a heap of positions, smallest first.
type intHeap []int32

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int32)) }
func (h *intHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
