package executor

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// A node whose lease is over begins nothing that may run elsewhere by now; it says so, and an order that comes again
// later is not carried out either. What ends or looks is done.
func TestWithoutLeaseNothingIsStarted(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.Stop()
		held := true
		n.cfg.Lease = func() bool { return held }
		n.start()
		n.do(order(1, 1, "start", "a", 0))
		n.expect("start a=0")
		held = false
		n.do(order(1, 2, "start", "b", 0))
		n.expect("start b=1/1")
		n.do(order(1, 3, "promote", "a", 0), order(1, 4, "monitor", "a", 0), order(1, 5, "stop", "a", 0))
		n.expect("promote a=1/1, monitor a=0, stop a=0")
		held = true
		n.do(order(1, 2, "start", "b", 0))
		n.expect("start b=1/1")
		if n.drv.count("start b") != 0 || n.drv.count("promote a") != 0 {
			t.Errorf("calls: %v", n.drv.calls)
		}
	})
}

// A start that waited for its turn when the daemon ended has not failed: it was never begun.
func TestStartThatWaitedForItsTurn(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.SetLimit(1)
		n.drv.set(takes(10*time.Second, driver.Result{}))
		n.do(order(1, 1, "start", "a", 0), order(1, 2, "start", "b", 0))
		time.Sleep(time.Second)
		n.Stop()
		n.drv.set(answers(cib.RCNotRunning))
		n.start()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := told(n.leader.heard()); got != "start a=1/4, start b=1/1" && got != "start b=1/1, start a=1/4" {
			t.Errorf("reported %q: want a failure of a and none of b", got)
		}
	})
}
