package transition

import (
	"fmt"
	"slices"
	"testing"
)

// chain makes a graph: each action's inputs are given by id.
func chain(actions ...*Action) *Graph { return &Graph{Actions: actions} }

func op(id, priority int, inputs ...int) *Action {
	a := &Action{ID: id, Priority: priority, Task: "start", Key: fmt.Sprintf("r%d_start_0", id), Node: "n"}
	for _, in := range inputs {
		a.Inputs = append(a.Inputs, Input{in})
	}
	return a
}

func runAll(r *Runner, fail ...int) []int {
	var order []int
	for a := r.Next(); a != nil; a = r.Next() {
		order = append(order, a.ID)
		r.Finish(a.ID, !slices.Contains(fail, a.ID))
	}
	return order
}

func TestRunnerGoesInRounds(t *testing.T) {
	// 3 is ready at once, 5 becomes ready behind the cursor, 1 and 4 before it.
	g := chain(op(4, 0, 3, 1), op(1, 0, 3), op(3, 0), op(5, 0, 3), op(2, 0))
	r := NewRunner(g)
	if got, want := runAll(r), []int{3, 5, 2, 1, 4}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	if !r.Complete() || r.Completed() != 5 || len(r.Left()) != 0 {
		t.Errorf("complete %v with %d done, left %v", r.Complete(), r.Completed(), r.Left())
	}
}

func TestRunnerFailure(t *testing.T) {
	// 1 fails: 2 waits for it, 3 has a lower priority, 4 a higher one.
	g := chain(op(1, 5), op(2, 10, 1), op(3, 5), op(4, 6))
	r := NewRunner(g)
	if got, want := runAll(r, 1), []int{1, 4}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	for id, want := range map[int]Phase{1: Failed, 2: Stranded, 3: Skipped, 4: Done} {
		if got := r.Phase(id); got != want {
			t.Errorf("action %d: phase %d, want %d", id, got, want)
		}
	}
	if r.Complete() || !r.Aborted() || r.Pending() != 0 {
		t.Error("a failed run must end aborted, not complete, with nothing in flight")
	}
}

// The pseudo event after a failed start still comes, what waits for it does not.
func TestRunnerInfinitePriority(t *testing.T) {
	r := NewRunner(chain(op(1, 0), op(2, Infinity, 1, 3), op(3, 0), op(4, 1, 2), op(5, Infinity, 2)))
	a, b := r.Next(), r.Next()
	r.Finish(a.ID, false)
	r.Finish(b.ID, true)
	if got, want := runAll(r), []int{2, 5}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	if r.Phase(4) != Stranded {
		t.Errorf("action 4 is in phase %d, want it stranded", r.Phase(4))
	}
}

func TestRunnerMayFail(t *testing.T) {
	first := op(1, 0)
	first.CanFail = true
	r := NewRunner(chain(first, op(2, 0, 1)))
	if got, want := runAll(r, 1), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
}

func TestRunnerLimits(t *testing.T) {
	g := chain(op(1, 0), op(2, 0), op(3, 0))
	g.BatchLimit = "2"
	r := NewRunner(g)
	a, b := r.Next(), r.Next()
	if r.Next() != nil || r.Pending() != 2 {
		t.Fatal("a third action was handed out in spite of batch-limit 2")
	}
	r.Finish(a.ID, true)
	if c := r.Next(); c == nil || c.ID != 3 {
		t.Fatalf("got %v, want action 3", c)
	}
	if r.Finish(a.ID, true) {
		t.Error("a second result was taken")
	}
	r.Finish(b.ID, true)
	r.Finish(3, true)
	if !r.Complete() {
		t.Error("not complete")
	}

	g = chain(op(1, 0), op(2, 0), op(3, 0))
	for i, node := range []string{"n", "n", "m"} {
		g.Actions[i].Task, g.Actions[i].Node = "migrate_to", node
	}
	g.MigrationLimit = "1"
	r = NewRunner(g)
	if a, b := r.Next(), r.Next(); a.ID != 1 || b.ID != 3 || r.Next() != nil {
		t.Errorf("migrations handed out: %v %v, want 1 and 3 and no more", a, b)
	}
	r.Finish(1, true)
	if a := r.Next(); a == nil || a.ID != 2 {
		t.Errorf("got %v, want the migration that was put off", a)
	}
}
