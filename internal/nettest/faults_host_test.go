//go:build host

package nettest

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDaemonIsKilled wants resources to go on and nobody to be fenced when a daemon is killed and started again, as
// systemd does: on a node that runs something, and on the one that leads.
func TestDaemonIsKilled(t *testing.T) {
	h := newHosts(t, 3, 1, "db", "web")
	leader, _ := h.leader("n1")
	victims := []string{h.runs("db").node, leader}
	for _, victim := range slices.Compact(victims) {
		before := []line{h.runs("db"), h.runs("web")}
		if err := h.cmds[victim].Process.Kill(); err != nil {
			t.Fatal(err)
		}
		h.startDaemon(victim)
		h.quiet(3*time.Second, "db")
		h.awaitOnline(h.names...)
		for i, s := range []string{"db", "web"} {
			if now := h.runs(s); now.pid != before[i].pid {
				t.Errorf("%s was %+v before the daemon of %s was killed, and is %+v", s, before[i], victim, now)
			}
		}
	}
	// What was there before is still looked after: the service dies, and comes back.
	db := h.runs("db")
	if err := syscall.Kill(db.pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	h.await(10*time.Second, "db to be started again", func() error {
		if now := h.runs("db"); now.pid == 0 || now.pid == db.pid {
			return errNotYet
		}
		return nil
	})
	h.noFencing()
	h.checkOnce("db", "web")
}

// TestFrozenNode wants a node that is frozen for a moment to be left alone, and one that stays frozen to be fenced
// before its services run elsewhere.
func TestFrozenNode(t *testing.T) {
	h := newHosts(t, 3, 1, "db")
	victim := h.runs("db").node
	h.signal(victim, syscall.SIGSTOP)
	time.Sleep(250 * time.Millisecond)
	h.signal(victim, syscall.SIGCONT)
	time.Sleep(2 * time.Second)
	if now := h.runs("db"); now.node != victim {
		t.Errorf("db has moved from %s to %+v", victim, now)
	}
	h.noFencing()

	h.signal(victim, syscall.SIGSTOP)
	_, took := h.awaitRuns(20*time.Second, "db", h.others(victim)...)
	t.Logf("recovered after %v", took)
	if f := h.fenced(); len(f) != 1 || !strings.HasPrefix(f[0], victim+" by ") {
		t.Errorf("fenced: %v; want %s alone", f, victim)
	}
	h.checkOnce("db")
	h.boot(victim)
	h.awaitOnline(h.names...)
}

// TestOneWayPartition wants a node that hears the others but is not heard to be fenced, and one that is heard but
// does not hear as well; and nobody else.
func TestOneWayPartition(t *testing.T) {
	for _, way := range []string{"mute", "deaf"} {
		t.Run(way, func(t *testing.T) {
			h := newHosts(t, 3, 2, "db")
			victim := h.runs("db").node
			if way == "mute" {
				h.mute(victim, h.others(victim))
			} else {
				h.deaf(victim, h.others(victim))
			}
			_, took := h.awaitRuns(20*time.Second, "db", h.others(victim)...)
			t.Logf("recovered after %v", took)
			if f := h.fenced(); len(f) != 1 || !strings.HasPrefix(f[0], victim+" by ") {
				t.Errorf("fenced: %v; want %s alone", f, victim)
			}
			h.checkOnce("db")
			h.heal()
			h.boot(victim)
			h.awaitOnline(h.names...)
		})
	}
}

// TestPartition cuts one node off, the leader and another one.
func TestPartition(t *testing.T) {
	for _, who := range []string{"leader", "follower"} {
		t.Run(who, func(t *testing.T) {
			h := newHosts(t, 3, 2, "db", "web")
			victim, _ := h.leader("n1")
			if who == "follower" {
				victim = h.others(victim)[0]
			}
			h.deaf(victim, h.others(victim))
			h.mute(victim, h.others(victim))
			h.await(20*time.Second, victim+" to be fenced", func() error {
				if len(h.fenced()) == 0 {
					return errNotYet
				}
				return nil
			})
			for _, s := range []string{"db", "web"} {
				_, took := h.awaitRuns(20*time.Second, s, h.others(victim)...)
				t.Logf("%s runs %v after the fencing", s, took)
			}
			if f := h.fenced(); len(f) != 1 || !strings.HasPrefix(f[0], victim+" by ") {
				t.Errorf("fenced: %v; want %s alone", f, victim)
			}
			h.checkOnce("db", "web")
			h.heal()
			h.boot(victim)
			h.awaitOnline(h.names...)
		})
	}
}

// TestLostRing wants ring 1 to carry on when ring 0 fails: no election, no fencing, changes go on.
func TestLostRing(t *testing.T) {
	h := newHosts(t, 3, 2, "db")
	leader, term := h.leader("n1")
	for _, step := range []struct {
		ring  int
		state string
	}{{0, "down"}, {0, "up"}, {1, "down"}, {1, "up"}} {
		h.ring(step.ring, step.state)
		h.quiet(3*time.Second, "db")
		h.change("n2")
		if now, then := h.leader("n1"); now != leader || then != term {
			t.Errorf("ring %d %s: %s leads in term %d, before %s in term %d", step.ring, step.state, now, then, leader, term)
			leader, term = now, then
		}
	}
	h.awaitOnline(h.names...)
	h.checkOnce("db")
}

// TestLoss wants a network that loses a tenth of everything to alarm nobody.
func TestLoss(t *testing.T) {
	h := newHosts(t, 3, 1, "db")
	for _, n := range h.names {
		h.lose(n, 10)
	}
	h.quiet(20*time.Second, "db")
	h.heal()
	h.awaitOnline(h.names...)
	h.checkOnce("db")
}

// TestDelay wants a slow network, with jitter, to alarm nobody.
func TestDelay(t *testing.T) {
	h := newHosts(t, 3, 1, "db")
	for _, n := range h.names {
		h.lose(n, 2)
		h.slow(n, 40*time.Millisecond, 60*time.Millisecond)
	}
	h.quiet(20*time.Second, "db")
	h.checkOnce("db")
}

// TestTwoNodesPartition wants exactly one of two nodes to survive when they lose sight of each other.
func TestTwoNodesPartition(t *testing.T) {
	h := newHosts(t, 2, 2, "db", "web")
	h.deaf("n1", []string{"n2"})
	h.deaf("n2", []string{"n1"})
	h.await(20*time.Second, "a fencing", func() error {
		if len(h.fenced()) == 0 {
			return errNotYet
		}
		return nil
	})
	loser := h.fenced()[0][:2]
	survivor := h.others(loser)[0]
	for _, s := range []string{"db", "web"} {
		_, took := h.awaitRuns(20*time.Second, s, survivor)
		t.Logf("%s runs %v after the fencing", s, took)
	}
	time.Sleep(3 * time.Second)
	if f := h.fenced(); len(f) != 1 {
		t.Errorf("fenced: %v", f)
	}
	h.checkOnce("db", "web")
	h.change(survivor)
	h.heal()
	h.boot(loser)
	h.awaitOnline("n1", "n2")
}
