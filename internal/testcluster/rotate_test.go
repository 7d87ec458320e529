package testcluster_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/peer"
	"github.com/cerco-ha/cerco/internal/testcluster"
	"github.com/cerco-ha/cerco/internal/wire"
)

// identity is what is on the disk of a host.
func identity(c *testcluster.Cluster, name string) *peer.Identity {
	c.T.Helper()
	id, err := peer.LoadIdentity(c.World.Layout(name).Conf)
	if err != nil {
		c.T.Fatal(err)
	}
	return id
}

func TestKeysAndAuthorityAreExchangedWhileServicesRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a", "b", "c")
		before := c.World.String()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		token, err := c.Daemon("n1").Invite(ctx, wire.Invite{ValidMS: 3600_000}, "root")
		if err != nil {
			t.Fatal(err)
		}
		old := map[string]*peer.Identity{}
		for _, n := range c.Names {
			old[n] = identity(c, n)
		}
		for _, n := range c.Names { // asked for through another node, the leader's too
			if err := c.Daemon("n2").Rotate(ctx, n, "root"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		if err := c.Daemon("n3").RotateCA(ctx, "root"); err != nil {
			t.Fatal(err)
		}
		c.Until("all have the new authority", func() bool {
			for _, n := range c.Names {
				if id := identity(c, n); id.Fingerprint() != c.State().Cluster.Authority || len(id.CAs) != 1 || id.CAKey == nil {
					return false
				}
			}
			return true
		})
		for _, n := range c.Names {
			id, m := identity(c, n), c.State().Cluster.Member(n)
			if id.KeyHash() == old[n].KeyHash() || id.KeyHash() != m.Key || id.Fingerprint() == old[n].Fingerprint() {
				t.Errorf("%s has not exchanged what it should have", n)
			}
		}
		o := daemon.NodeOptions{Name: "n4", Listen: []string{"n4:2225"}, Dial: c.World.Dial("n4")}
		if err := daemon.Join(ctx, daemon.LayoutIn(t.TempDir()), token.Token, o); err == nil {
			t.Error("an invitation of the old authority still opens the door")
		}
		c.Kill("n1") // what is on the disk will do
		c.Start("n1")
		c.Until("all are online", func() bool { return c.Leader() != "" && c.Online() == 3 })
		time.Sleep(5 * time.Second)
		undisturbed(c, before)
		c.Add("n4")
		c.Until("the new node is online", func() bool { return c.Online() == 4 })
	})
}

// Of two nodes one is off while the other one exchanges its key and the authority: they find each other again.
func TestWhoWasOffFollowsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 2)
		c.Configure("a")
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		c.Crash("n2")
		c.Until("n1 goes on", func() bool { return c.Leader() == "n1" && c.World.AllRun("a") })
		for range 2 {
			if err := c.Daemon("n1").Rotate(ctx, "n1", "root"); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Daemon("n1").RotateCA(ctx, "root"); err != nil {
			t.Fatal(err)
		}
		c.Until("n2 has booted and is back", func() bool { return c.Online() == 2 })
		c.Until("n2 has the authority", func() bool { return identity(c, "n2").Fingerprint() == c.State().Cluster.Authority })
	})
}

// A node that crashes between using its new key and the others' agreeing on it comes to an agreement later.
func TestAKeyThatWasNotAgreedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a", "b", "c")
		before := c.World.String()
		victim := "n3"
		if c.Leader() == victim {
			victim = "n2"
		}
		c.Kill(victim)
		id := identity(c, victim)
		next, err := id.Renew(id.Issue)
		if err != nil {
			t.Fatal(err)
		}
		if err := next.Save(c.World.Layout(victim).Conf); err != nil {
			t.Fatal(err)
		}
		c.Start(victim)
		c.Until("the members agree on the new key", func() bool { return c.State().Cluster.Member(victim).Key == next.KeyHash() })
		c.Until("all are online", func() bool { return c.Online() == 3 })
		undisturbed(c, before)
	})
}

// Old keys are exchanged without anybody's doing anything; the founder's is of unknown age.
func TestOldKeysAreExchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 2)
		c.Configure("a")
		before := c.World.String()
		days, keys := 30, map[string]string{}
		for _, m := range c.State().Cluster.Members {
			keys[m.Name] = m.Key
		}
		if err := c.Daemon("n2").Options(context.Background(), wire.Options{KeyDays: &days}, "root"); err != nil {
			t.Fatal(err)
		}
		c.Until("the founder's key is exchanged", func() bool {
			m := c.State().Cluster.Member("n1")
			return m.Key != keys["n1"] && !m.KeySince.IsZero()
		})
		if c.State().Cluster.Member("n2").Key != keys["n2"] {
			t.Error("a young key is exchanged, too")
		}
		time.Sleep(5 * time.Second)
		undisturbed(c, before)
	})
}
