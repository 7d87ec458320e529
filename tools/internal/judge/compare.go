package judge

// Difference is where two graphs part. An empty Difference means they agree at every level.
type Difference struct {
	Missing, Extra             []string // real actions (level L1a)
	PseudoMissing, PseudoExtra []string // pseudo events (level L2a)
	OrderMissing, OrderExtra   []string // orderings among real actions (level L3ta), when the actions agree
	Cycle                      bool     // ours has a cycle that the expected one has not
}

// Compare tells how got differs from want.
func Compare(want, got *Graph) *Difference {
	d := &Difference{Cycle: got.loop && !want.loop}
	w, g := want.keys(true), got.keys(true)
	d.Missing, d.Extra = w.minus(g), g.minus(w)
	w, g = want.keys(false), got.keys(false)
	d.PseudoMissing, d.PseudoExtra = w.minus(g), g.minus(w)
	if d.L1a() {
		w, g = want.orderings(), got.orderings()
		d.OrderMissing, d.OrderExtra = w.minus(g), g.minus(w)
	}
	return d
}

// L1a holds when the same real actions are planned.
func (d *Difference) L1a() bool { return len(d.Missing) == 0 && len(d.Extra) == 0 }

// L2a holds when the pseudo events are the same too.
func (d *Difference) L2a() bool {
	return d.L1a() && len(d.PseudoMissing) == 0 && len(d.PseudoExtra) == 0
}

// L3ta holds when the same real actions wait for each other, along whatever path.
func (d *Difference) L3ta() bool {
	return d.L1a() && !d.Cycle && len(d.OrderMissing) == 0 && len(d.OrderExtra) == 0
}

// Lines says what differs, for people.
func (d *Difference) Lines() []string {
	var out []string
	add := func(what string, lines []string) {
		for _, l := range lines {
			out = append(out, what+"  "+l)
		}
	}
	add("missing       ", d.Missing)
	add("extra         ", d.Extra)
	add("missing pseudo", d.PseudoMissing)
	add("extra pseudo  ", d.PseudoExtra)
	add("missing order ", d.OrderMissing)
	add("extra order   ", d.OrderExtra)
	if d.Cycle {
		out = append(out, "the graph has a cycle: it can never be completed")
	}
	return out
}
