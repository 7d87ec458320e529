package store

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cerco-ha/cerco/internal/cib"
)

var (
	linearSeeds = flag.Int("linear-seeds", 1, "histories to check")
	linearFirst = flag.Uint64("linear-first", 1, "seed of the first one")
)

// count is the model of the linearizability test: a counter. "add" raises it by one and returns the new
// value, "read" returns it. An add whose outcome is unknown returns nothing.
var count = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(state, in, out any) (bool, any) {
		n := state.(int)
		got := out.(result)
		if in.(string) == "add" {
			return got.unknown || got.value == n+1, n + 1
		}
		return got.value == n, n
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%v -> %+v", in, out) },
}

type result struct {
	value   int
	unknown bool
}

// history gathers what clients asked for and were told.
type history struct {
	mu     sync.Mutex
	events []porcupine.Event
	next   int
}

func (h *history) call(client int, in string) (id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	h.events = append(h.events, porcupine.Event{ClientId: client, Kind: porcupine.CallEvent, Value: in, Id: h.next})
	return h.next
}

func (h *history) done(client, id int, out result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, porcupine.Event{ClientId: client, Kind: porcupine.ReturnEvent, Value: out, Id: id})
}

// forget takes out a call that surely had no effect.
func (h *history) forget(id int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = slices.DeleteFunc(h.events, func(e porcupine.Event) bool { return e.Id == id })
}

func increment() cib.Command {
	c := setAttr("n1", "count", "value++")
	return c
}

// TestChangesAreLinearizable has clients change and read a counter through whoever leads, while links are
// cut, in one direction or both, and nodes are restarted. An acknowledged change is never lost and never
// made twice (invariant I9).
func TestChangesAreLinearizable(t *testing.T) {
	for i := range *linearSeeds {
		seed := *linearFirst + uint64(i)
		synctest.Test(t, func(t *testing.T) {
			h := linearRun(t, seed)
			if r := porcupine.CheckEvents(count, h.events); !r {
				t.Errorf("seed %d: a history of %d events is not linearizable", seed, len(h.events))
			}
		})
	}
}

func TestTheLinearizabilityCheckSeesALostChange(t *testing.T) {
	h := &history{}
	for i, out := range []result{{value: 1}, {value: 1}} {
		h.done(i, h.call(i, "add"), out)
	}
	if porcupine.CheckEvents(count, h.events) {
		t.Error("two changes with the same outcome pass")
	}
}

func linearRun(t *testing.T, seed uint64) *history {
	rnd := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t, 3)
	r.up()
	ctx, cancel := context.WithCancel(context.Background())
	h := &history{}
	var wg sync.WaitGroup
	for c := range 4 {
		own := rand.New(rand.NewPCG(seed, uint64(c+1)))
		wg.Go(func() {
			for ctx.Err() == nil {
				linearStep(r, h, c, own)
				time.Sleep(time.Duration(own.IntN(150)) * time.Millisecond)
			}
		})
	}
	for range 8 {
		fault(r, rnd)
		time.Sleep(time.Duration(rnd.IntN(2000)) * time.Millisecond)
	}
	r.net.HealAll()
	r.until("the cluster is well", func() bool { return r.leader() != nil })
	time.Sleep(3 * time.Second)
	cancel()
	wg.Wait()
	id := h.call(9, "read")
	v, err := readCount(r.leader())
	if err != nil {
		t.Fatalf("seed %d: the last read: %v", seed, err)
	}
	h.done(9, id, result{value: v})
	adds := 0
	for _, e := range h.events {
		if e.Kind == porcupine.ReturnEvent {
			adds++
		}
	}
	if adds < 20 {
		t.Errorf("seed %d: only %d operations came to an end", seed, adds)
	}
	return closeOpen(h)
}

// closeOpen ends the calls whose outcome is unknown after everything else: they may have taken effect at
// any time since, or will, or never.
func closeOpen(h *history) *history {
	open := map[int]porcupine.Event{}
	for _, e := range h.events {
		if e.Kind == porcupine.CallEvent {
			open[e.Id] = e
		} else {
			delete(open, e.Id)
		}
	}
	for id, e := range open {
		h.events = append(h.events, porcupine.Event{ClientId: 100 + id, Kind: porcupine.ReturnEvent, Value: result{unknown: true}, Id: id})
		for i := range h.events {
			if h.events[i].Id == id {
				h.events[i].ClientId = 100 + id // the client went on to other things meanwhile
			}
		}
		_ = e
	}
	return h
}

func fault(r *rig, rnd *rand.Rand) {
	a, b := r.names[rnd.IntN(3)], r.names[rnd.IntN(3)]
	switch rnd.IntN(5) {
	case 0:
		r.net.HealAll()
	case 1:
		r.net.Cut(a, b)
	case 2:
		r.net.CutOneWay(a, b)
	case 3:
		for _, n := range r.names {
			if n != a {
				r.net.Cut(a, n)
			}
		}
	case 4:
		r.stop(a)
		r.net.Crash(a)
		r.start(a)
	}
}

// linearStep does one operation of a client at a node of its choice.
func linearStep(r *rig, h *history, client int, rnd *rand.Rand) {
	s := r.get(r.names[rnd.IntN(3)])
	if s == nil {
		return
	}
	if rnd.IntN(3) == 0 {
		id := h.call(client, "read")
		if v, err := readCount(s); err != nil {
			h.forget(id)
		} else {
			h.done(client, id, result{value: v})
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	id := h.call(client, "add")
	st, err := s.Propose(ctx, increment())
	switch {
	case err == nil:
		v, _ := strconv.Atoi(attr(st, "n1", "count"))
		h.done(client, id, result{value: v})
	case errors.Is(err, ErrUncertain):
	default:
		h.forget(id)
	}
}

// readCount reads what is surely the newest value.
func readCount(s *Store) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Barrier(ctx); err != nil {
		return 0, err
	}
	v := attr(s.View(), "n1", "count")
	if v == "" {
		return 0, nil
	}
	return strconv.Atoi(v)
}
