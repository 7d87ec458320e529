package replay

import (
	"container/heap"
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
	// Jitter makes durations differ, by the seed; without it a run is as regular as clockwork, for people to read.
	Jitter bool
	// Trace is given what happens, line by line; nil: nobody listens.
	Trace func(line string)
	Delay Delays
}

// Delays are how long things take in a world; zero values mean the defaults.
type Delays struct {
	Link, Commit, Token, Election, Operation, Fence, Boot time.Duration
}

func (d Delays) withDefaults() Delays {
	set := func(v *time.Duration, to time.Duration) {
		if *v == 0 {
			*v = to
		}
	}
	set(&d.Link, time.Millisecond)
	set(&d.Commit, 2*time.Millisecond)
	set(&d.Token, 800*time.Millisecond)
	set(&d.Election, time.Second)
	set(&d.Operation, 100*time.Millisecond)
	set(&d.Fence, 300*time.Millisecond)
	set(&d.Boot, 5*time.Second)
	return d
}

// World is a cluster and all that is around it.
type World struct {
	Now    time.Time
	State  cib.State // what is committed
	Breach error     // the first invariant that did not hold

	cfg     Config
	delay   Delays
	rng     *rand.Rand
	queue   events
	seq     int
	nodes   []*Node
	leader  *Node // nil: there is none
	term    uint64
	commits time.Time // when the last proposal is committed, at the earliest

	failing map[string]int // agent calls that are to fail: "NODE RESOURCE TASK" -> rc
	fences  map[string]*fence
	recent  []string              // last lines of the trace, for a breach
	Last    controller.Transition // the last plan that was kept
}

// New makes a world whose nodes have been switched on a moment ago.
func New(cfg Config) (*World, error) {
	w := &World{Now: Begin, cfg: cfg, delay: cfg.Delay.withDefaults(), rng: rand.New(rand.NewPCG(cfg.Seed, 1)),
		failing: map[string]int{}, fences: map[string]*fence{}}
	cluster := cib.Cluster{Name: "replay", LastID: len(cfg.Nodes)}
	for i, name := range cfg.Nodes {
		id := strconv.Itoa(i + 1)
		cluster.Members = append(cluster.Members, cib.Member{ID: id, Name: name, Votes: 1})
		w.nodes = append(w.nodes, newNode(w, id, name))
	}
	w.State = cib.NewState(cluster)
	for _, xml := range cfg.Edits {
		if err := w.apply(cib.Command{By: "root", Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: xml}}}}); err != nil {
			return nil, fmt.Errorf("%s: %w", xml, err)
		}
	}
	w.after(w.delay.Election, w.elect)
	return w, nil
}

// Node returns the node of that name.
func (w *World) Node(name string) *Node {
	i := slices.IndexFunc(w.nodes, func(n *Node) bool { return n.Name == name })
	if i < 0 {
		panic("replay: there is no node " + name)
	}
	return w.nodes[i]
}

// Leader returns the node that decides, or nil.
func (w *World) Leader() *Node { return w.leader }

// Run lets time pass. It stops early at a breach.
func (w *World) Run(d time.Duration) {
	end := w.Now.Add(d)
	for w.Breach == nil && len(w.queue) > 0 && !w.queue[0].at.After(end) {
		e := heap.Pop(&w.queue).(*event)
		w.Now = e.at
		e.do()
	}
	if w.Breach == nil {
		w.Now = end
	}
}

// after has something happen later.
func (w *World) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.queue, &event{at: w.Now.Add(d), seq: w.seq, do: do})
}

// vary makes a duration differ, where the world is of that kind.
func (w *World) vary(d time.Duration) time.Duration {
	if !w.cfg.Jitter {
		return d
	}
	return d/2 + time.Duration(w.rng.Int64N(int64(d)+1))
}

// mishap decides whether a message gets lost, where the world is of that kind.
func (w *World) mishap() bool { return w.cfg.Jitter && w.rng.IntN(30) == 0 }

// event is something that will happen.
type event struct {
	at  time.Time
	seq int // of those at the same time the one that was asked for first goes first
	do  func()
}

type events []*event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(*event)) }
func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

// trace tells what happened.
func (w *World) trace(format string, args ...any) {
	line := fmt.Sprintf("%8.3f  ", w.Now.Sub(Begin).Seconds()) + fmt.Sprintf(format, args...)
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
		w.Breach = fmt.Errorf("at %s: %s", w.Now.Sub(Begin), what)
	}
}

// Recent are the last lines of the trace.
func (w *World) Recent(n int) string {
	return strings.Join(w.recent[max(0, len(w.recent)-n):], "\n")
}

// apply makes a command part of the state.
func (w *World) apply(cmd cib.Command) error {
	if cmd.At.IsZero() {
		cmd.At = w.Now
	}
	next, err := cib.Apply(w.State, cmd)
	if err != nil {
		return err
	}
	next.Index = w.State.Index + 1
	w.State = next
	return nil
}

// Propose has a command committed, as a tool or an operator would.
func (w *World) Propose(cmd cib.Command) { w.propose(nil, cmd) }

// propose has a command committed, if there is a leader to do it; by is the controller that asks.
func (w *World) propose(by *Node, cmd cib.Command) {
	at := w.Now.Add(w.vary(w.delay.Commit))
	if at.Before(w.commits) {
		at = w.commits // in the order of the proposals
	}
	w.commits = at
	term := w.term
	w.after(at.Sub(w.Now), func() {
		l := w.leader
		if l == nil || by != nil && (by != l || term != w.term) || !w.majority(l) {
			return
		}
		if err := w.apply(cmd); err != nil {
			w.trace("%s: refused: %v", l.Name, err)
			w.step(l, controller.Refused{Command: cmd, Err: err.Error()})
			return
		}
		w.step(l, controller.Applied{State: w.State, Command: cmd})
	})
}
