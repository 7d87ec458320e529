package testcluster_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/testcluster"
)

// The versions of the program that the tests pretend to have.
const (
	older = cib.CommandVersion
	newer = cib.CommandVersion + 1
)

// install gives a node another version, as a package manager does: the daemon is restarted, what runs goes on.
func install(c *testcluster.Cluster, name string, v cib.Vocabulary) {
	c.T.Helper()
	c.Kill(name)
	c.Install(name, v)
	c.Start(name)
	c.Until("all are online", func() bool { return c.Leader() != "" && c.Online() == len(c.Names) })
	time.Sleep(5 * time.Second)
}

// undisturbed checks that nothing has moved and nobody was fenced.
func undisturbed(c *testcluster.Cluster, before string) {
	c.T.Helper()
	if after := c.World.String(); after != before {
		c.T.Errorf("before %s, after %s", before, after)
	}
	if n := len(c.State().Fencing); n != 0 {
		c.T.Errorf("%d fencings\n%s", n, c.Picture())
	}
}

// sameStates checks that all nodes have come to the same state.
func sameStates(c *testcluster.Cluster) {
	c.T.Helper()
	states := func() map[string]bool {
		list := map[string]bool{}
		for _, n := range c.Names {
			st, _ := c.Daemon(n).State(context.Background(), false)
			var b strings.Builder
			if err := cib.EncodeState(&b, st); err != nil {
				c.T.Fatal(err)
			}
			list[b.String()] = true
		}
		return list
	}
	c.Until("all have the same state", func() bool { return len(states()) == 1 })
}

func propose(c *testcluster.Cluster, through string, cmd cib.Command) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := c.Daemon(through).Propose(ctx, cmd)
	return err
}

func TestUpgradeNodeByNodeAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.NewSpeaking(t, 3, older)
		c.Configure("a", "b", "c")
		before := c.World.String()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()

		for i, n := range c.Names { // forward
			install(c, n, newer)
			if err := c.Edit(n, cib.Edit{Op: "modify", Create: true, XML: `<tags><tag id="t-` + n + `"><obj_ref id="a"/></tag></tags>`}); err != nil {
				t.Errorf("with %s upgraded: %v", n, err)
			}
			for _, through := range c.Names {
				if err := propose(c, through, cib.Command{V: newer, By: "root"}); err == nil {
					t.Errorf("with %s upgraded, %s takes a command that was not agreed on", n, through)
				}
			}
			u, err := c.Daemon(n).Upgrade(ctx, true, "root")
			if i < 2 && err == nil {
				t.Fatalf("with %s upgraded, the upgrade is final: %+v", n, u)
			}
			if i < 2 && u.Final {
				t.Errorf("with %s upgraded: %+v", n, u)
			}
			sameStates(c)
			if i == 1 {
				break // and back again, before it is final
			}
		}
		for _, n := range c.Names[:2] {
			install(c, n, older)
		}
		sameStates(c)
		undisturbed(c, before)
		for _, n := range c.Names {
			install(c, n, newer)
		}
		u, err := c.Daemon("n2").Upgrade(ctx, true, "root")
		if err != nil || u.Agreed != newer {
			t.Fatalf("the end of the upgrade: %+v, %v", u, err)
		}
		if err := propose(c, "n3", cib.Command{V: newer, By: "root"}); err != nil {
			t.Errorf("what was agreed on: %v", err)
		}
		sameStates(c)
		undisturbed(c, before)
	})
}

func TestAnOldProgramDoesNotRunInAnUpgradedCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.NewSpeaking(t, 3, newer)
		c.Configure("a")
		victim := "n2"
		if c.Leader() == victim {
			victim = "n3"
		}
		c.Kill(victim)
		c.Install(victim, older)
		if err := c.World.TryStart(victim); !errors.Is(err, cib.ErrBehind) {
			t.Errorf("%s starts: %v", victim, err)
		}
	})
}

// Nobody makes an upgrade final while a node runs the old version; should it happen all the same, that node stops
// where it is.
func TestWhoFallsBehindStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.NewSpeaking(t, 3, older)
		const behind = "n1"
		install(c, "n2", newer)
		install(c, "n3", newer)
		c.Kill(behind)
		c.Until("somebody else leads", func() bool { l := c.Leader(); return l != "" && l != behind })
		install(c, behind, older)
		old, _ := c.Daemon(behind).State(context.Background(), false)
		if err := propose(c, c.Leader(), cib.Command{By: "root", Raise: newer}); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-c.Daemon(behind).Failed():
			if !errors.Is(err, cib.ErrBehind) {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("a daemon goes on with a log that it does not understand")
		}
		if now, _ := c.Daemon(behind).State(context.Background(), false); now.Agreed() != old.Agreed() {
			t.Errorf("it has agreed on %d", now.Agreed())
		}
		c.Crash(behind)
		c.Install(behind, newer)
		c.Start(behind)
		c.Until("it is back", func() bool { return c.Online() == 3 })
		sameStates(c)
	})
}
