package replay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// Begin is when every world begins.
var Begin = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Config says what a world is like.
type Config struct {
	Nodes []string
	Edits []string // elements of the configuration, as XML
	Seed  uint64
	// Jitter makes durations differ and messages get lost, doubled and overtaken, by the seed; without it a run is as
	// regular as clockwork, for people to read.
	Jitter bool
	// Calm leaves messages alone, whatever Jitter says.
	Calm bool
	// Trace is given what happens, line by line; nil: nobody listens.
	Trace func(line string)
	// Draw keeps what a time-line shows.
	Draw  bool
	Delay Delays
	// Plant is what is wrong in this world on purpose, for the checks to find; zero: nothing.
	Plant Plant
}

// Delays are how long things take in a world; zero values mean the defaults.
type Delays struct {
	Link, Disk, Election, Operation, Fence, FenceTimeout, Boot time.Duration
}

func (d Delays) withDefaults() Delays {
	set := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&d.Link, time.Millisecond)
	set(&d.Election, time.Second)
	set(&d.Operation, 100*time.Millisecond)
	set(&d.Fence, 300*time.Millisecond)
	set(&d.FenceTimeout, 5*time.Second)
	set(&d.Boot, 5*time.Second)
	return d
}

// World is a cluster and all that is around it.
type World struct {
	Now    time.Time
	Breach error                 // the first invariant that did not hold
	Last   controller.Transition // the last plan that was kept
	Counts map[string]int        // how often each fault has happened

	cfg   Config
	delay Delays
	rng   *rand.Rand
	queue queue
	seq   int
	steps int
	still int // events at this moment
	nodes []*Node

	chain *entry // the newest that is committed anywhere
	acked *entry // the newest of which somebody was told that it is committed

	cuts       map[[2]*Node]bool          // nothing goes from one to the other
	slow       map[[2]*Node]time.Duration // what goes takes so much longer
	failing    map[string]int             // agent calls that are to fail: "NODE RESOURCE TASK" -> rc
	fences     map[string]*fence
	recent     []string // last lines of the trace, for a breach
	marks      []mark   // what a time-line shows
	plans      int
	offices    int  // that were taken
	unfinished bool // the plan kept last has not been carried out
	touched    bool // something has been done to it
	healed     bool // no messages get lost any more
}

// New makes a world whose nodes have been switched on a moment ago.
func New(cfg Config) (*World, error) {
	w := &World{Now: Begin, cfg: cfg, delay: cfg.Delay.withDefaults(), rng: rand.New(rand.NewPCG(cfg.Seed, 1)), Counts: map[string]int{},
		cuts: map[[2]*Node]bool{}, slow: map[[2]*Node]time.Duration{}, failing: map[string]int{}, fences: map[string]*fence{}}
	cluster := cib.Cluster{Name: "replay", LastID: len(cfg.Nodes)}
	for i, name := range cfg.Nodes {
		id := strconv.Itoa(i + 1)
		cluster.Members = append(cluster.Members, cib.Member{ID: id, Name: name, Votes: 1})
		w.nodes = append(w.nodes, newNode(w, i, id, name))
	}
	cluster.Quorum.TwoNode = len(cfg.Nodes) == 2
	state := cib.NewState(cluster)
	for _, xml := range cfg.Edits {
		next, err := cib.Apply(state, cib.Command{At: w.Now, By: "root", Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: xml}}}})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", xml, err)
		}
		next.Index = state.Index + 1
		state = next
	}
	first := &entry{index: state.Index, gen: 1, state: state, voters: w.nodes}
	w.chain, w.acked = first, first
	for _, n := range w.nodes {
		n.disk = disk{gen: 1, tip: first, snap: first}
		n.startDaemon()
	}
	return w, nil
}

// State is what is committed.
func (w *World) State() cib.State { return w.chain.state }

