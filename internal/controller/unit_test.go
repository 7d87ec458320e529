package controller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const noFencing = `<cluster_property_set id="cib-bootstrap-options"><nvpair id="no-fencing" name="stonith-enabled" value="false"/></cluster_property_set>`

const toy = `<primitive id="A" class="ocf" provider="cerco" type="Toy"><operations><op id="A-m" name="monitor" interval="10s" timeout="30s"/></operations></primitive>`

// desk is a controller whose wishes are granted at once, by hand.
type desk struct {
	t     *testing.T
	c     *Controller
	now   time.Time
	state cib.State
	out   []Effect // what it wants and nobody has given it yet
}

func newDesk(t *testing.T, names int, edits ...string) *desk {
	d := &desk{t: t, c: New(Config{Name: "n1"}), now: noon}
	cluster := cib.Cluster{Name: "desk", LastID: names}
	for i := range names {
		cluster.Members = append(cluster.Members, cib.Member{ID: fmt.Sprint(i + 1), Name: fmt.Sprintf("n%d", i+1), Votes: 1})
	}
	d.state = cib.NewState(cluster)
	for _, xml := range edits {
		d.apply(cib.Command{Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: xml}}}})
	}
	return d
}

func (d *desk) apply(cmd cib.Command) {
	d.t.Helper()
	cmd.At = d.now
	next, err := cib.Apply(d.state, cmd)
	if err != nil {
		d.t.Fatal(err)
	}
	next.Index = d.state.Index + 1
	d.state = next
}

// step gives the controller an event, and commits what it proposes.
func (d *desk) step(ev Event) {
	d.t.Helper()
	for _, e := range d.c.Step(d.now, ev) {
		if p, ok := e.(Propose); ok {
			d.commit(p.Command)
		} else {
			d.out = append(d.out, e)
		}
	}
}

func (d *desk) commit(cmd cib.Command) {
	d.t.Helper()
	d.apply(cmd)
	d.step(Applied{State: d.state, Command: cmd})
}

func (d *desk) members(lost ...string) Members {
	m := Members{Quorate: true}
	for _, x := range d.state.Cluster.Members {
		h := Heard{ID: x.ID, Name: x.Name, BootID: "boot-" + x.Name, Ready: true, LastHeard: d.now}
		for _, l := range lost {
			h.Lost = h.Lost || l == x.Name
		}
		m.Heard = append(m.Heard, h)
	}
	return m
}

// ordered takes the orders off the desk.
func (d *desk) ordered() []cib.Operation {
	var ops []cib.Operation
	for _, e := range d.out {
		if o, ok := e.(Dispatch); ok {
			ops = append(ops, o.Op)
		}
	}
	d.out = nil
	return ops
}

// answer has every order done as expected, until there are no more; those whose name stays are left alone.
func (d *desk) answer(stays string) (left []cib.Operation) {
	d.t.Helper()
	for serial := d.state.Index; ; {
		ops := d.ordered()
		if len(ops) == 0 {
			return left
		}
		for _, op := range ops {
			if op.Name == stays {
				left = append(left, op)
				continue
			}
			serial++
			d.step(Reported{[]cib.OpResult{{Op: op, Serial: serial, CallID: int(serial), RC: op.TargetRC, Changed: d.now.Unix(), BootID: "boot-" + op.Node, Digest: digestFor(&op)}}})
		}
	}
}

// digestFor is what an executor makes of an operation's parameters.
func digestFor(op *cib.Operation) string {
	params := map[string]string{}
	for _, a := range op.Attrs {
		params[a.Name] = a.Value
	}
	return cib.Digest(params, func(name string) bool {
		return name == "crm_feature_set" || strings.HasPrefix(name, "CRM_meta_") && (name != "CRM_meta_timeout" || op.IntervalMS == 0)
	})
}

func (d *desk) lead() {
	d.t.Helper()
	d.step(Lead{Term: 1, State: d.state})
	d.step(d.members())
}

