package membership

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// cluster is several memberships that hear each other, under virtual time.
type cluster struct {
	t     *testing.T
	mu    sync.Mutex
	state cib.State
	nodes map[string]*node
	cut   map[[2]string]bool
	term  uint64
}

type node struct {
	m        *Membership
	position Position
	voters   []string
	effects  []Effect
	views    []View
	down     bool
	memory   Memory
}

func newCluster(t *testing.T, members []cib.Member) *cluster {
	c := &cluster{t: t, nodes: map[string]*node{}, cut: map[[2]string]bool{}}
	c.state = cib.NewState(cib.Cluster{Name: "lab", Members: members, LastID: len(members)})
	var up []cib.NodeUpdate
	for _, m := range members {
		up = append(up, cib.NodeUpdate{ID: m.ID, Name: m.Name, InCCM: "true", Crmd: "online", Join: "member", Expected: "member", BootID: "boot-" + m.Name})
	}
	c.apply(cib.Command{Nodes: up, Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "create", XML: `<primitive id="fence" class="stonith" type="fence_dummy"/>`}}}})
	for _, m := range members {
		c.start(m.Name, Memory{BootID: "boot-" + m.Name, Seen: true})
	}
	t.Cleanup(func() {
		for _, n := range c.nodes {
			n.m.Stop()
		}
	})
	return c
}

func (c *cluster) apply(cmd cib.Command) {
	c.t.Helper()
	cmd.At = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := cib.Apply(c.state, cmd)
	if err != nil {
		c.t.Fatal(err)
	}
	c.state = s
}

func (c *cluster) start(name string, mem Memory) *node {
	n := &node{memory: mem}
	for _, m := range c.state.Cluster.Members {
		n.voters = append(n.voters, m.Name)
	}
	n.m = New(Config{ID: c.state.Cluster.Member(name).ID, Name: name, BootID: mem.BootID, Run: "run-" + strconv.FormatInt(time.Now().UnixNano(), 36),
		State:    func() cib.State { c.mu.Lock(); defer c.mu.Unlock(); return c.state },
		Position: func() Position { c.mu.Lock(); defer c.mu.Unlock(); return n.position },
		Voters:   func() []string { return n.voters },
		Send:     func(to string, msg []byte) { c.send(name, to, msg) },
		Changed:  func(v View) { c.mu.Lock(); defer c.mu.Unlock(); n.views = append(n.views, v) },
		Perform:  func(e Effect) { c.mu.Lock(); defer c.mu.Unlock(); n.effects = append(n.effects, e) },
		Memory:   mem, Remember: func(m Memory) { c.mu.Lock(); defer c.mu.Unlock(); n.memory = m }})
	c.mu.Lock()
	c.nodes[name] = n
	c.mu.Unlock()
	n.m.Start()
	return n
}

// send carries a message, a millisecond long.
func (c *cluster) send(from, to string, msg []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[to]
	if n == nil || n.down || c.nodes[from].down || c.cut[[2]string{from, to}] {
		return
	}
	time.AfterFunc(time.Millisecond, func() { n.m.Receive(from, msg) })
}

func (c *cluster) lead(leader string, names ...string) {
	c.mu.Lock()
	if c.nodes[leader] != nil && c.nodes[leader].position.Leader != leader {
		c.term++
	}
	for _, name := range names {
		p := &c.nodes[name].position
		p.Leader = leader
		p.Term = c.term
	}
	c.mu.Unlock()
	for _, name := range names {
		c.nodes[name].m.Poke()
	}
}

func (c *cluster) crash(name string) {
	c.mu.Lock()
	c.nodes[name].down = true
	c.mu.Unlock()
	c.nodes[name].m.Stop()
}

func (c *cluster) partition(left, right []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range left {
		for _, b := range right {
			c.cut[[2]string{a, b}], c.cut[[2]string{b, a}] = true, true
		}
	}
}

