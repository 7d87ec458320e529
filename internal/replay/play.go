package replay

import (
	"fmt"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Outcome is what came of a run.
type Outcome struct {
	World     *World
	Breach    error
	Converged time.Duration // how long the cluster took to come to rest after the faults were over
}

// converge is the bounded time of I8: within it the cluster is at rest after the last fault is over. Hosts need five
// seconds to boot, and a fencing that has failed waits for up to ten before it is tried again.
const converge = 60 * time.Second

// Play carries a run out: all faults, then none any more, then the cluster comes to rest.
func Play(r Run) Outcome {
	w, err := New(r.Config)
	if err != nil {
		return Outcome{Breach: fmt.Errorf("no such world: %w", err)}
	}
	for _, f := range r.Faults {
		if w.Run(f.At - w.at()); w.Breach != nil {
			return Outcome{World: w, Breach: w.Breach}
		}
		if err := w.Do(f.Line); err != nil {
			return Outcome{World: w, Breach: err}
		}
	}
	if w.Run(time.Second); w.Breach != nil {
		return Outcome{World: w, Breach: w.Breach}
	}
	w.mend()
	took := w.settle()
	return Outcome{World: w, Breach: w.Breach, Converged: took}
}

// mend ends all faults.
func (w *World) mend() {
	w.trace("** all faults are over")
	w.markAll("-- all faults are over")
	w.Heal()
	w.healed = true
	clear(w.failing)
	for _, f := range w.fences {
		*f = fence{}
	}
	for _, n := range w.nodes {
		n.lag, n.killAt, n.deaf = 0, "", false
		n.setRate(1)
		n.Resume()
	}
}

// allBack reports whether no node is away that has left in order: it may run what maintenance has left to itself. One that is
// lost is fenced when maintenance ends.
func (w *World) allBack() bool {
	s := w.State()
	return !slices.ContainsFunc(w.nodes, func(n *Node) bool {
		ns := s.CIB.NodeState(n.ID)
		return !n.Daemon() || ns == nil || ns.InCCM != "true" && ns.Expected == "down"
	})
}

// settle waits for the cluster to come to rest, and to stay there; it holds I8. Hosts and daemons that are down are
// started, as an operator would, and when all of them are back maintenance ends.
func (w *World) settle() time.Duration {
	began := w.Now
	why := ""
	for w.Breach == nil && w.Now.Sub(began) < converge {
		if v, _ := cib.Value(w.State().CIB.Properties, &cib.RuleInput{Now: w.Now}, "maintenance-mode"); v != "false" && w.allBack() && w.at()%time.Second < 250*time.Millisecond {
			w.Propose(optionCommand("maintenance-mode=false")) // again: a deposed leader may have taken it
		}
		if w.Now.Sub(began) > 3*time.Second {
			for _, n := range w.nodes {
				n.Start()
			}
		}
		w.Run(250 * time.Millisecond)
		up := !slices.ContainsFunc(w.nodes, func(n *Node) bool { return !n.Daemon() })
		if why = "not all nodes are up"; !up {
			continue
		}
		if why = w.Settled(); why != "" {
			continue
		}
		took := w.Now.Sub(began)
		if w.Run(2 * time.Second); w.Settled() == "" || w.Breach != nil {
			return took
		}
	}
	if w.Breach == nil {
		w.breach("I8: %s after all faults were over the cluster is not at rest: %s", converge, why)
	}
	return w.Now.Sub(began)
}
