package executor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// bubble runs a test in virtual time.
func bubble(t *testing.T, f func(t *testing.T, n *node)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t).start()
		defer func() { n.Stop() }()
		f(t, n)
	})
}

// told writes results as "start a=0", with the status when it is not "done".
func told(rs []cib.OpResult) string {
	var out []string
	for _, r := range rs {
		s := fmt.Sprintf("%s %s=%d", r.Op.Name, r.Op.Resource, r.RC)
		if r.Status != cib.OpDone {
			s += fmt.Sprintf("/%d", r.Status)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (n *node) expect(want string) {
	n.t.Helper()
	synctest.Wait()
	if got := told(n.leader.heard()); got != want {
		n.t.Errorf("reported %q, want %q", got, want)
	}
}

func TestOneAfterTheOther(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.SetLimit(3)
		n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
			return takes(time.Duration(rand.IntN(900))*time.Millisecond, driver.Result{})(ctx, r)
		})
		for i := range 60 {
			n.do(order(1, i, []string{"start", "stop", "monitor", "notify"}[i%4], fmt.Sprintf("r%d", i%7), 0))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		rs := n.leader.heard()
		if len(rs) != 60 || n.drv.most != 3 {
			t.Errorf("%d results, %d at one time at most", len(rs), n.drv.most)
		}
		last := map[string]int{}
		for _, r := range rs {
			if r.CallID <= last[r.Op.Resource] {
				t.Errorf("%s of %s was overtaken", r.Op.Name, r.Op.Resource)
			}
			last[r.Op.Resource] = r.CallID
		}
	})
}

func TestResultSaysItAll(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.drv.meta = &driver.Metadata{Standard: "1.1", Parameters: []driver.Parameter{{Name: "p"}, {Name: "s", Private: true, Reloadable: true}}, Actions: []driver.Action{{Name: "reload-agent"}}}
		n.drv.set(takes(1500*time.Millisecond, driver.Result{RC: 1, Reason: "no disk", Output: "so sorry"}))
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "start", "a", 0))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		rs := n.leader.heard()
		if len(rs) != 2 {
			t.Fatal(told(rs))
		}
		r := rs[1]
		if r.RC != 1 || r.Reason != "no disk" || r.Output != "so sorry" || r.ExecMS != 1500 || r.QueueMS != 1500 || r.CallID != 2 || r.BootID != "boot1" || r.Serial <= rs[0].Serial ||
			r.Started == 0 || r.Changed != r.Started+2 && r.Changed != r.Started+1 || r.Restart != "  p  " || r.Secure != "  s  " || r.Digest == "" || r.Digest != r.RestartDigest || r.SecureDigest == "" {
			t.Errorf("%+v", r)
		}
	})
}

func TestRepeatedOrderIsCarriedOutOnce(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.drv.set(takes(time.Second, driver.Result{}))
		op := order(1, 1, "start", "a", 0)
		n.do(op, op, op)
		n.expect("")
		time.Sleep(time.Second)
		n.expect("start a=0")
		n.do(op)
		n.expect("start a=0") // what it was, not done again
		n.Stop()
		n.start()
		n.do(op)
		n.expect("start a=0")
		if c := n.drv.count("start a"); c != 1 {
			t.Errorf("started %d times", c)
		}
	})
}

func TestLowerEpochIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		high := order(3, 1, "monitor", "a", 0)
		high.Epoch.Term = 7
		n.do(high)
		for range 2 {
			for _, low := range []cib.Epoch{{Term: 7, Plan: 2}, {Term: 6, Plan: 9}} {
				op := order(1, 5, "start", "a", 0)
				op.Epoch = low
				if err := n.Do(op); !errors.Is(err, ErrStale) {
					t.Errorf("%s: %v", low, err)
				}
				if _, err := n.Ledger(low); errors.Is(err, ErrStale) != (low.Term < 7) {
					t.Errorf("the ledger for %s: %v", low, err)
				}
			}
			n.Stop()
			n.start()
		}
		n.Stop()
		n.cfg.BootID = "boot2" // the term is known after a boot; plans of it may start anew
		n.start()
		op := order(9, 1, "start", "a", 0)
		op.Epoch.Term = 6
		if err := n.Do(op); !errors.Is(err, ErrStale) {
			t.Errorf("after a boot: %v", err)
		}
		if _, err := n.Ledger(cib.Epoch{Term: 8}); err != nil {
			t.Error(err)
		}
		op.Epoch = cib.Epoch{Term: 7, Plan: 100}
		if err := n.Do(op); !errors.Is(err, ErrStale) {
			t.Errorf("after the ledger was asked for: %v", err)
		}
		if n.drv.count("start a") != 0 {
			t.Error("an order of an earlier epoch was carried out")
		}
	})
}