func (c *cluster) seen(by, name string) *Seen {
	v := c.nodes[by].m.View()
	i := slices.IndexFunc(v.Seen, func(s Seen) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &v.Seen[i]
}

func (c *cluster) take(name string) []Effect {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.nodes[name].effects
	c.nodes[name].effects = nil
	return e
}

// until lets time pass until something holds, and tells how long it took.
func until(t *testing.T, what string, limit time.Duration, holds func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for !holds() {
		if time.Since(begun) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
	}
	return time.Since(begun)
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// A node that dies is given up when its token is over, and not before its lease is.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(3))
		c.lead("n1", "n1", "n2", "n3")
		pass(2 * time.Second)
		for _, name := range []string{"n1", "n2", "n3"} {
			n := c.nodes[name]
			if v := n.m.View(); !v.Verdict.Quorate || !v.Lease.Held(time.Now()) || v.Waiting != "" {
				t.Fatalf("%s at rest: %+v", name, v)
			}
			if len(n.effects) > 0 {
				t.Fatalf("%s does something: %v", name, n.effects)
			}
		}
		c.partition([]string{"n1", "n2"}, []string{"n3"})
		leased := until(t, "n3's lease ends", time.Second, func() bool { return !c.nodes["n3"].m.Lease().Held(time.Now()) })
		lost := leased + until(t, "n3 is lost", time.Second, func() bool { s := c.seen("n1", "n3"); return s != nil && s.Lost })
		if leased > 510*time.Millisecond || lost < 690*time.Millisecond || lost > 815*time.Millisecond {
			t.Errorf("the lease ended after %v, the node was given up after %v", leased, lost)
		}
		if v := c.nodes["n1"].m.View(); !v.Verdict.Quorate || !v.Lease.Held(time.Now()) {
			t.Errorf("two of three: %+v", v)
		}
		c.mu.Lock()
		clear(c.cut)
		c.mu.Unlock()
		until(t, "n3 is back", 500*time.Millisecond, func() bool { return !c.seen("n1", "n3").Lost })
	})
}

// A leader that did not run for a while, however long, gives nobody up, and neither does it lose its voice.
func TestSlept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		d := newDetector(identity{"1", "n1", "b", "r", 1}, now)
		cl := cib.Cluster{Members: nodes(3)}
		round := func(gap time.Duration, senders ...string) {
			now = now.Add(gap)
			d.attend(now)
			d.update(&cl, Position{Leader: "n1"}, true)
			for _, id := range senders {
				d.hear(Beat{ID: id, Name: "n" + id, Run: "r", Seq: uint64(now.UnixNano())}, now)
			}
			d.judge(func([]string) bool { return true })
		}
		for range 20 {
			round(100*time.Millisecond, "2", "3")
		}
		for range 5 {
			round(time.Minute) // we slept, and what came in is not looked at yet
			if d.peers["2"].lost {
				t.Fatal("n2 is lost because we slept")
			}
			round(0, "2", "3")
		}
		for i := range 9 {
			round(100*time.Millisecond, "2")
			if got, want := d.peers["3"].lost, i >= 7; got != want {
				t.Errorf("after %d heartbeats: lost %v", i+1, got)
			}
		}
	})
}

// When the leader dies the others find each other as soon as no lease can hold that it has, and the new leader knows
// how long it has been silent.
func TestLeaderDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(3))
		c.lead("n1", "n1", "n2", "n3")
		pass(2 * time.Second)
		c.nodes["n2"].views = nil
		c.crash("n1")
		pass(600 * time.Millisecond)
		until(t, "n2 has a lease from n3", 100*time.Millisecond, func() bool { return c.nodes["n2"].m.Lease().Held(time.Now()) })
		if len(c.nodes["n2"].effects) > 0 {
			t.Errorf("n2 does %q", words(c.nodes["n2"].effects))
		}
		c.lead("n2", "n2", "n3")
		took := until(t, "n1 is lost", time.Second, func() bool { s := c.seen("n2", "n1"); return s != nil && s.Lost })
		if took > 200*time.Millisecond {
			t.Errorf("the new leader waited %v more", took)
		}
		if v := c.nodes["n2"].m.View(); !v.Verdict.Quorate {
			t.Errorf("two of three: %+v", v)
		}
		pass(time.Second)
		if s := c.seen("n2", "n3"); s == nil || s.Lost || !c.nodes["n3"].m.Lease().Held(time.Now()) {
			t.Errorf("n3 is seen as %+v", s)
		}
		for _, v := range c.nodes["n2"].views {
			for _, s := range v.Seen {
				if s.Name == "n3" && s.Lost {
					t.Errorf("n3 was lost for a while: %+v", v)
				}
			}
			if !v.Verdict.Quorate {
				t.Errorf("no quorum for a while: %+v", v)
			}
		}
	})
}

