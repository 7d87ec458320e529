package replay

import (
	"flag"
	"runtime"
	"sync"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/transition"
)

var plantSeeds = flag.Int("plant-seeds", 0, "within how many seeds each planted bug must be found; 0: a few are looked at")

var reports = flag.Bool("reports", false, "tell of what was found as of a failure")

// fewSeeds are those that a short test looks at.
const fewSeeds = 2

// planned makes a scheduler that is wrong: change gets each plan, with its number.
func planned(change func(in *cib.CIB, p *scheduler.Plan, number int)) func() Plant {
	return func() Plant {
		calls := 0
		return Plant{Schedule: func(in *cib.CIB, o scheduler.Options) *scheduler.Plan {
			p := scheduler.Schedule(in, o)
			calls++
			change(in, p, calls)
			return p
		}}
	}
}

// plants are bugs, and the invariant that each of them breaks.
var plants = []struct {
	invariant, name string
	plant           func() Plant
}{
	{"I1", "fence devices say that a host is off which is on", func() Plant { return Plant{DeviceLies: true} }},
	{"I2", "starts wait for nothing", planned(func(_ *cib.CIB, p *scheduler.Plan, _ int) {
		for _, a := range p.Graph.Actions {
			if a.Task == "start" {
				a.Inputs = nil
			}
		}
	})},
	{"I3", "executors obey deposed leaders", func() Plant { return Plant{AnyEpoch: true} }},
	{"I4", "every second plan has its actions in another order", planned(func(_ *cib.CIB, p *scheduler.Plan, number int) {
		if n := len(p.Graph.Actions); n > 1 && number%2 == 0 {
			p.Graph.Actions[0], p.Graph.Actions[n-1] = p.Graph.Actions[n-1], p.Graph.Actions[0]
		}
	})},
	{"I5", "every second version of the CIB has no monitors planned", planned(func(in *cib.CIB, p *scheduler.Plan, _ int) {
		var kept []*transition.Action
		for _, a := range p.Graph.Actions {
			if a.Task != "monitor" || a.Interval() == 0 || in.Version.NumUpdates%2 == 0 {
				kept = append(kept, a)
			}
		}
		p.Graph.Actions = kept
	})},
	{"I6", "leaders do not notice that they have lost their majority", func() Plant { return Plant{NoVerify: true} }},
	{"I7", "the scheduler notes in the CIB that there is no quorum", planned(func(in *cib.CIB, _ *scheduler.Plan, _ int) { in.HaveQuorum = false })},
	{"I8", "a barrier that has failed is not tried again", func() Plant { return Plant{OneBarrier: true} }},
	{"I8", "an order that was lost is not given again", func() Plant { return Plant{NeverAgain: true} }},
	{"I9", "a leader commits what is on its own disk only", func() Plant { return Plant{CommitAlone: true} }},
}

// Each invariant is broken on purpose, and the simulator finds it.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, p := range plants {
		t.Run(p.invariant+" "+p.name, func(t *testing.T) {
			seed, ok := search(max(*plantSeeds, fewSeeds), func(seed uint64) bool {
				r := Generate(seed)
				r.Config.Plant = p.plant()
				return Invariant(Play(r).Breach) == p.invariant
			})
			if !ok && *plantSeeds == 0 {
				t.Skipf("not found within %d seeds; make replay looks at more", fewSeeds)
			}
			if !ok {
				t.Fatalf("not found within %d seeds", *plantSeeds)
			}
			t.Logf("found by seed %d", seed)
			if *reports {
				r := Generate(seed)
				r.Config.Plant = p.plant()
				t.Log(Report(r))
			}
		})
	}
}

// search finds the lowest seed that does it.
func search(most int, found func(seed uint64) bool) (uint64, bool) {
	batch := 2 * runtime.GOMAXPROCS(0)
	for begin := 1; begin <= most; begin += batch {
		hits := make([]bool, batch)
		var wg sync.WaitGroup
		for i := range batch {
			wg.Go(func() { hits[i] = found(uint64(begin + i)) })
		}
		wg.Wait()
		for i, hit := range hits {
			if hit {
				return uint64(begin + i), true
			}
		}
	}
	return 0, false
}