func TestOrderThatIsNotAnswered(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	left := d.answer("start")
	if len(left) != 1 || left[0].TimeoutMS != 20000 {
		t.Fatalf("orders left: %+v", left)
	}
	start := left[0]
	if want := "9:1:0:"; !strings.HasPrefix(start.Key, fmt.Sprintf("%d:1:0:", start.Action)) || len(start.Key) < len(want)+36 {
		t.Errorf("transition key %q", start.Key)
	}
	d.step(Undelivered{Op: start, Err: "connection refused"})
	w := d.c.Status().Waits
	if len(w) != 1 || w[0].Trouble != "connection refused" || w[0].Release == "" || !w[0].Until.Equal(noon.Add(80*time.Second)) {
		t.Errorf("waits %+v", w)
	}
	d.now = d.now.Add(resend)
	d.step(Tick{})
	if again := d.ordered(); len(again) != 1 || again[0].Key != start.Key {
		t.Fatalf("after a second: %+v, want the same order again", again)
	}
	d.now = noon.Add(80 * time.Second)
	d.step(Tick{})
	h := d.state.CIB.NodeStateByName(start.Node).History("A")
	if n := len(h.Ops); n == 0 || h.Ops[n-1].Status != cib.OpTimedOut {
		t.Fatalf("history after the time-out: %+v", h.Ops)
	}
	if ops := d.ordered(); len(ops) != 1 || ops[0].Name != "stop" || ops[0].Node != start.Node {
		t.Errorf("orders after the time-out: %+v, want a stop, for who knows what became of the start", ops)
	}
}

func TestCounting(t *testing.T) {
	c := New(Config{})
	c.opts.startFailureFatal = true
	for _, x := range []struct {
		name          string
		interval      int64
		rc, target    int
		onFail        string
		counts, fatal bool
	}{
		{"monitor", 0, 1, 7, "", false, false},
		{"monitor", 0, 0, 7, "", false, false},
		{"monitor", 10000, 7, 0, "", true, false},
		{"monitor", 10000, 190, 0, "", false, false},
		{"monitor", 10000, 191, 8, "", false, false},
		{"monitor", 10000, 0, 8, "", true, false},
		{"monitor", 10000, 7, 0, "ignore", false, false},
		{"start", 0, 0, 0, "", false, false},
		{"start", 0, 1, 0, "", true, true},
		{"stop", 0, 1, 0, "", true, true},
		{"promote", 0, 1, 0, "", true, false},
		{"demote", 0, 1, 0, "", true, false},
		{"notify", 0, 1, 0, "", false, false},
		{"cancel", 10000, 1, 0, "", false, false},
	} {
		r := cib.OpResult{Op: cib.Operation{Name: x.name, IntervalMS: x.interval, TargetRC: x.target, OnFail: x.onFail}, RC: x.rc}
		if counts, fatal := c.counts(&r); counts != x.counts || fatal != x.fatal {
			t.Errorf("%+v: counts %v, fatal %v", x, counts, fatal)
		}
	}
	c.opts.startFailureFatal = false
	r := cib.OpResult{Op: cib.Operation{Name: "start"}, RC: 1}
	if counts, fatal := c.counts(&r); !counts || fatal {
		t.Error("with start-failure-is-fatal=false a failed start counts once")
	}
}

// An acknowledgement that was lost: the result comes again, and is acknowledged again, but counts once.
func TestResultComesTwice(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	start := d.answer("start")[0]
	r := cib.OpResult{Op: start, Serial: 99, CallID: 99, RC: 1, Changed: d.now.Unix(), BootID: "boot-" + start.Node}
	d.step(Reported{[]cib.OpResult{r}})
	index := d.state.Index
	d.out = nil
	d.step(Reported{[]cib.OpResult{r}})
	if len(d.out) != 1 || d.out[0] != (Ack{Node: start.Node, Serial: 99}) || d.state.Index != index {
		t.Errorf("the second time: %+v, and %d commits", d.out, d.state.Index-index)
	}
	r.Serial, r.BootID = 100, "boot-of-old"
	d.out = nil
	d.step(Reported{[]cib.OpResult{r}})
	if len(d.out) != 1 || d.state.Index != index {
		t.Errorf("of an earlier boot: %+v, and %d commits", d.out, d.state.Index-index)
	}
}

// A member that has joined and never come up is not fenced; one of which nobody knows what it runs is.
func TestMembersNeverSeen(t *testing.T) {
	for _, unverified := range []bool{false, true} {
		d := newDesk(t, 3, `<primitive id="F" class="stonith" type="fence_dummy"/>`, toy)
		if unverified {
			d.state.Nodes = []cib.NodeFacts{{ID: "3", Unverified: true}}
		}
		d.step(Lead{Term: 1, State: d.state})
		m := d.members()
		m.Heard = m.Heard[:2]
		d.step(m)
		fenced := false
		for _, e := range d.out {
			if f, ok := e.(Fence); ok && f.Request.Target == "n3" {
				fenced = true
			}
		}
		if fenced != unverified {
			t.Errorf("unverified %v: n3 is fenced: %v", unverified, fenced)
		}
	}
}

