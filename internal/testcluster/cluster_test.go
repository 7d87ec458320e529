package testcluster_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/testcluster"
)

func TestServicesMoveWhenANodeDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a", "b", "c")
		victim := "n3"
		if c.Leader() == victim {
			victim = "n2"
		}
		c.Crash(victim)
		took := c.Until("all services run", func() bool { return c.World.AllRun("a", "b", "c") })
		t.Logf("recovered after %v", took)
		if took > 3*time.Second {
			t.Errorf("recovered after %v", took)
		}
		c.Until("the node is back", func() bool { return c.Online() == 3 })
	})
}

func TestServicesMoveWhenTheLeaderDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a", "b", "c")
		c.Crash(c.Leader())
		took := c.Until("all services run", func() bool { return c.World.AllRun("a", "b", "c") })
		t.Logf("recovered after %v", took)
		if took > 5*time.Second {
			t.Errorf("recovered after %v", took)
		}
		c.Until("the node is back", func() bool { return c.Online() == 3 })
	})
}

func TestACutOffNodeIsFencedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a", "b", "c")
		cut := c.Leader()
		var rest []string
		for _, n := range c.Names {
			if n != cut {
				rest = append(rest, n)
			}
		}
		c.Net.Partition([]string{cut}, rest)
		took := c.Until("all services run in the majority", func() bool {
			return !c.World.On(cut) && c.World.AllRun("a", "b", "c")
		})
		t.Logf("recovered after %v", took)
		c.Net.HealAll()
		c.Until("the node is back", func() bool { return c.Online() == 3 })
		time.Sleep(time.Minute)
		if n := len(c.State().Fencing); n != 1 {
			t.Errorf("%d fencings\n%s", n, c.Picture())
		}
	})
}

func TestADaemonThatRestartsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a", "b", "c")
		before := c.World.String()
		for _, n := range c.Names {
			c.Kill(n)
			c.Start(n)
			c.Until("all are online", func() bool { return c.Leader() != "" && c.Online() == 3 })
			time.Sleep(10 * time.Second)
		}
		if after := c.World.String(); after != before {
			t.Errorf("before %s, after %s", before, after)
		}
		if n := len(c.State().Fencing); n != 0 {
			t.Errorf("%d fencings\n%s", n, c.Picture())
		}
	})
}
