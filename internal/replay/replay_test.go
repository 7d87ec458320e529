package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

const service = `<primitive id="A" class="ocf" provider="cerco" type="Toy"><operations><op id="A-m" name="monitor" interval="10s"/></operations></primitive>`

func world(t *testing.T, seed uint64, trace func(string)) *World {
	t.Helper()
	w, err := New(Config{Nodes: []string{"n1", "n2", "n3"}, Edits: []string{`<primitive id="F" class="stonith" type="fence_dummy"/>`, service},
		Seed: seed, Jitter: true, Trace: trace})
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
func TestChecksSeeWhatTheyAreFor(t *testing.T) {
	for _, c := range []struct {
		invariant string
		wrong     func(w *World)
	}{
		{"I1", func(w *World) { w.nodes[0].become("A", started); w.nodes[1].become("A", started) }},
		{"I2", func(w *World) {
			w.nodes[1].runs["A"] = started
			w.checkOrder(w.Leader(), w.Now, cib.Operation{Name: "start", Resource: "A", Node: "n1"})
		}},
		{"I3", func(w *World) { w.checkBegin(w.nodes[0], &record{seen: cib.Epoch{Term: 99}}) }},
		{"I5", func(w *World) {
			last := w.Last
			last.Why = "what the plan before has led to"
			w.checkNothingLeft(&last)
		}},
		{"I6", func(w *World) {
			l := w.Leader()
			w.Partition(l.Name)
			w.checkFence(l, w.Now.Add(time.Millisecond), "n2")
		}},
		{"I9", func(w *World) {
			l := w.Leader()
			beside := *w.acked
			beside.parent = nil
			w.checkCommit(l, &beside)
		}},
	} {
		w := world(t, 42, nil)
		w.acked = w.chain
		if c.wrong(w); Invariant(w.Breach) != c.invariant {
			t.Errorf("%s: %v", c.invariant, w.Breach)
		}
	}
	w := world(t, 42, nil)
	for _, n := range w.nodes {
		n.runs["A"] = stopped
	}
	if why := w.Settled(); !strings.Contains(why, "A is believed") {
		t.Errorf("a service that has ended unnoticed: %q", why)
	}
}

// The same seed is the same run, to the nanosecond.
func TestSameSeedSameRun(t *testing.T) {
	for seed := range uint64(3) {
		run := func() string {
			var b strings.Builder
			r := Generate(seed)
			r.Config.Trace = func(line string) { b.WriteString(line + "\n") }
			if out := Play(r); out.Breach != nil {
				t.Error(out.Breach)
			}
			return b.String()
		}
		if a, b := run(), run(); a != b || strings.Count(a, "\n") < 60 {
			t.Errorf("two runs of seed %d differ, or hold too little: %s", seed, difference(a, b))
		}
	}
}

// A run that breaks an invariant is made shorter, and told so that a person can read it.
func TestFailuresAreReadable(t *testing.T) {
	r := Generate(13)
	r.Config.Plant = Plant{CommitAlone: true}
	if inv := Invariant(Play(r).Breach); inv != "I9" {
		t.Fatalf("the bug that was planted shows as %q", inv)
	}
	short := Shrink(r)
	if len(short.Faults) >= len(r.Faults) || Invariant(Play(short).Breach) != "I9" {
		t.Errorf("%d of %d faults are left: %v", len(short.Faults), len(r.Faults), short.Faults)
	}
	text := Report(r)
	for _, want := range []string{"seed 13: ", "faults are enough", "L leads", "BREACH  I9"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not hold %q:\n%s", want, text)
		}
	}
	t.Log(text)
}