// A member that is away with leave is not lost before its time.
func TestMemberAway(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	d.answer("")
	back := d.now.Add(30 * time.Second)
	d.commit(cib.Command{By: "n2", Nodes: []cib.NodeUpdate{{ID: "2", Name: "n2", AwayUntil: &back}}})
	for range 2 {
		d.step(d.members("n2"))
		if ns := d.state.CIB.NodeState("2"); !isUp(ns) {
			t.Fatal("it was given up at once")
		}
		d.step(d.members()) // back again, and that leave is over
		if f := d.state.Facts("2"); !f.AwayUntil.IsZero() {
			t.Fatalf("its leave goes on until %s", f.AwayUntil)
		}
		d.commit(cib.Command{By: "n2", Nodes: []cib.NodeUpdate{{ID: "2", Name: "n2", AwayUntil: &back}}})
	}
	d.step(d.members("n2"))
	d.now = back
	d.step(Tick{})
	if ns := d.state.CIB.NodeState("2"); isUp(ns) {
		t.Error("it is still not given up")
	}
}

func TestRepeatsAreHeldBack(t *testing.T) {
	g := &transition.Graph{Actions: []*transition.Action{{ID: 1, Kind: transition.ResourceOp, Task: "start", Key: "A_start_0", Node: "n1"}}}
	var r repeats
	now, plans := noon, 0
	for now.Before(noon.Add(10 * time.Minute)) {
		if r.until.IsZero() || !now.Before(r.until) {
			if !r.holdBack(g, now) {
				plans++
			} else if r.times == repeatsFree+1 && r.until.Sub(now) > 100*time.Millisecond {
				t.Errorf("the first pause is %v: a node that has no lease yet will have one within a heartbeat", r.until.Sub(now))
			}
		}
		now = now.Add(100 * time.Millisecond)
	}
	if plans < 8 || plans > 30 {
		t.Errorf("%d plans in ten minutes of the same one; want a few at once and then one a minute", plans)
	}
	r.forget()
	if r.holdBack(g, now) {
		t.Error("held back though something was changed")
	}
}

// In a partition without quorum a node stops its own, in order, and nothing else.
func TestLocalStops(t *testing.T) {
	d := newDesk(t, 2, noFencing, `<group id="G">`+toy+strings.ReplaceAll(toy, `"A`, `"B`)+`</group>`)
	d.lead()
	d.answer("")
	node := "n1"
	if h := d.state.CIB.NodeStateByName("n2").History("A"); h != nil && h.Ops[len(h.Ops)-1].RC == 0 {
		node = "n2"
	}
	l, err := LocalStops(d.state, node, cib.Epoch{Term: 1, Plan: 9}, d.now)
	if err != nil {
		t.Fatal(err)
	}
	var did []string
	r := transition.NewRunner(l.Graph)
	for a := r.Next(); a != nil; a = r.Next() {
		if a.Kind != transition.Pseudo {
			op := l.Operation(a)
			did = append(did, op.Name+" "+op.Resource+" "+op.Node)
		}
		r.Finish(a.ID, true)
	}
	if got, want := strings.Join(did, ", "), "stop B "+node+", stop A "+node; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if l.Reboot {
		t.Error("no-quorum-policy is stop, and it reboots")
	}
	d.apply(cib.Command{Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true,
		XML: `<cluster_property_set id="cib-bootstrap-options"><nvpair id="x" name="no-quorum-policy" value="freeze"/></cluster_property_set>`}}}})
	if l, err = LocalStops(d.state, node, cib.Epoch{Term: 1, Plan: 9}, d.now); err != nil || len(l.Graph.Actions) != 0 {
		t.Errorf("freeze: %v, %d actions", err, len(l.Graph.Actions))
	}
}

// At rest the controller wants to be woken for the recheck, and does nothing then if there is nothing to do.
func TestRecheck(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	d.answer("")
	if s := d.c.Status(); s.Phase != PhaseResting || !s.Recheck.Equal(noon.Add(15*time.Minute)) {
		t.Fatalf("status %+v", s)
	}
	before := d.c.number
	d.now = noon.Add(15 * time.Minute)
	d.step(Tick{})
	if d.c.number != before+1 || len(d.ordered()) != 0 {
		t.Errorf("%d plans at the recheck", d.c.number-before)
	}
	if s := d.c.Status(); s.Phase != PhaseResting || !s.Recheck.Equal(d.now.Add(15*time.Minute)) {
		t.Errorf("status after it: %+v", s)
	}
}

