package executor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// agentWorld is what survives a daemon: agents that go on by themselves, and how often each order was begun.
type agentWorld struct {
	mu    sync.Mutex
	begun map[string]int       // by marker and action
	alive map[int]*working     // agents that are at work, by pid
	busy  map[string]string    // resource -> what is being done to it
	last  int                  // pid
	wrong func(string, ...any) // reports a fault
	takes func() time.Duration // how long an action takes
	state map[string]bool      // resource -> active
}

type working struct{ done, kill chan struct{} }

// Run starts an agent, which goes on when the caller is gone.
func (w *agentWorld) Run(ctx context.Context, r driver.Request) driver.Result {
	w.mu.Lock()
	if other := w.busy[r.Resource]; other != "" {
		w.wrong("%s of %s begins during its %s", r.Action, r.Resource, other)
	}
	w.busy[r.Resource] = r.Action
	if len(r.Env) > 0 {
		w.begun[r.Env[0]+" "+r.Action]++
	}
	w.last++
	pid, a, took := w.last, &working{make(chan struct{}), make(chan struct{})}, w.takes()
	w.alive[pid] = a
	w.mu.Unlock()
	var res driver.Result
	go func() {
		select {
		case <-time.After(took):
		case <-a.kill:
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		switch r.Action {
		case "start":
			w.state[r.Resource] = true
		case "stop":
			w.state[r.Resource] = false
		case "monitor":
			if !w.state[r.Resource] {
				res.RC = cib.RCNotRunning
			}
		}
		w.busy[r.Resource] = ""
		delete(w.alive, pid)
		close(a.done)
	}()
	if r.Started != nil {
		r.Started(driver.Process{PID: pid, Start: 1})
	}
	select {
	case <-a.done:
		return res
	case <-ctx.Done():
		if errors.Is(context.Cause(ctx), driver.ErrAbandoned) {
			return driver.Result{Status: cib.OpUnknown}
		}
		close(a.kill)
		<-a.done
		return driver.Result{RC: cib.RCError, Status: cib.OpCancelled}
	}
}

func (w *agentWorld) Metadata(context.Context, string, string, string) (*driver.Metadata, error) {
	return &driver.Metadata{}, nil
}

func (w *agentWorld) await(ctx context.Context, p driver.Process, _ time.Duration) bool {
	w.mu.Lock()
	a := w.alive[p.PID]
	w.mu.Unlock()
	if a == nil {
		return true
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		if !errors.Is(context.Cause(ctx), driver.ErrAbandoned) {
			close(a.kill)
			<-a.done
		}
		return false
	}
	return true
}

// TestRandomOrdersAndRestarts gives random orders, some of them twice, and restarts the daemon at random times, to
// a leader that is deaf at times. Operations of a resource must not overlap, nothing is begun twice (a stop that has
// not stopped anything and what is harmless aside), and each order gets one answer.
func TestRandomOrdersAndRestarts(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			var rngMu sync.Mutex
			intn := func(n int) int { rngMu.Lock(); defer rngMu.Unlock(); return rng.IntN(n) }
			w := &agentWorld{begun: map[string]int{}, alive: map[int]*working{}, busy: map[string]string{}, state: map[string]bool{}, wrong: t.Errorf,
				takes: func() time.Duration { return time.Duration(intn(400)) * time.Millisecond }}
			n := newNode(t)
			n.cfg.Driver, n.cfg.Await, n.cfg.Limit = w, w.await, 3
			n.start()
			names := []string{"start", "stop", "promote", "demote", "notify", "monitor", "reload"}
			var orders []cib.Operation
			for i := range 120 {
				op := order(uint64(1+i/40), i, names[intn(len(names))], fmt.Sprintf("r%d", intn(4)), 0)
				if op.Name == "monitor" && intn(2) == 0 {
					op.IntervalMS = int64(100 + intn(900))
				}
				if err := n.Do(op); err != nil {
					t.Fatal(err)
				}
				orders = append(orders, op)
				time.Sleep(time.Duration(intn(120)) * time.Millisecond)
				switch intn(8) {
				case 0:
					n.Stop()
					time.Sleep(time.Duration(intn(300)) * time.Millisecond)
					n.start()
				case 1:
					n.leader.deaf(errors.New("nobody leads"))
				case 2, 3:
					n.leader.deaf(nil)
				case 4:
					_ = n.Do(orders[intn(len(orders))]) // again, or of an earlier plan by now
				}
			}
			n.leader.deaf(nil)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			answers := map[int]map[uint64]bool{}
			for _, r := range n.leader.heard() {
				if answers[r.Op.Action] == nil {
					answers[r.Op.Action] = map[uint64]bool{}
				}
				answers[r.Op.Action][r.Serial] = true
			}
			for _, op := range orders {
				if got := len(answers[op.Action]); got != 1 && (op.IntervalMS == 0 || got == 0) {
					t.Errorf("seed %d: %s of %s got %d answers", seed, op.Name, op.Resource, len(answers[op.Action]))
				}
				once := op.Name == "start" || op.Name == "promote" || op.Name == "demote"
				if c := w.begun[marker(&op, "boot1")+" "+op.Name]; once && c > 1 {
					t.Errorf("seed %d: %s of %s was begun %d times", seed, op.Name, op.Resource, c)
				}
			}
			defer time.Sleep(time.Second) // for agents that are still at work then
			defer func() { n.Stop() }()
			if l, err := n.Ledger(n.Epoch()); err != nil || len(l.InFlight)+len(l.Unacked) != 0 {
				t.Errorf("seed %d: %+v %v", seed, l, err)
			}
		})
	}
}