func TestRecurring(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "monitor", "a", 10000))
		n.expect("start a=0, monitor a=0")
		time.Sleep(35 * time.Second)
		n.expect("")
		if c := n.drv.count("monitor a"); c != 4 {
			t.Errorf("%d runs in 35 s", c)
		}
		n.drv.set(answers(7))
		time.Sleep(10 * time.Second)
		n.expect("monitor a=7")
		time.Sleep(30 * time.Second)
		n.expect("")
		n.drv.set(answers(0))
		time.Sleep(10 * time.Second)
		n.expect("monitor a=0")
		n.do(order(2, 1, "monitor", "a", 10000)) // ordered anew: run at once, and reported whatever it is
		n.expect("monitor a=0")
		time.Sleep(15 * time.Second)
		before := n.drv.count("monitor a")
		n.do(order(3, 1, "stop", "a", 0))
		n.expect("stop a=0")
		time.Sleep(time.Minute)
		if c := n.drv.count("monitor a"); c != before {
			t.Errorf("monitored %d times after the stop", c-before)
		}
	})
}

func TestRecurringWaitsForOtherOperations(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "monitor", "a", 1000), order(1, 3, "monitor", "a", 3000))
		n.expect("start a=0, monitor a=0, monitor a=0")
		n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
			if r.Action == "notify" {
				return takes(20*time.Second, driver.Result{})(ctx, r)
			}
			return driver.Result{}
		})
		before := n.drv.count("monitor a")
		n.do(order(1, 4, "notify", "a", 0))
		time.Sleep(19 * time.Second)
		synctest.Wait()
		if c := n.drv.count("monitor a") - before; c != 0 {
			t.Errorf("%d monitors during another operation", c)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if c := n.drv.count("monitor a") - before; c < 3 || c > 8 {
			t.Errorf("%d monitors within 3 s after it", c)
		}
	})
}

func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "monitor", "a", 1000), order(1, 3, "monitor", "a", 3000))
		n.expect("start a=0, monitor a=0, monitor a=0")
		op := order(2, 1, "cancel", "a", 1000)
		op.CancelTask = "monitor"
		n.do(op)
		n.expect("cancel a=0")
		before := n.drv.count("monitor a")
		time.Sleep(30500 * time.Millisecond)
		if c := n.drv.count("monitor a") - before; c != 10 {
			t.Errorf("%d runs in 30 s, of the monitor that is left", c)
		}
		if l, err := n.Ledger(n.Epoch()); err != nil || len(l.Recurring) != 1 || l.Recurring[0].IntervalMS != 3000 {
			t.Errorf("%+v %v", l, err)
		}
		n.do(order(2, 2, "delete", "a", 0))
		n.expect("delete a=0")
		if l, _ := n.Ledger(n.Epoch()); len(l.Recurring) != 0 {
			t.Errorf("%+v", l)
		}
	})
}

// TestStopEndsAMonitorThatHangs: nothing waits for the monitor of what is being stopped; who waits for its result
// hears that there will be none.
func TestStopEndsAMonitorThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0))
		n.expect("start a=0")
		n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
			if r.Action == "monitor" {
				return takes(time.Hour, driver.Result{})(ctx, r)
			}
			return driver.Result{}
		})
		n.do(order(1, 2, "monitor", "a", 1000), order(1, 3, "monitor", "a", 2000))
		n.expect("")
		n.do(order(2, 1, "stop", "a", 0))
		n.expect("monitor a=1/1, monitor a=1/1, stop a=0")
	})
}

func TestHangingMonitorsHoldUpNothingElse(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.SetLimit(2)
		for i := range 6 {
			r := fmt.Sprintf("r%d", i)
			n.do(order(1, 2*i, "start", r, 0), order(1, 2*i+1, "monitor", r, 1000))
		}
		synctest.Wait()
		n.leader.heard()
		n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
			if r.Action == "monitor" {
				return takes(time.Hour, driver.Result{})(ctx, r)
			}
			return driver.Result{}
		})
		time.Sleep(10 * time.Second)
		n.do(order(2, 1, "start", "new", 0))
		n.expect("start new=0")
		n.do(order(2, 2, "stop", "r3", 0))
		n.expect("stop r3=0")
	})
}

func TestStartDelay(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		op := order(1, 2, "monitor", "a", 10000)
		op.StartDelayMS = 5000
		n.do(order(1, 1, "start", "a", 0), op)
		n.expect("start a=0")
		time.Sleep(4 * time.Second)
		n.expect("")
		time.Sleep(time.Second)
		n.expect("monitor a=0")
		op.Action = 3
		n.do(op)
		n.expect("")
		n.do(order(1, 4, "stop", "a", 0))
		n.expect("monitor a=1/1, stop a=0")
		time.Sleep(time.Minute)
		n.expect("")
	})
}

func TestMonitorOfWhatIsNotActiveIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.drv.set(answers(7))
		n.do(order(1, 1, "monitor", "a", 0))
		n.expect("monitor a=7")
		n.do(order(1, 2, "monitor", "a", 10000))
		n.expect("monitor a=7/1")
		role := order(1, 3, "monitor", "a", 11000)
		role.TargetRC = cib.RCNotRunning // role=Stopped: this is what it is for
		n.do(role)
		n.expect("monitor a=7")
		time.Sleep(time.Minute)
		if c := n.drv.count("monitor a"); c != 7 {
			t.Errorf("%d runs", c)
		}
		n.Stop()
		n.start()
		n.do(order(2, 2, "monitor", "a", 10000))
		n.expect("monitor a=7/1")
	})
}