// A command that an action consists of is refused: the action has failed, and the plan does not wait for it.
func TestRefusedAction(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	d.answer("")
	d.commit(cib.Command{By: "root", Attributes: []cib.AttributeUpdate{{Node: "n2", Name: "standby", Value: "on"}}})
	d.answer("")
	cmd := cib.Command{By: "root", Attributes: []cib.AttributeUpdate{{Node: "n2", Name: "shutdown", Value: "1700000000"}}}
	d.apply(cmd)
	var ask *cib.Command
	for _, e := range d.c.Step(d.now, Applied{State: d.state, Command: cmd}) {
		if p, ok := e.(Propose); ok {
			ask = &p.Command
		}
	}
	if ask == nil || len(ask.Nodes) != 1 || ask.Nodes[0].Expected != "down" || len(d.c.Status().Waits) != 1 {
		t.Fatalf("it wants %+v and waits for %+v", ask, d.c.Status().Waits)
	}
	out := d.c.Step(d.now, Refused{Command: *ask, Err: "no"})
	if _, ok := out[0].(Note); !ok && len(out) < 2 {
		t.Errorf("after the refusal: %+v", out)
	}
	if e := d.c.ended; e.Outcome == "complete" {
		t.Errorf("the plan ended as %q", e.Outcome)
	}
}

// A node whose lease was over has not begun a start: that is no failure of the resource, and no success either.
func TestStartThatWasNotBegun(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	start := d.answer("start")[0]
	d.step(Reported{[]cib.OpResult{{Op: start, Serial: 99, CallID: 99, RC: 1, Status: cib.OpCancelled, Changed: d.now.Unix(), BootID: "boot-" + start.Node}}})
	again := d.ordered()
	if len(again) != 1 || again[0].Name != "start" || again[0].Epoch == start.Epoch || again[0].Node != start.Node {
		t.Errorf("orders after a start that was not begun: %+v, want a start by another plan", again)
	}
}

// A result whose acknowledgement was lost comes again, to another leader, when history has a later one already.
func TestResultThatIsOlderThanHistory(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	start := d.answer("start")[0]
	d.step(Reported{[]cib.OpResult{{Op: start, Serial: 99, CallID: 99, Changed: d.now.Unix(), BootID: "boot-" + start.Node}}})
	probe := start
	probe.Name, probe.TargetRC, probe.Action = "monitor", cib.RCNotRunning, 1
	d.c, d.out = New(Config{Name: "n1"}), nil
	d.step(Lead{Term: 2, State: d.state})
	d.step(d.members())
	index := d.state.Index
	d.out = nil
	d.step(Reported{[]cib.OpResult{{Op: probe, Serial: 98, CallID: 98, RC: cib.RCNotRunning, Changed: d.now.Unix(), BootID: "boot-" + start.Node}}})
	if len(d.out) != 1 || d.out[0] != (Ack{Node: start.Node, Serial: 98}) || d.state.Index != index {
		t.Errorf("%d commands, effects %+v; want an acknowledgement and nothing else", d.state.Index-index, d.out)
	}
}

// What was ordered is listed until the state has it, and nothing is said as long as not all is known.
func TestFlying(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	says := func(want string) {
		t.Helper()
		if what, unknown := d.c.Flying(); what["A"] != want || (unknown != "") != (what == nil) {
			t.Errorf("%v, %q; want %q", what, unknown, want)
		}
	}
	if _, unknown := d.c.Flying(); unknown == "" {
		t.Error("who does not decide knows what was ordered")
	}
	d.lead()
	says("probe of A on n1")
	left := d.answer("start")
	if len(left) != 1 {
		t.Fatalf("orders left: %+v", left)
	}
	start := left[0]
	says("start of A on " + start.Node)
	d.step(Reported{[]cib.OpResult{{Op: start, Serial: 99, CallID: 99, RC: start.TargetRC, Changed: d.now.Unix(), BootID: "boot-" + start.Node, Digest: digestFor(&start)}}})
	d.answer("")
	says("")
}

// A ledger that was long on its way tells of an operation that has been reported since: nobody will report it again.
func TestLedgerThatIsLate(t *testing.T) {
	d := newDesk(t, 2, noFencing, toy)
	d.lead()
	start := d.answer("start")[0]
	d.step(Reported{[]cib.OpResult{{Op: start, Serial: 99, CallID: 99, RC: start.TargetRC, Changed: d.now.Unix(), BootID: "boot-" + start.Node, Digest: digestFor(&start)}}})
	d.answer("")
	d.step(Ledger{Answered: []string{start.Node}, InFlight: []cib.Operation{start}})
	if waits := d.c.Status().Waits; len(waits) != 0 {
		t.Errorf("it waits for %+v", waits)
	}
}
