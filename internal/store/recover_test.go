package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func fencedCommand(target string) cib.Command {
	return cib.Command{At: time.Unix(1e9, 0), By: "n1", Fencing: []cib.FenceRecord{{
		FenceRequest: cib.FenceRequest{ID: "f-" + target, Target: target, Action: "off", By: "n1"},
		State:        cib.FenceDone, Evidence: cib.ByAgent, Requested: time.Unix(1e9, 0), Completed: time.Unix(1e9, 0),
	}}}
}

func TestAllStopAndComeBackFromDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		r.propose(r.up(), "kept")
		r.until("n3 has it", r.sees("n3", "kept"))
		for _, n := range r.names {
			r.stop(n)
		}
		s := r.start("n3")
		if got := attr(s.View(), "n1", "v"); got != "kept" {
			t.Errorf("before any leader is heard, n3 knows %q", got)
		}
		var whole []string
		r.stores["n3"].Watch(func(s cib.State, c cib.Command) { whole = append(whole, attr(s, "n1", "v")) })
		r.start("n1")
		r.until("somebody leads", func() bool { return r.leader() != nil })
		r.propose(r.leader(), "more")
		r.until("n3 has more", r.sees("n3", "more"))
		synctest.Wait()
		if got := strings.Join(whole, " "); got != "more" && got != "kept more" {
			t.Errorf("n3 heard %q", got)
		}
	})
}

func TestALoneSurvivorRecoversAndTheOthersJoinAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		first := r.up()
		_, oldTerm := first.Leader()
		r.propose(first, "kept")
		r.stop("n1") // it is fenced
		n2 := r.stores["n2"]
		r.until("n2 gives the leader up", func() bool { l, _ := n2.Leader(); return l == "" })
		if _, err := n2.Propose(context.Background(), setAttr("n1", "v", "x")); !errors.As(err, new(*NotLeaderError)) {
			t.Fatalf("without a majority: %v", err)
		}
		st, err := n2.Recover(context.Background(), fencedCommand("n1"))
		if err != nil {
			t.Fatal(err)
		}
		if attr(st, "n1", "v") != "kept" || st.Cluster.Generation != 2 || len(st.Fencing) != 1 {
			t.Errorf("the new log begins with %q, generation %d, %d fencings", attr(st, "n1", "v"), st.Cluster.Generation, len(st.Fencing))
		}
		if took := r.until("n2 leads", func() bool { return r.leader() == n2 }); took > 100*time.Millisecond {
			t.Errorf("led after %v", took)
		}
		if _, term := n2.Leader(); term <= oldTerm {
			t.Errorf("term %d after %d", term, oldTerm)
		}
		r.propose(n2, "alone")

		back := r.start("n1") // with its old log
		took := r.until("n1 has what was done without it", r.sees("n1", "alone"))
		if took > 2*time.Second {
			t.Errorf("taken in after %v", took)
		}
		if back.ID() != (LogID{2, "n2"}) {
			t.Errorf("n1 has the log %v", back.ID())
		}
		up := cib.Command{At: time.Unix(1e9, 0), Nodes: []cib.NodeUpdate{{ID: "1", Name: "n1", InCCM: "true", Crmd: "online", Join: "member", Expected: "member"}}}
		if _, err := n2.Propose(context.Background(), up); err != nil {
			t.Fatal(err)
		}
		r.until("n1 votes again", func() bool { return r.voters(n2) == 2 })
		r.stop("n2")
		r.start("n2")
		r.until("one of them leads", func() bool { return r.leader() != nil })
		r.propose(r.leader(), "together")
		r.until("both have it", func() bool { return r.sees("n1", "together")() && r.sees("n2", "together")() })
	})
}

func TestFiveNodesCarryOnWithThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5)
		first := r.up()
		r.propose(first, "five")
		r.net.Partition([]string{"n1", "n2"}, []string{"n3", "n4", "n5"})
		var next *Store
		r.until("the three have a leader", func() bool {
			next = r.leader()
			return next != nil && next.cfg.Name > "n2"
		})
		r.propose(next, "three")
		r.until("the old leader steps down", func() bool { return first.VerifyLeader(context.Background()) != nil })
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := first.Propose(ctx, setAttr("n1", "v", "two")); err == nil {
			t.Error("two of five took a change")
		}
		r.net.HealAll()
		for _, n := range r.names {
			r.until(n+" has it", r.sees(n, "three"))
		}
	})
}

func TestANodeWithALostDiskVotesOnlyWhenItHasCaughtUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		r.propose(first, "kept")
		r.stop("n3")
		r.net.Crash("n3")
		old := r.base
		r.base = t.TempDir()
		r.start("n3")
		r.base = old
		r.until("n3 has it again", r.sees("n3", "kept"))
		r.until("n3 votes again", func() bool { return r.voters(first) == 3 })
	})
}

func TestSnapshotsBringANodeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		r.timing = Timing{SnapshotThreshold: 20, TrailingLogs: 5, SnapshotInterval: time.Second}
		first := r.up()
		r.stop("n3")
		for i := range 60 {
			r.propose(first, fmt.Sprint(i))
		}
		n := first.node.Load()
		r.until("the log is cut", func() bool { at, _ := n.disk.FirstIndex(); return at > 30 })
		r.propose(first, "last")
		r.start("n3")
		r.until("n3 has it", r.sees("n3", "last"))
		r.stop("n3")
		s := r.start("n3")
		if got := attr(s.View(), "n1", "v"); got != "last" {
			t.Errorf("from its own disk n3 knows %q", got)
		}
		r.stop("n1")
		r.stop("n2")
		r.start("n1")
		r.until("another leader", func() bool { return r.leader() != nil })
		r.propose(r.leader(), "more")
		r.until("n3 follows", r.sees("n3", "more"))
	})
}

func TestALogOfAnotherGenerationIsKeptOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		r.propose(first, "ours")
		r.until("n3 has it, too", r.sees("n3", "ours"))
		// n3 goes on alone although the others live: an operator's mistake.
		r.net.Partition([]string{"n1", "n2"}, []string{"n3"})
		n3 := r.stores["n3"]
		r.until("n3 gives the leader up", func() bool { l, _ := n3.Leader(); return l == "" })
		if _, err := n3.Recover(context.Background(), fencedCommand("n1")); err != nil {
			t.Fatal(err)
		}
		r.net.HealAll()
		r.propose(first, "still ours")
		time.Sleep(10 * time.Second)
		if name, _ := first.Leader(); name == "n3" || first.ID() != (LogID{1, "n1"}) {
			t.Errorf("the majority was taken over: leader %s, log %v", name, first.ID())
		}
		r.propose(r.leader1(), "and still")
		if got := attr(n3.View(), "n1", "v"); got != "ours" {
			t.Errorf("n3 has %q of the other log", got)
		}
	})
}

// leader1 is the leader of the first log.
func (r *rig) leader1() *Store {
	for _, s := range r.stores {
		if n := s.node.Load(); n != nil && n.id.Log.Generation == 1 && n.leads(n.raft.CurrentTerm()) {
			return s
		}
	}
	r.t.Fatal("nobody leads the first log")
	return nil
}

func TestTwoThatRecoveredAtOnceBecomeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		r.up()
		r.net.Cut("n1", "n2")
		for i, n := range r.names {
			if _, err := r.stores[n].Recover(context.Background(), fencedCommand(r.names[1-i])); err != nil {
				t.Fatal(err)
			}
		}
		r.until("n1 leads its own", func() bool { n := r.stores["n1"].node.Load(); return n.leads(n.raft.CurrentTerm()) })
		r.propose(r.stores["n1"], "first by name")
		r.net.HealAll()
		r.until("n2 gives way", r.sees("n2", "first by name"))
		if id := r.stores["n2"].ID(); id != (LogID{2, "n1"}) {
			t.Errorf("n2 has the log %v", id)
		}
	})
}

func TestMembersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		c := first.View().Cluster
		c.Members = c.Members[1:] // the leader itself
		if _, err := first.Propose(context.Background(), cib.Command{Cluster: &c}); err != nil {
			t.Fatal(err)
		}
		r.until("n1 is out of the log", func() bool {
			l := r.leader()
			return l != nil && l != first && len(l.Voters()) == 2
		})
		next := r.leader()
		c = next.View().Cluster
		c.LastID, c.Members = 4, append(c.Members, member(4))
		r.names = append(r.names, "n4")
		if _, err := next.Propose(context.Background(), cib.Command{Cluster: &c}); err != nil {
			t.Fatal(err)
		}
		r.start("n4")
		r.until("n4 votes", func() bool { return r.voters(next) == 3 })
	})
}

func TestAWriterLearnsThatTheOutcomeIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		r.net.Partition([]string{"n1"}, []string{"n2", "n3"})
		if _, err := first.Propose(context.Background(), setAttr("n1", "v", "lost")); !errors.Is(err, ErrUncertain) {
			t.Errorf("cut off in the middle: %v", err)
		}
		r.until("another leads", func() bool { l := r.leader(); return l != nil && l != first })
		r.propose(r.leader(), "found")
		r.net.HealAll()
		r.until("n1 has it", r.sees("n1", "found"))
	})
}

func TestLatecomersHearWhatIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.propose(r.up(), "kept")
		synctest.Wait() // everybody who was there has heard
		var heard []string
		r.stores["n1"].Watch(func(s cib.State, c cib.Command) { heard = append(heard, attr(s, "n1", "v")+"/"+c.By) })
		r.stores["n1"].OnLead(func(leads bool, term uint64) { heard = append(heard, fmt.Sprint(leads, term)) })
		r.propose(r.stores["n1"], "new")
		synctest.Wait()
		if got := strings.Join(heard, " "); got != "kept/ true2 new/test" && got != "kept/ true 2 new/test" {
			t.Errorf("heard %q", got)
		}
	})
}

func TestTheStateIsNeverBlankInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2)
		r.propose(r.up(), "kept")
		r.until("n2 has it", r.sees("n2", "kept"))
		r.stop("n1")
		n2, done := r.stores["n2"], make(chan struct{})
		go func() {
			defer close(done)
			if _, err := n2.Recover(context.Background(), fencedCommand("n1")); err != nil {
				t.Error(err)
			}
		}()
		for {
			if got := attr(n2.View(), "n1", "v"); got != "kept" {
				t.Fatalf("a state with %q", got)
			}
			select {
			case <-done:
				return
			default:
				time.Sleep(time.Microsecond)
			}
		}
	})
}

func TestCampaign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		first := r.up()
		r.net.Partition([]string{"n1"}, []string{"n2", "n3"})
		if err := r.stores["n2"].Campaign(); err != nil {
			t.Fatal(err)
		}
		if took := r.until("n2 leads", func() bool { return r.leader() == r.stores["n2"] }); took > 20*time.Millisecond {
			t.Errorf("after %v", took)
		}
		_ = first
	})
}
