package replay

import (
	"slices"
	"time"
)

// Partition parts the nodes that are named from all others.
func (w *World) Partition(names ...string) {
	for i, name := range names {
		names[i] = w.Node(name).Name
	}
	w.trace("** partition %v from the others", names)
	w.count("partition")
	w.markAll("-- cut off: "+join(names), names...)
	w.cuts = map[[2]*Node]bool{}
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if slices.Contains(names, a.Name) != slices.Contains(names, b.Name) {
				w.cuts[[2]*Node{a, b}] = true
			}
		}
	}
	w.watchMajorities()
}

// Isolate parts every node from all others.
func (w *World) Isolate() {
	w.trace("** every node is alone")
	w.count("total cut")
	w.markAll("-- every node is alone")
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			w.cuts[[2]*Node{a, b}] = a != b
		}
	}
	w.watchMajorities()
}

// CutOneWay stops what goes from one node to another; what goes the other way arrives.
func (w *World) CutOneWay(from, to string) {
	a, b := w.Node(from), w.Node(to)
	if a == b {
		return
	}
	w.trace("** nothing goes from %s to %s", a.Name, b.Name)
	w.count("one-way partition")
	w.mark(a, "-/> "+b.Name)
	w.cuts[[2]*Node{a, b}] = true
	w.watchMajorities()
}

// Slow has what goes from one node to another take longer.
func (w *World) Slow(from, to string, d time.Duration) {
	w.trace("** what goes from %s to %s takes %s longer", from, to, d)
	w.count("delay")
	w.slow[[2]*Node{w.Node(from), w.Node(to)}] = d
}

// Heal mends all links.
func (w *World) Heal() {
	w.trace("** heal")
	w.markAll("-- all links are well")
	for _, n := range w.nodes {
		n.deaf = false
	}
	w.cuts, w.slow = map[[2]*Node]bool{}, map[[2]*Node]time.Duration{}
	w.watchMajorities()
}

// send has something arrive at a daemon, if it does.
func (n *Node) send(to *Node, arrive func()) {
	w := n.w
	if n == to {
		n.afterReal(0, arrive)
		return
	}
	way := [2]*Node{n, to}
	if w.cuts[way] || n.paused {
		return
	}
	took := w.vary(w.delay.Link) + w.slow[way]
	times := 1
	if w.cfg.Jitter && !w.cfg.Calm && !w.healed {
		switch w.rng.IntN(120) {
		case 0:
			w.count("drop")
			return
		case 1:
			w.count("duplicate")
			times = 2
		case 2, 3: // whatever is sent from now on overtakes it
			w.count("reorder")
			took += time.Duration(1+w.rng.IntN(300)) * time.Millisecond
		}
	}
	for range times {
		w.after(took, func() {
			if w.cuts[way] || !to.Daemon() {
				return
			}
			to.deliver(arrive)
		})
		took += w.vary(w.delay.Link)
	}
}

// deliver has something arrive now, or when the host goes on.
func (n *Node) deliver(arrive func()) {
	if n.paused {
		n.afterReal(0, arrive)
		return
	}
	arrive()
}

// unreachable is how long it takes to find out that a node cannot be reached.
const unreachable = 200 * time.Millisecond

// call asks another daemon something. Either answered or failed is called, once, while this daemon runs: what was
// asked for may have been done in both cases.
func (n *Node) call(to *Node, patience time.Duration, serve func(answer func(answered func())), failed func()) {
	open := true
	if n != to && (n.w.cuts[[2]*Node{n, to}] || !to.Daemon()) {
		patience = min(patience, unreachable)
	}
	n.send(to, func() {
		serve(func(answered func()) {
			to.send(n, func() {
				if open {
					open = false
					answered()
				}
			})
		})
	})
	n.after(patience, func() {
		if open {
			open = false
			failed()
		}
	})
}

// hears reports whether what a node sends arrives at another.
func (w *World) hears(from, to *Node) bool {
	return from.Daemon() && to.Daemon() && !from.paused && !to.paused && !w.cuts[[2]*Node{from, to}]
}

// watchMajorities notes since when each node could not have the consent of a majority of its log's voters.
func (w *World) watchMajorities() {
	for _, n := range w.nodes {
		votes, voters := 0, n.disk.tip.voters
		for _, o := range voters {
			if o == n && n.Daemon() || w.hears(n, o) && w.hears(o, n) && o.disk.gen == n.disk.gen {
				votes++
			}
		}
		switch {
		case 2*votes > len(voters):
			n.without = time.Time{}
		case n.without.IsZero():
			n.without = w.Now
		}
	}
}
