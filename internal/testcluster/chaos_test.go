package testcluster_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/testcluster"
)

var (
	chaosSeeds = flag.Int("chaos-seeds", 1, "runs of the test with random faults")
	chaosFirst = flag.Uint64("chaos-first", 3, "seed of the first one")
	chaosNodes = flag.Int("chaos-nodes", 0, "nodes of each run; 0: 2, 3 or 5, by the seed")
	chaosLong  = flag.Int("chaos-faults", 6, "faults in a run")
)

// TestChaos has random faults happen to a cluster that runs services and is reconfigured all the time.
// Nothing ever runs twice (I1, watched by the hosts), no acknowledged change is lost (I9, judged by
// porcupine), and when the faults are over the cluster comes to rest with everything running (I8).
func TestChaos(t *testing.T) {
	for i := range *chaosSeeds {
		seed := *chaosFirst + uint64(i)
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { chaos(t, seed) })
		})
	}
}

func chaos(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	nodes := *chaosNodes
	if nodes == 0 {
		nodes = []int{2, 3, 5}[seed%3]
	}
	services := []string{"a", "b", "c", "d"}
	c := testcluster.New(t, nodes)
	c.Configure(services...)
	for _, n := range c.Names { // those whose daemons are started anew have it from then on
		c.World.SetSkew(n, time.Duration(rnd.IntN(60_000)-30_000)*time.Millisecond)
	}
	h := &history{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for client := range 3 {
		own := rand.New(rand.NewPCG(seed, uint64(client+1)))
		wg.Go(func() {
			for ctx.Err() == nil {
				h.step(c, client, own)
				time.Sleep(time.Duration(own.IntN(400)) * time.Millisecond)
			}
		})
	}
	var told []string
	began := time.Now()
	for range *chaosLong {
		what := fault(c, rnd)
		told = append(told, fmt.Sprintf("%8.3fs %s", time.Since(began).Seconds(), what))
		time.Sleep(time.Duration(rnd.IntN(4000)) * time.Millisecond)
	}
	c.Net.HealAll()
	c.World.BreakFencing("")
	for _, n := range c.Names {
		c.World.SlowDisk(n, 0)
	}
	time.Sleep(20 * time.Second) // those that were rebooted boot
	for _, n := range c.Names {
		if !c.World.On(n) {
			c.Start(n)
		}
	}
	healed := time.Now()
	c.Until("everything is well again", func() bool { return c.Online() == nodes && c.World.AllRun(services...) && c.Settled() })
	cancel()
	wg.Wait()
	h.read(c, 9, c.Leader())
	if t.Failed() || !porcupine.CheckEvents(counter, h.closed()) {
		t.Errorf("seed %d:\n%s\n%s\n%s", seed, strings.Join(told, "\n"), h, c.Picture())
	}
	t.Logf("%d nodes, %d operations, %d fencings, well %v after the last fault", nodes, h.next, len(c.State().Fencing), time.Since(healed))
}

// fault does one thing to the cluster, and tells it.
func fault(c *testcluster.Cluster, rnd *rand.Rand) string {
	a, b := c.Names[rnd.IntN(len(c.Names))], c.Names[rnd.IntN(len(c.Names))]
	switch k := rnd.IntN(11); k {
	case 0, 1:
		c.Net.HealAll()
		return "heal"
	case 2:
		c.Net.Cut(a, b)
		return "cut " + a + " " + b
	case 3:
		c.Net.CutOneWay(a, b)
		return "cut one way " + a + " -> " + b
	case 4:
		var rest []string
		for _, n := range c.Names {
			if n != a {
				rest = append(rest, n)
			}
		}
		c.Net.Partition([]string{a}, rest)
		return "cut off " + a
	case 5:
		if c.World.On(a) {
			c.Crash(a)
		}
		return "crash " + a
	case 6:
		if c.Daemon(a) != nil {
			c.Kill(a)
			c.Start(a)
		}
		return "restart the daemon of " + a
	case 7:
		how := []string{"", testcluster.Fails, testcluster.Hangs, testcluster.Late}[rnd.IntN(4)]
		c.World.BreakFencing(how)
		return fmt.Sprintf("fence devices: %q", how)
	case 8:
		d := time.Duration(rnd.IntN(300)) * time.Millisecond
		c.World.SlowDisk(a, d)
		return fmt.Sprintf("the disk of %s takes %v longer", a, d)
	case 9:
		c.World.KillAfterNext(a)
		return "kill the daemon of " + a + " when an agent has done its work"
	default:
		d := time.Duration(rnd.IntN(80)) * time.Millisecond
		c.Net.Delay(a, b, d)
		return fmt.Sprintf("delay %s -> %s by %v", a, b, d)
	}
}

// counter is the model: "add" raises a number, "read" tells it. An add whose outcome is unknown may have
// taken effect at any time since, or will, or never.
var counter = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, in, out any) (bool, any) {
		if in.(string) == "add" {
			return true, state.(int) + 1
		}
		return out.(int) == state.(int), state
	},
}

