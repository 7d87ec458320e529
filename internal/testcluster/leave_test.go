package testcluster_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/testcluster"
)

// One of two leaves in order: the other one goes on by itself, without a fencing, and the one that left has a vote
// again when it is back.
func TestOneOfTwoLeavesInOrder(t *testing.T) {
	for _, who := range []string{"the leader", "the other one"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := testcluster.New(t, 2)
				c.Configure("a", "b")
				leaves, stays := pair(c, who == "the leader")
				generation := c.State().Cluster.Generation
				c.Leave(leaves)
				c.Until("the other one leads", func() bool { return c.Leader() == stays })
				if !c.World.AllRun("a", "b") {
					t.Errorf("services are away\n%s", c.Picture())
				}
				time.Sleep(time.Minute)
				c.Start(leaves)
				c.Until("both are online", func() bool { return c.Online() == 2 })
				c.Until("both have a vote", func() bool { return len(voting(c, stays)) == 2 })
				time.Sleep(time.Minute)
				st := c.State()
				if n := len(st.Fencing); n != 0 || st.Cluster.Generation != generation {
					t.Errorf("%d fencings, generation %d\n%s", n, st.Cluster.Generation, c.Picture())
				}
			})
		})
	}
}

// Whoever left must not decide alone from what it knew then, even if nobody else is there: the one that stayed has
// gone on without it.
func TestWhoHasLeftDoesNotDecideAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 2)
		c.Configure("a", "b")
		leaves, stays := pair(c, true)
		c.Leave(leaves)
		c.Until("the other one leads", func() bool { return c.Leader() == stays })
		if err := c.Edit(stays, cib.Edit{Op: "create", Parent: "/cib/configuration/resources", XML: `<primitive id="late" class="ocf" provider="test" type="Service"/>`}); err != nil {
			t.Fatal(err)
		}
		c.Kill(stays) // its services go on
		c.Start(leaves)
		time.Sleep(2 * time.Minute)
		if c.Leader() == leaves || !c.World.On(stays) {
			t.Fatalf("%s decides with what it knew before\n%s", leaves, c.Picture())
		}
		c.Start(stays)
		c.Until("both are online", func() bool { return c.Online() == 2 })
		c.Until("the late one runs, too", func() bool { return c.World.AllRun("a", "b", "late") })
		if n := len(c.State().Fencing); n != 0 {
			t.Errorf("%d fencings\n%s", n, c.Picture())
		}
	})
}

// pair is the leader of two and the other one, or the other way round.
func pair(c *testcluster.Cluster, leaderFirst bool) (first, second string) {
	first, second = "n1", "n2"
	if (c.Leader() == first) != leaderFirst {
		first, second = second, first
	}
	return first, second
}

// voting are the members whose votes the log counts.
func voting(c *testcluster.Cluster, asks string) []string {
	of, _ := c.Daemon(asks).Cluster(context.Background())
	return of.Voters
}
