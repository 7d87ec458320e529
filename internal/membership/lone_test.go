package membership

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// words are effects, a word or two for each.
func words(effects []Effect) string {
	var list []string
	for _, e := range effects {
		switch e := e.(type) {
		case FenceLost:
			list = append(list, e.Request.Action+" "+e.Request.Target)
		case CancelFence:
			list = append(list, "cancel "+e.Target)
		case Recover:
			var off []string
			for _, r := range e.Evidence {
				off = append(off, r.Target)
			}
			list = append(list, "recover without "+strings.Join(off, " "))
		case JoinLog:
			list = append(list, fmt.Sprintf("join %s/%d", e.Leader, e.Generation))
		case StopHere:
			list = append(list, "stop")
		}
	}
	return strings.Join(list, ", ")
}

// story is a lone node that things happen to.
type story struct {
	t *testing.T
	l *lone
	s Situation
}

// situation is that of n1 in a cluster of so many, all voters, of whom these are heard.
func newStory(t *testing.T, members int, config string, heard string) *story {
	c := cib.Cluster{Members: nodes(members), LastID: members}
	state := cib.NewState(c)
	edits := []cib.Edit{{Op: "create", XML: `<primitive id="fence" class="stonith" type="fence_dummy"/>`}}
	if config != "" {
		name, value, _ := strings.Cut(config, "=")
		edits = append(edits, cib.Edit{Op: "create", XML: `<cluster_property_set id="o"><nvpair id="o1" name="` + name + `" value="` + value + `"/></cluster_property_set>`})
	}
	state, err := cib.Apply(state, cib.Command{Config: &cib.ConfigChange{Edits: edits}})
	if err != nil {
		t.Fatal(err)
	}
	st := &story{t: t, l: newLone(), s: Situation{Now: day, Self: "1", State: state, Open: true, Settled: true, LeaseOver: true, Leased: true, Alone: true, Term: 4}}
	for _, m := range state.Cluster.Members {
		st.s.Voters = append(st.s.Voters, m.Name)
	}
	st.heard(heard)
	return st
}

func (st *story) heard(list string) {
	st.s.Heard = nil
	for _, id := range ids(list) {
		st.s.Heard = append(st.s.Heard, Survivor{ID: id, Name: "n" + id, LastTerm: 3, LastIndex: 10})
	}
}

func (st *story) wants(want string) []Effect {
	st.t.Helper()
	effects := st.l.step(&st.s)
	if got := words(effects); got != want {
		st.t.Errorf("does %q, should do %q; waits for %q", got, want, st.l.waiting)
	}
	return effects
}

func (st *story) waits(what string) {
	st.t.Helper()
	if !strings.Contains(st.l.waiting, what) {
		st.t.Errorf("waits for %q, should for %q", st.l.waiting, what)
	}
}

func (st *story) pass(d time.Duration) { st.s.Now = st.s.Now.Add(d) }

func (st *story) off(e Effect) {
	r := e.(FenceLost).Request
	st.l.fenced(cib.FenceRecord{FenceRequest: r, State: cib.FenceDone, Evidence: cib.ByAgent}, st.s.Now)
}

func TestLoneSurvivorOfTwo(t *testing.T) {
	st := newStory(t, 2, "", "1")
	st.s.Quorate = true
	e := st.wants("reboot n2")
	st.wants("")
	st.waits("n2 is being fenced")
	st.l.fenced(cib.FenceRecord{FenceRequest: e[0].(FenceLost).Request, State: cib.FenceFailed, Error: "no route"}, st.s.Now)
	st.wants("")
	st.waits("no route) and will be tried again: if it is off, `cerco stonith confirm n2`")
	st.pass(fenceAgain)
	e = st.wants("reboot n2")
	st.off(e[0])
	st.wants("recover without n2")
	st.wants("") // it is under way
	st.l.recovered(errors.New("disk full"), st.s.Now)
	st.wants("")
	st.pass(recoverAgain)
	st.wants("recover without n2")
	st.l.recovered(nil, st.s.Now)
	st.s.Leader, st.s.Open = "n1", false
	st.wants("")
	if len(st.l.asked) > 0 {
		t.Error("the proof is kept for another time")
	}
}

// Who left in order and is back with nobody there has no proof that the others did not go on: it takes a person's word.
func TestLoneAfterLeaving(t *testing.T) {
	st := newStory(t, 2, "", "1")
	st.s.Quorate, st.s.Left = true, true
	for _, e := range st.l.step(&st.s) {
		if _, stops := e.(StopHere); !stops {
			t.Errorf("%T", e)
		}
	}
	st.waits("n2 may have agreed on what is not known here, since this node had left")
	st.l.fenced(cib.FenceRecord{FenceRequest: cib.FenceRequest{Target: "n2", Action: "off"}, State: cib.FenceDone, Evidence: cib.ByOperator}, st.s.Now)
	st.wants("recover without n2")
}