func TestTheCheckSeesALostChange(t *testing.T) {
	h := &history{}
	for i, out := range []any{0, 0, 1} {
		in := []string{"add", "add", "read"}[i]
		h.put(i, h.call(i, in), porcupine.ReturnEvent, out)
	}
	if porcupine.CheckEvents(counter, h.closed()) {
		t.Error("two changes and a count of one pass")
	}
}

// history is what clients asked for and were told.
type history struct {
	mu     sync.Mutex
	events []porcupine.Event
	next   int
	notes  []string // the same in words, with times and nodes
}

func (h *history) put(client, id int, kind porcupine.EventKind, v any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, porcupine.Event{ClientId: client, Kind: kind, Value: v, Id: id})
}

func (h *history) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, fmt.Sprintf("%s ", time.Now().Format("05.000"))+fmt.Sprintf(format, args...))
}

func (h *history) call(client int, in string) int {
	h.mu.Lock()
	h.next++
	id := h.next
	h.mu.Unlock()
	h.put(client, id, porcupine.CallEvent, in)
	return id
}

func (h *history) drop(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var rest []porcupine.Event
	for _, e := range h.events {
		if e.Id != id {
			rest = append(rest, e)
		}
	}
	h.events = rest
}

// step does one operation at a node that runs.
func (h *history) step(c *testcluster.Cluster, client int, rnd *rand.Rand) {
	node := c.Names[rnd.IntN(len(c.Names))]
	if rnd.IntN(3) == 0 {
		h.read(c, client, node)
		return
	}
	d := c.Daemon(node)
	if d == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	id := h.call(client, "add")
	began := time.Now()
	st, err := d.Propose(ctx, cib.Command{By: "client", Attributes: []cib.AttributeUpdate{{Node: "n1", Name: "count", Value: "value++", Permanent: true}}})
	h.note("client %d add %d at %s (%v): index %d generation %d count %d, %v", client, id, node, time.Since(began), st.Index, st.Cluster.Generation, countIf(st), err)
	switch {
	case err == nil && c.Daemon(node) != d: // it was dead by then: nobody can have heard its answer
	case err == nil:
		h.put(client, id, porcupine.ReturnEvent, 0)
	case errors.As(err, new(*cib.CommandError)), errors.Is(err, api.ErrNoLeader):
		h.drop(id)
	}
}

func (h *history) read(c *testcluster.Cluster, client int, node string) {
	d := c.Daemon(node)
	if d == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	id := h.call(client, "read")
	st, err := d.State(ctx, true)
	if err != nil || c.Daemon(node) != d {
		h.drop(id)
		return
	}
	h.note("client %d read %d at %s: index %d generation %d count %d", client, id, node, st.Index, st.Cluster.Generation, count(st))
	h.put(client, id, porcupine.ReturnEvent, count(st))
}

func countIf(st cib.State) int {
	if st.CIB == nil {
		return -1
	}
	return count(st)
}

func count(st cib.State) int {
	for _, n := range st.CIB.Nodes {
		for _, set := range n.Attrs {
			for _, p := range set.Pairs {
				if n.Name == "n1" && p.Name == "count" {
					v, _ := strconv.Atoi(p.Value)
					return v
				}
			}
		}
	}
	return 0
}

// closed ends calls whose outcome is unknown after everything else. An add that is never seen takes effect
// after the last read. Clients went on to other things meanwhile, so each such call gets a client of its own.
func (h *history) closed() []porcupine.Event {
	open := map[int]bool{}
	for _, e := range h.events {
		open[e.Id] = e.Kind == porcupine.CallEvent
	}
	events := append([]porcupine.Event(nil), h.events...)
	for i, e := range events {
		if open[e.Id] {
			events[i].ClientId = 100 + e.Id
			events = append(events, porcupine.Event{ClientId: 100 + e.Id, Kind: porcupine.ReturnEvent, Value: 0, Id: e.Id})
		}
	}
	return events
}

func (h *history) String() string { return strings.Join(h.notes, "\n") }