func TestResultsAreReportedUntilTheyAreCommitted(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.leader.deaf(errors.New("nobody leads"))
		n.do(order(1, 1, "start", "a", 0))
		time.Sleep(time.Minute)
		n.Stop()
		n.start()
		n.do(order(1, 2, "start", "b", 0))
		time.Sleep(time.Minute)
		synctest.Wait()
		l, err := n.Ledger(cib.Epoch{Term: 2})
		if err != nil || told(l.Unacked) != "start a=0, start b=0" || l.Epoch.Term != 2 {
			t.Errorf("%+v %v", l, err)
		}
		n.Ack(l.Unacked[0].Serial)
		n.leader.deaf(nil)
		time.Sleep(2 * time.Second)
		n.expect("start b=0")
		n.Stop()
		n.start()
		n.expect("")
	})
}

func TestFencingDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeFencer{}
		n := newNode(t)
		n.cfg.Fencer = f
		n.start()
		defer func() { n.Stop() }()
		dev := func(action int, name string, interval int64) cib.Operation {
			op := order(1, action, name, "fence-a", interval)
			op.Class, op.Provider, op.Type = "stonith", "", "fence_x"
			return op
		}
		n.do(dev(1, "monitor", 0))
		n.expect("monitor fence-a=7")
		n.do(dev(2, "start", 0), dev(3, "monitor", 60000))
		n.expect("start fence-a=0, monitor fence-a=0")
		f.fail(errors.New("no answer"))
		time.Sleep(time.Minute)
		n.expect("monitor fence-a=1")
		f.fail(nil)
		n.do(dev(4, "stop", 0))
		n.expect("stop fence-a=0")
		if got := strings.Join(f.calls, " "); got != "register monitor monitor monitor unregister" {
			t.Error(got)
		}
		if len(n.drv.calls) != 0 {
			t.Errorf("agents were called: %v", n.drv.calls)
		}
	})
}

type fakeFencer struct {
	mu    sync.Mutex
	calls []string
	err   error
}

func (f *fakeFencer) call(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, what)
	if what == "monitor" {
		return f.err
	}
	return nil
}

func (f *fakeFencer) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *fakeFencer) Register(context.Context, string) error   { return f.call("register") }
func (f *fakeFencer) Unregister(context.Context, string) error { return f.call("unregister") }
func (f *fakeFencer) Monitor(context.Context, string) error    { return f.call("monitor") }

func TestWhatIsNotSupported(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		remote := order(1, 1, "start", "r", 0)
		remote.Provider, remote.Type = "pacemaker", "remote"
		behind := order(1, 2, "start", "a", 0)
		behind.Target = "guest1"
		device := order(1, 3, "start", "f", 0)
		device.Class = "stonith"
		n.do(remote, behind, device)
		synctest.Wait()
		rs := n.leader.heard()
		slices.SortFunc(rs, func(a, b cib.OpResult) int { return a.Op.Action - b.Op.Action })
		if got := told(rs); got != "start r=3/3, start a=3/3, start f=3/3" {
			t.Error(got)
		}
		wrong := order(1, 4, "start", "a", 0)
		wrong.Node = "n2"
		if err := n.Do(wrong); err == nil {
			t.Error("an operation for another node is taken")
		}
		if len(n.drv.calls) != 0 {
			t.Errorf("agents were called: %v", n.drv.calls)
		}
	})
}

func TestReloadIsCalledAsTheAgentKnowsIt(t *testing.T) {
	for standard, want := range map[string]string{"1.0": "reload a", "1.1": "reload-agent a"} {
		bubble(t, func(t *testing.T, n *node) {
			n.drv.meta = &driver.Metadata{Standard: standard, Actions: []driver.Action{{Name: "reload"}, {Name: "reload-agent"}}}
			n.do(order(1, 1, "reload-agent", "a", 0))
			n.expect("reload-agent a=0")
			if n.drv.count(want) != 1 {
				t.Errorf("%s: %v", standard, n.drv.calls)
			}
		})
	}
}

func BenchmarkOperations(b *testing.B) {
	n := newNode(b).start()
	defer n.Stop()
	n.drv.meta = &driver.Metadata{}
	b.ResetTimer()
	for i := range b.N {
		if err := n.Do(order(uint64(i/1000), i, "monitor", fmt.Sprintf("r%d", i%100), 0)); err != nil {
			b.Fatal(err)
		}
	}
	for l, _ := n.Ledger(n.Epoch()); len(l.InFlight) > 0 || len(l.Unacked) > 0; l, _ = n.Ledger(n.Epoch()) {
		time.Sleep(time.Millisecond)
	}
}
