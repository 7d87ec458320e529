package executor

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// TestInterrupted: an operation was going on when the daemon died. The next one waits for the agent to end, asks
// it how things stand, and reports that.
func TestInterrupted(t *testing.T) {
	for _, c := range []struct {
		op      string
		monitor int
		want    string
		calls   string // after the restart
	}{
		{"start", 0, "start a=0", "monitor"},
		{"start", 8, "start a=0", "monitor"},
		{"start", 7, "start a=1/4", "monitor"},
		{"start", 1, "start a=1/4", "monitor"},
		{"stop", 7, "stop a=0", "monitor"},
		{"stop", 0, "stop a=0", "monitor stop"}, // stopping again does no harm
		{"promote", 8, "promote a=0", "monitor"},
		{"promote", 0, "promote a=1/4", "monitor"},
		{"demote", 0, "demote a=0", "monitor"},
		{"demote", 8, "demote a=1/4", "monitor"},
		{"migrate_to", 7, "migrate_to a=0", "monitor"},
		{"migrate_to", 0, "migrate_to a=1/4", "monitor"},
		{"migrate_from", 0, "migrate_from a=0", "monitor"},
		{"notify", 0, "notify a=0", "notify"},
		{"reload", 0, "reload a=0", "reload"},
		{"monitor", 7, "monitor a=7", "monitor"},
	} {
		bubble(t, func(t *testing.T, n *node) {
			n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
				r.Started(driver.Process{PID: 42, Start: 99})
				<-ctx.Done()
				return driver.Result{Status: cib.OpUnknown}
			})
			n.do(order(1, 1, c.op, "a", 0), order(1, 2, "notify", "b", 0))
			synctest.Wait()
			time.Sleep(3 * time.Second)
			n.Stop()
			n.drv.calls = nil
			n.drv.set(func(_ context.Context, r driver.Request) driver.Result {
				if r.Action == "monitor" {
					return driver.Result{RC: c.monitor}
				}
				return driver.Result{}
			})
			var mu sync.Mutex
			var awaited []time.Duration
			n.cfg.Await = func(_ context.Context, p driver.Process, left time.Duration) bool {
				mu.Lock()
				if p == (driver.Process{PID: 42, Start: 99}) {
					awaited = append(awaited, left)
				}
				mu.Unlock()
				time.Sleep(time.Second)
				return true
			}
			n.start()
			n.do(order(1, 1, c.op, "a", 0)) // the leader asks again
			synctest.Wait()
			if l, _ := n.Ledger(n.Epoch()); len(l.InFlight) != 2 {
				t.Errorf("%s: %+v", c.op, l)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			var rs []cib.OpResult
			for _, r := range n.leader.heard() {
				if r.Op.Resource == "a" {
					rs = append(rs, r)
				}
			}
			if told(rs) != c.want || len(rs) != 1 || !rs[0].Recovery {
				t.Errorf("%s, then monitor says %d: %s", c.op, c.monitor, told(rs))
			}
			if len(awaited) != 2 || awaited[0] > 17*time.Second || awaited[0] < 16*time.Second {
				t.Errorf("waited for %v", awaited)
			}
			var calls []string
			for _, call := range n.drv.calls {
				if name, ok := strings.CutSuffix(call, " a"); ok {
					calls = append(calls, name)
				}
			}
			if got := strings.Join(calls, " "); got != c.calls {
				t.Errorf("%s, then monitor says %d: called %q, want %q", c.op, c.monitor, got, c.calls)
			}
		})
	}
}

func TestRecurringGoesOnAfterARestart(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "monitor", "a", 10000))
		n.expect("start a=0, monitor a=0")
		time.Sleep(6 * time.Second)
		n.Stop()
		n.start()
		time.Sleep(3 * time.Second)
		n.expect("")
		if c := n.drv.count("monitor a"); c != 1 {
			t.Errorf("%d runs before its time", c)
		}
		n.drv.set(answers(7))
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		rs := n.leader.heard()
		if told(rs) != "monitor a=7" || rs[0].Op.Action != 2 || rs[0].CallID != 2 || rs[0].Digest == "" {
			t.Errorf("%+v", rs)
		}
		n.drv.set(nil)
		n.do(order(2, 1, "start", "b", 0))
		synctest.Wait()
		if rs := n.leader.heard(); len(rs) != 1 || rs[0].CallID != 3 {
			t.Errorf("%+v", rs)
		}
	})
}

// A monitor is at work when the daemon ends, and the next daemon is told to promote before it has looked after the monitor,
// which nobody waits for any more: it is ended, and only then is the agent called again. So it is when the daemon is
// restarted once more in between.
func TestAMonitorLeftAtWorkIsEndedFirst(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "monitor", "a", 1000))
		n.expect("start a=0, monitor a=0")
		n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
			r.Started(driver.Process{PID: 42, Start: 99})
			<-ctx.Done()
			return driver.Result{Status: cib.OpUnknown}
		})
		time.Sleep(1500 * time.Millisecond)
		n.Stop()
		var awaited []time.Duration
		n.cfg.Await = func(ctx context.Context, p driver.Process, left time.Duration) bool {
			if p.PID != 42 {
				return true
			}
			awaited = append(awaited, left)
			select {
			case <-time.After(min(left, time.Second)):
			case <-ctx.Done():
			}
			return false
		}
		n.drv.set(nil)
		n.cfg.Limit = 1
		n.start()
		n.do(order(2, 1, "promote", "a", 0)) // before the monitor's end has been seen
		synctest.Wait()
		n.Stop()
		n.start()
		time.Sleep(5 * time.Second)
		n.expect("promote a=0")
		if len(awaited) == 0 || awaited[len(awaited)-1] > 20*time.Second || n.drv.count("promote a") != 1 {
			t.Errorf("awaited %v, calls %v", awaited, n.drv.calls)
		}
	})
}

func TestAnotherBootMakesTheLedgerVoid(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "monitor", "a", 10000))
		n.expect("start a=0, monitor a=0")
		n.leader.deaf(context.DeadlineExceeded)
		n.drv.set(takes(time.Hour, driver.Result{}))
		n.do(order(1, 3, "start", "b", 0))
		synctest.Wait()
		serial := n.led.serial
		n.Stop()
		n.leader.deaf(nil)
		n.cfg.BootID = "boot2"
		n.drv.calls = nil
		n.start()
		time.Sleep(time.Minute)
		n.expect("")
		if len(n.drv.calls) != 0 {
			t.Errorf("%v", n.drv.calls)
		}
		l, err := n.Ledger(n.Epoch())
		if err != nil || len(l.InFlight)+len(l.Unacked)+len(l.Recurring) != 0 || l.Epoch.Term != 1 {
			t.Errorf("%+v %v", l, err)
		}
		if n.led.serial <= serial {
			t.Errorf("serial numbers go back from %d to %d", serial, n.led.serial)
		}
	})
}

func TestTwoDaemonsDoNotShareALedger(t *testing.T) {
	n := newNode(t).start()
	defer n.Stop()
	if _, err := New(n.cfg); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("%v", err)
	}
}
