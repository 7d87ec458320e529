package store

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSignsOfLifeStandForHeartbeats: what answers a heartbeat is a sign that came since the last one, is not old, and
// is of the same term; raft's own goes out all the same from time to time, and whenever somebody asks how it is now.
func TestSignsOfLifeStandForHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, done := newContacts(), make(chan struct{})
		answered := func(term uint64) bool { return c.answered("b", term, DefaultTiming, done) }
		hear := func(term uint64, since time.Time) { c.follows("b", sign{term, since, true}, DefaultTiming) }
		hear(7, time.Now())
		if answered(7) {
			t.Error("raft's own heartbeat was never answered, and a sign of life stood for it")
		}
		c.reached("b")
		if answered(8) {
			t.Error("a sign of another term counted")
		}
		c.mu.Lock()
		c.signs["b"] = sign{7, time.Now(), false}
		c.mu.Unlock()
		if start := time.Now(); answered(7) || time.Since(start) != DefaultTiming.Heartbeat/2 {
			t.Errorf("one sign answered two heartbeats, or another was waited for %v", time.Since(start))
		}
		c.reached("b")
		time.Sleep(200 * time.Millisecond)
		hear(7, time.Now())
		if !answered(7) {
			t.Error("a fresh sign did not count")
		}
		time.AfterFunc(200*time.Millisecond, func() { hear(7, time.Now().Add(-100*time.Millisecond)) })
		if !answered(7) {
			t.Error("a sign that came in time did not count")
		}
		hear(7, time.Now().Add(-DefaultTiming.Heartbeat))
		if answered(7) {
			t.Error("a sign that knows only what was long ago counted")
		}
		hear(7, time.Now())
		time.AfterFunc(10*time.Millisecond, func() { hear(7, time.Now()) })
		_ = c.ask(func() error {
			if answered(7) {
				t.Error("a sign of life answered a question of now")
			}
			return nil
		})
		time.Sleep(realEvery + time.Millisecond)
		hear(7, time.Now())
		if answered(7) {
			t.Error("raft's own heartbeat is over a second ago, and a sign counted")
		}
	})
}

// TestSignsOfLifeKeepNoDeadConnectionAlive: with signs of life the leader stays, also where raft's own heartbeats are few;
// but when its own connections are cut, signs that go on hold the next election up for seconds only.
func TestSignsOfLifeKeepNoDeadConnectionAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		_, term := first.Leader()
		signs := func() {
			for _, s := range r.stores {
				if s != first {
					s.Heard(Contact{Node: first.cfg.Name, Term: term, Leads: true})
					first.Heard(Contact{Node: s.cfg.Name, Term: term, Follows: true, Since: time.Now().Add(-100 * time.Millisecond)})
				}
			}
		}
		sent := func() time.Time {
			c := first.node.Load().contacts
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.sent["n2"]
		}
		real, last := 0, sent()
		for range 200 {
			signs()
			time.Sleep(100 * time.Millisecond)
			if at := sent(); at != last {
				real, last = real+1, at
			}
		}
		if r.leader() != first {
			t.Error("the leader was given up while it lived")
		}
		if real < 15 || real > 25 {
			t.Errorf("raft has sent %d heartbeats of its own in 20 s", real)
		}
		r.net.Partition([]string{"n1"}, []string{"n2", "n3"})
		took := r.until("another leads", func() bool {
			signs()
			next := r.leader()
			return next != nil && next != first
		})
		t.Logf("a new leader after %v", took)
		if took > 8*time.Second {
			t.Errorf("a new leader after %v", took)
		}
	})
}
