package replay

import (
	"flag"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 12, "how many runs with random faults")
	first = flag.Uint64("first", 1, "seed of the first one")
	show  = flag.Bool("show", false, "show the trace of each run")
)

// tally is what became of many runs.
type tally struct {
	mu      sync.Mutex
	faults  map[string]int
	worst   time.Duration
	slowest uint64
	steps   int
	plans   int
	failed  []string
	seeds   []uint64 // of those
}

// TestSeeds lets things happen to clusters and wants invariants I1 to I9 to hold all the time. `make replay` runs
// 10,000 of them.
func TestSeeds(t *testing.T) {
	all := &tally{faults: map[string]int{}}
	next := make(chan uint64)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range next {
				all.take(seed)
			}
		})
	}
	for i := range *seeds {
		next <- *first + uint64(i)
	}
	close(next)
	wg.Wait()
	t.Logf("%d runs, %d events, %d plans; the slowest to come to rest took %v (seed %d)", *seeds, all.steps, all.plans, all.worst, all.slowest)
	for _, fault := range slices.Sorted(maps.Keys(all.faults)) {
		t.Logf("%8d  %s", all.faults[fault], fault)
	}
	for _, f := range all.failed[:min(len(all.failed), 20)] {
		t.Error(f)
	}
	for _, seed := range all.seeds[:min(len(all.seeds), 2)] {
		t.Log(Report(Generate(seed)))
	}
	if len(all.failed) > 0 {
		t.Errorf("%d of %d runs fail", len(all.failed), *seeds)
	}
}

func (all *tally) take(seed uint64) {
	r := Generate(seed)
	if *show {
		r.Config.Trace = func(line string) { fmt.Println(line) }
	}
	out := Play(r)
	all.mu.Lock()
	defer all.mu.Unlock()
	if out.Breach != nil {
		all.seeds = append(all.seeds, seed)
		all.failed = append(all.failed, fmt.Sprintf("seed %d: %v", seed, out.Breach))
	}
	if out.World == nil {
		return
	}
	for f, n := range out.World.Counts {
		all.faults[f] += n
	}
	all.steps, all.plans = all.steps+out.World.steps, all.plans+out.World.plans
	if out.Converged > all.worst {
		all.worst, all.slowest = out.Converged, seed
	}
}