func TestLoneProofIsVoidWhenTheNodeIsHeard(t *testing.T) {
	st := newStory(t, 2, "", "1")
	st.s.Quorate = true
	st.off(st.wants("reboot n2")[0])
	st.heard("1 2")
	st.wants("") // it lied, or it is up again: the log has its majority
	st.heard("1")
	e := st.wants("reboot n2")
	st.heard("1 2")
	st.wants("cancel n2")
	st.off(e[0]) // too late
	st.heard("1")
	st.wants("reboot n2")
}

func TestLoneOperatorsWord(t *testing.T) {
	st := newStory(t, 2, "stonith-enabled=false", "1")
	st.s.Quorate = true
	st.wants("stop")
	st.waits("`cerco stonith confirm n2`")
	st.l.fenced(cib.FenceRecord{FenceRequest: cib.FenceRequest{ID: "x", Target: "n2", Action: "off"}, State: cib.FenceDone, Evidence: cib.ByOperator}, st.s.Now)
	st.wants("recover without n2")
}

// TestLoneListener is about a node that joined a log whose only voter is lost before it got a vote itself: what that
// voter has promised since may not be known here, so only a person can give it up.
func TestLoneListener(t *testing.T) {
	st := newStory(t, 2, "", "1")
	st.s.Quorate, st.s.Voters = true, []string{"n2"}
	st.wants("stop")
	st.waits("n2 may have agreed on what is not known here")
	st.l.fenced(cib.FenceRecord{FenceRequest: cib.FenceRequest{ID: "x", Target: "n2", Action: "off"}, State: cib.FenceDone, Evidence: cib.ByOperator}, st.s.Now)
	st.wants("recover without n2")
}

// TestLoneBehind is about a node that has heard that the others went on with a later log, and hears them no more.
func TestLoneBehind(t *testing.T) {
	st := newStory(t, 2, "", "1 2")
	st.s.Quorate = true
	st.s.Heard[1].Generation = 1
	st.wants("") // nobody leads it just now
	st.heard("1")
	st.wants("stop")
	st.waits("the log of generation 0 has ended, and nobody leads that of generation 1; if they are off, `cerco stonith confirm n2`")
	st.pass(stopAgain)
	st.wants("stop")
	st.heard("1 2")
	st.s.Heard[1].Generation, st.s.Heard[1].Leader = 1, "n2"
	st.wants("join n2/1")
}

func TestLoneWithoutQuorum(t *testing.T) {
	st := newStory(t, 3, "", "1")
	st.s.LeaseOver = false
	st.wants("")
	st.s.LeaseOver = true
	st.wants("stop")
	st.wants("")
	st.pass(stopAgain)
	st.wants("stop")
	st.heard("1 2")
	st.wants("") // these two elect a leader
	st.waits("elect")
}

func TestLoneDaemonThatHasJustStarted(t *testing.T) {
	st := newStory(t, 3, "", "1")
	st.s.Leased, st.s.Settled = false, false
	st.wants("")
	st.s.Settled = true
	st.wants("stop")
	st = newStory(t, 3, "", "1 2")
	st.s.Voters = []string{"n1", "n2", "n3", "n4", "n5"}
	st.s.Heard[1].Leads, st.s.Heard[1].Leader = true, "n2"
	st.wants("") // there is a leader, our log does not know it yet
}

func TestLoneIgnore(t *testing.T) {
	st := newStory(t, 3, "no-quorum-policy=ignore", "1")
	e := st.wants("reboot n2, reboot n3")
	st.off(e[0])
	st.wants("")
	st.off(e[1])
	st.wants("recover without n2 n3")
}

func TestLoneBestLogGoesOn(t *testing.T) {
	st := newStory(t, 4, "", "1 2")
	st.s.Quorate = true
	st.wants("reboot n3, reboot n4") // the same log: the lowest id
	st = newStory(t, 4, "", "1 2")
	st.s.Quorate = true
	st.s.Heard[1].LastIndex++
	st.wants("")
	st.waits("n2 has the newest log")
	st.s.Heard[1].Generation, st.s.Heard[1].Leader = 1, "n2" // it has gone on
	st.wants("join n2/1")
	st.wants("")
	st.pass(joinAgain)
	st.wants("join n2/1")
}

