package testcluster

import (
	"flag"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var manyNodes = flag.Int("many-nodes", 12, "nodes of the cluster that TestManyNodes forms")

// TestManyNodes forms a large cluster, loses a node that runs a service, and another one that leads, and prints what
// that took, in virtual time, and what it cost: processor time and memory of all nodes together.
func TestManyNodes(t *testing.T) {
	spent := processorTime()
	told := func(what string, virtual time.Duration) {
		now := processorTime()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%-28s %8v, %6.1f s of processor time, %5d MiB in use", what, virtual.Round(time.Millisecond),
			(now - spent).Seconds(), (m.HeapInuse+m.StackInuse)>>20)
		spent = now
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := New(t, *manyNodes)
		told(fmt.Sprintf("%d nodes have formed", *manyNodes), time.Since(start))
		start = time.Now()
		c.Configure("web", "db", "mail")
		told("services run", time.Since(start))
		for _, loss := range []string{"a node is lost", "the leader is lost"} {
			victim := c.Leader()
			if loss == "a node is lost" {
				victim = c.Names[len(c.Names)-1]
			}
			c.Crash(victim)
			took := c.Until(loss, func() bool { return c.Online() == *manyNodes-1 && c.World.AllRun("web", "db", "mail") && c.Settled() })
			told(loss+" and recovered", took)
			c.Start(victim)
			took = c.Until("the node is back", func() bool { return c.Online() == *manyNodes && c.Settled() })
			told("the node is back", took)
		}
		start = time.Now()
		time.Sleep(10 * time.Second)
		told("ten seconds at rest", time.Since(start))
	})
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