// A daemon that restarts has another run, and the same boot: nobody is lost.
func TestDaemonRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(3))
		c.lead("n1", "n1", "n2", "n3")
		pass(time.Second)
		run := c.seen("n1", "n2").Run
		c.crash("n2")
		pass(300 * time.Millisecond)
		c.start("n2", c.nodes["n2"].memory)
		c.lead("n1", "n2")
		pass(time.Second)
		s := c.seen("n1", "n2")
		if s.Lost || s.Run == run || s.BootID != "boot-n2" {
			t.Errorf("n2 is seen as %+v", s)
		}
		for _, v := range c.nodes["n1"].views {
			for _, s := range v.Seen {
				if s.Lost {
					t.Errorf("%s was lost for a while", s.Name)
				}
			}
		}
	})
}

// A host that boots into a cluster which is up need not wait until it has seen all.
func TestWaitForAllIsTheClusters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(2))
		c.lead("n1", "n1", "n2")
		pass(time.Second)
		c.crash("n2")
		pass(2 * time.Second)
		n := c.start("n2", Memory{BootID: "boot-2"})
		c.lead("n1", "n2")
		pass(time.Second)
		if !n.memory.Seen || n.memory.BootID != "boot-2" {
			t.Errorf("n2 remembers %+v", n.memory)
		}
	})
}

// A host that boots with a log that the others have given up has not been together with them: they hold another one.
func TestWaitForAllIsOfOneLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(2))
		c.lead("n2", "n2")
		c.mu.Lock()
		c.nodes["n2"].position.Generation = 1
		c.mu.Unlock()
		c.crash("n1")
		pass(2 * time.Second)
		n := c.start("n1", Memory{BootID: "boot-1"})
		c.lead("", "n1", "n2") // the later log has no leader for a moment
		pass(time.Second)
		c.crash("n2")
		pass(5 * time.Second)
		if v := n.m.View(); v.Verdict.Quorate || n.memory.Seen {
			t.Errorf("n1 counts votes for a log that has ended: %+v", v.Verdict)
		}
		for _, e := range n.effects {
			if _, ok := e.(FenceLost); ok {
				t.Errorf("n1 does %+v", e)
			}
		}
	})
}

// When everybody was cut off from everybody and two of three find each other first, the third has the time of a token
// to be heard: that it was silent is no fault of its own.
func TestTogetherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, nodes(3))
		c.lead("n1", "n1", "n2", "n3")
		pass(2 * time.Second)
		c.partition([]string{"n1"}, []string{"n2", "n3"})
		c.partition([]string{"n2"}, []string{"n3"})
		c.lead("", "n1", "n2", "n3")
		pass(5 * time.Second)
		if s := c.seen("n1", "n3"); s == nil || !s.Lost {
			t.Fatalf("n1 has heard nothing for 5 s and sees %+v", s)
		}
		c.mu.Lock()
		delete(c.cut, [2]string{"n1", "n2"})
		delete(c.cut, [2]string{"n2", "n1"})
		c.mu.Unlock()
		until(t, "n1 and n2 have quorum", time.Second, func() bool { return c.nodes["n1"].m.View().Verdict.Quorate })
		c.lead("n1", "n1", "n2")
		lost := until(t, "n3 is given up", 2*time.Second, func() bool { s := c.seen("n1", "n3"); return s != nil && s.Lost })
		if lost < 700*time.Millisecond {
			t.Errorf("n3 was given up after %v", lost)
		}
	})
}
