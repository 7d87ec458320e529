package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

const service = `<primitive id="A" class="ocf" provider="cerco" type="Toy"><operations><op id="A-m" name="monitor" interval="10s"/></operations></primitive>`

func world(t *testing.T, trace func(string)) *World {
	t.Helper()
	w, err := New(Config{Nodes: []string{"n1", "n2", "n3"}, Edits: []string{`<primitive id="F" class="stonith" type="fence_dummy"/>`, service},
		Seed: 42, Jitter: true, Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	w.Run(4 * time.Second)
	if why := w.Settled(); why != "" {
		t.Fatalf("not settled: %s\n%s", why, w.Recent(50))
	}
	return w
}

// Each check is shown what it is there to find.
func TestChecksCatchPlanted(t *testing.T) {
	for _, c := range []struct {
		invariant string
		plant     func(w *World)
	}{
		{"I1", func(w *World) { w.nodes[0].become("A", started); w.nodes[1].become("A", started) }},
		{"I2", func(w *World) {
			w.nodes[1].runs["A"] = started
			w.checkOrder(cib.Operation{Name: "start", Resource: "A", Node: "n1"})
		}},
		{"I3", func(w *World) { w.checkBegin(w.nodes[0], &cib.Operation{Epoch: cib.Epoch{Term: 99}}) }},
		{"I5", func(w *World) {
			last := w.Last
			last.Why = "what the plan before has led to"
			w.checkNothingLeft(&last)
		}},
		{"I6", func(w *World) {
			w.Partition("n1")
			w.checkFence(w.nodes[0], cib.FenceRequest{Target: "n2"})
		}},
	} {
		w := world(t, nil)
		if c.plant(w); w.Breach == nil || !strings.Contains(w.Breach.Error(), c.invariant) {
			t.Errorf("%s: %v", c.invariant, w.Breach)
		}
	}
	w := world(t, nil)
	for _, n := range w.nodes {
		n.runs["A"] = stopped
	}
	if why := w.Settled(); !strings.Contains(why, "A is believed") {
		t.Errorf("a service that has ended unnoticed: %q", why)
	}
}

// The same seed is the same run, to the millisecond.
func TestSameSeedSameRun(t *testing.T) {
	run := func() string {
		var b strings.Builder
		w := world(t, func(line string) { b.WriteString(line + "\n") })
		for _, line := range []string{"crash n2", "run 3s", "break n1 A", "partition n3", "run 3s", "heal", "run 10s"} {
			if err := w.Do(line); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		return b.String()
	}
	if a, b := run(), run(); a != b || strings.Count(a, "\n") < 60 {
		t.Errorf("two runs differ, or hold too little:\n%s\n----\n%s", a, b)
	}
}
