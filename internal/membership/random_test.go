package membership

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Links break and come back, nodes die and start, leaders come and go. Whatever happens: who is given up by
// anybody who may act on it holds no lease any more; those who are heard all the time are never given up; and
// when all is well again for a while, all hear each other and may act.
func TestNobodyActsWhoIsGivenUp(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) { shake(t, rand.New(rand.NewPCG(seed, 3)), 3+int(seed%4)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func shake(t *testing.T, r *rand.Rand, size int) {
	c := newCluster(t, nodes(size))
	var names []string
	for _, m := range nodes(size) {
		names = append(names, m.Name)
	}
	elect, lost := time.Now(), map[[2]string]bool{}
	for range 200 {
		switch r.IntN(12) {
		case 0:
			r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
			at := r.IntN(size)
			c.heal()
			c.partition(names[:at], names[at:])
		case 1:
			c.heal()
		case 2: // one way only
			a, b := names[r.IntN(size)], names[r.IntN(size)]
			c.mu.Lock()
			c.cut[[2]string{a, b}] = true
			c.mu.Unlock()
		}
		if time.Now().After(elect) {
			c.elections(names)
			elect = time.Now().Add(time.Duration(300+r.IntN(700)) * time.Millisecond)
		}
		for range 10 {
			pass(time.Duration(1+r.IntN(15)) * time.Millisecond)
			c.nobodyActsWhoIsGivenUp(names, lost)
		}
	}
	c.heal()
	c.elections(names)
	pass(3 * time.Second)
	c.elections(names)
	pass(time.Second)
	for _, name := range names {
		if v := c.nodes[name].m.View(); !v.Lease.Held(time.Now()) || v.Leader == "" {
			t.Errorf("%s at the end: %+v", name, v)
		}
	}
}

func (c *cluster) heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.cut)
}

// elections does what the log does: those who reach a majority in both directions have a leader, the others
// none.
func (c *cluster) elections(names []string) {
	for _, name := range names {
		var group []string
		for _, other := range names {
			if c.reaches(name, other) && c.reaches(other, name) {
				group = append(group, other)
			}
		}
		leader := ""
		if 2*len(group) > len(names) {
			leader = slices.Min(group)
			if leader != name && c.nodes[leader].position.Leader != leader {
				leader = ""
			}
		}
		c.lead(leader, name)
	}
}

func (c *cluster) reaches(a, b string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.cut[[2]string{a, b}]
}

// nobodyActsWhoIsGivenUp looks at those who have just been given up by a leader that may act: it has heard from a
// majority just now, and reaches it, without which it fences nobody and starts nothing.
func (c *cluster) nobodyActsWhoIsGivenUp(names []string, lost map[[2]string]bool) {
	for _, by := range names {
		v, reached := c.nodes[by].m.View(), 0
		for _, other := range names {
			if c.reaches(by, other) && c.reaches(other, by) {
				reached++
			}
		}
		for _, s := range v.Seen {
			k := [2]string{by, s.Name}
			before := lost[k]
			lost[k] = s.Lost
			acts := v.Leads && v.Verdict.Quorate && v.Lease.Held(time.Now().Add(250*time.Millisecond)) && 2*reached > len(names)
			if l := c.nodes[s.Name].m.Lease(); lost[k] && !before && acts && l.Held(time.Now()) {
				c.t.Errorf("%s is given up by %s, and may act for another %v", s.Name, by, time.Until(l.Until))
			}
		}
	}
}