func TestLoneKeepsWhatActs(t *testing.T) {
	st := newStory(t, 3, "", "1 2 3")
	st.s.Leader, st.s.Open, st.s.Quorate, st.s.LeaseOver = "n1", false, true, false
	st.s.Heard[1].Generation, st.s.Heard[1].Leader = 1, "n2"
	st.wants("")
}

func TestLoneWaitsForOneThatRestarts(t *testing.T) {
	st := newStory(t, 2, "stonith-action=off", "1")
	st.s.Quorate = true
	until := day.Add(30 * time.Second)
	var err error
	if st.s.State, err = cib.Apply(st.s.State, cib.Command{Nodes: []cib.NodeUpdate{{ID: "2", AwayUntil: &until}}}); err != nil {
		t.Fatal(err)
	}
	st.wants("")
	st.waits("n2 restarts")
	st.pass(31 * time.Second)
	st.wants("off n2")
}

func TestLoneWithoutCluster(t *testing.T) {
	st := newStory(t, 2, "", "1")
	st.s.Voters = nil
	st.wants("")
}

// Two nodes that no longer hear each other: both ask for the other's end, the winner goes on, and the loser, when it
// has booted, joins the winner's log.
func TestTwoNodesPartedAndJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(2))
		c.lead("n1", "n1", "n2")
		pass(time.Second)
		c.partition([]string{"n1"}, []string{"n2"})
		pass(400 * time.Millisecond)
		c.lead("", "n1", "n2") // the log has no majority
		pass(600 * time.Millisecond)
		e1, e2 := c.take("n1"), c.take("n2")
		if words(e1) != "reboot n2" || words(e2) != "reboot n1" {
			t.Fatalf("n1 does %q, n2 %q", words(e1), words(e2))
		}
		c.crash("n2")
		c.nodes["n1"].m.Fenced(cib.FenceRecord{FenceRequest: e1[0].(FenceLost).Request, State: cib.FenceDone, Evidence: cib.ByAgent})
		pass(0)
		if e := c.take("n1"); words(e) != "recover without n2" {
			t.Fatalf("n1 does %q", words(e))
		}
		c.mu.Lock()
		clear(c.cut)
		n1 := c.nodes["n1"]
		n1.position = Position{Leader: "n1", Term: 9, LastTerm: 9, LastIndex: 20, Generation: 1}
		n1.voters = []string{"n1"}
		c.mu.Unlock()
		n1.m.Recovered(nil)
		pass(time.Second)
		if v := n1.m.View(); !v.Verdict.Quorate || !v.Leads || v.Waiting != "" {
			t.Errorf("n1 sees %+v", v)
		}
		c.start("n2", Memory{BootID: "boot-2"})
		pass(300 * time.Millisecond)
		if e := c.take("n2"); words(e) != "join n1/1" {
			t.Errorf("n2 does %q", words(e))
		}
	})
}

// A leader that is cut off stops when its token is over, without fencing when its lease is; the others, who have
// the majority, do nothing.
func TestMinorityStops(t *testing.T) {
	t.Run("fencing", func(t *testing.T) { minorityStops(t, true, 700*time.Millisecond, 815*time.Millisecond) })
	t.Run("no fencing", func(t *testing.T) { minorityStops(t, false, 400*time.Millisecond, 510*time.Millisecond) })
}

func minorityStops(t *testing.T, fencing bool, from, to time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(3))
		if !fencing {
			c.apply(cib.Command{Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "delete", XPath: "//primitive"}}}})
		}
		c.lead("n1", "n1", "n2", "n3")
		pass(time.Second)
		c.partition([]string{"n1"}, []string{"n2", "n3"})
		pass(400 * time.Millisecond)
		c.lead("", "n1")
		stopped := 400*time.Millisecond + until(t, "n1 stops", time.Second, func() bool { return words(c.take("n1")) == "stop" })
		if stopped < from || stopped > to {
			t.Errorf("n1 stops after %v", stopped)
		}
		c.lead("n2", "n2", "n3")
		pass(5 * time.Second)
		if e := append(c.take("n2"), c.take("n3")...); len(e) > 0 {
			t.Errorf("the others do %q", words(e))
		}
	})
}

// An election, however long, makes nobody stop: those who hear each other have the majority.
func TestElection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(5))
		all := []string{"n1", "n2", "n3", "n4", "n5"}
		c.lead("n1", all...)
		pass(time.Second)
		c.crash("n1")
		pass(600 * time.Millisecond)
		c.lead("", all[1:]...)
		pass(20 * time.Second)
		for _, name := range all[1:] {
			if n := c.nodes[name]; len(n.effects) > 0 || !n.m.Lease().Held(time.Now()) {
				t.Errorf("%s does %q", name, words(n.effects))
			}
		}
	})
}