// Node returns the node of that name; "leader" is whichever leads, or the first one.
func (w *World) Node(name string) *Node {
	if name == "leader" {
		if l := w.Leader(); l != nil {
			return l
		}
		return w.nodes[0]
	}
	i := slices.IndexFunc(w.nodes, func(n *Node) bool { return n.Name == name })
	if i < 0 {
		panic("replay: there is no node " + name)
	}
	return w.nodes[i]
}

// Leader returns the node that decides: of those that lead their log the one with the newest; nil: there is none.
func (w *World) Leader() *Node {
	var best *Node
	for _, n := range w.nodes {
		if n.d == nil || n.d.role != leads || n.d.office == nil {
			continue
		}
		if best == nil || best.disk.gen < n.disk.gen || best.disk.gen == n.disk.gen && best.disk.term < n.disk.term {
			best = n
		}
	}
	return best
}

// Run lets time pass. It stops early at a breach.
func (w *World) Run(d time.Duration) {
	end := w.Now.Add(d)
	for w.Breach == nil && len(w.queue) > 0 && !Begin.Add(w.queue[0].at).After(end) {
		e := w.queue.pop()
		if w.still++; e.at != w.at() {
			w.still = 0
		} else if w.still > mostAtOnce {
			w.breach("I8: time stands still: %d events at once", w.still)
			return
		}
		w.Now = Begin.Add(e.at)
		w.steps++
		e.do()
	}
	if w.Breach == nil {
		w.Now = end
	}
}

// mostAtOnce is how many events may happen at the same moment.
const mostAtOnce = 100_000

// at is how long the world has been there.
func (w *World) at() time.Duration { return w.Now.Sub(Begin) }

// after has something happen later.
func (w *World) after(d time.Duration, do func()) {
	w.seq++
	w.queue.push(event{at: w.at() + max(0, d), seq: w.seq, do: do})
}

// vary makes a duration differ, where the world is of that kind.
func (w *World) vary(d time.Duration) time.Duration {
	if !w.cfg.Jitter || d <= 0 {
		return d
	}
	return d/2 + time.Duration(w.rng.Int64N(int64(d)+1))
}

// chance is true once in so many times, where the world is of that kind.
func (w *World) chance(times int) bool { return w.cfg.Jitter && w.rng.IntN(times) == 0 }

// count notes that a fault has happened.
func (w *World) count(fault string) { w.Counts[fault]++ }

// event is something that will happen.
type event struct {
	at  time.Duration
	seq int // of those at the same time the one that was asked for first goes first
	do  func()
}

// queue is a heap of events.
type queue []event

func (q queue) less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}

func (q *queue) push(e event) {
	*q = append(*q, e)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(i, up) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func (q *queue) pop() event {
	h := *q
	first, last := h[0], len(h)-1
	h[0], h[last] = h[last], event{}
	h = h[:last]
	*q = h
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			break
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
	return first
}

// trace tells what happened.
func (w *World) trace(format string, args ...any) {
	if w.cfg.Trace == nil && !w.cfg.Draw {
		return
	}
	line := fmt.Sprintf("%8.3f  ", w.at().Seconds()) + fmt.Sprintf(format, args...)
	if w.recent = append(w.recent, line); len(w.recent) > 4000 {
		w.recent = append([]string(nil), w.recent[2000:]...)
	}
	if w.cfg.Trace != nil {
		w.cfg.Trace(line)
	}
}

// breach notes that an invariant does not hold.
func (w *World) breach(format string, args ...any) {
	if w.Breach == nil {
		what := fmt.Sprintf(format, args...)
		w.trace("BREACH  %s", what)
		w.mark(nil, "BREACH  "+what)
		w.Breach = fmt.Errorf("at %s: %s", w.at(), what)
	}
}

// Recent are the last lines of the trace; there are some only where somebody listens, or Draw is set.
func (w *World) Recent(n int) string {
	return strings.Join(w.recent[max(0, len(w.recent)-n):], "\n")
}
