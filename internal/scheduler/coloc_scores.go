package scheduler

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// How the scores of colocated resources are added.
type colocFlags uint8

const (
	colocActive   colocFlags = 1 << iota // drop the addition if it leaves no node
	colocPositive                        // a node that is good must not become bad by it
	colocPrimary                         // follow the primaries, not the dependents
)

// marked stands for a node that a positive-only addition has ruled out: further additions pass it by,
// and in the end it counts 1.
const marked = -100 * infinity

// considerDependents adds the preferences of what must go with r to r's own scores.
func (p *planner) considerDependents(r *resource, flags colocFlags) {
	for _, c := range r.withs {
		if c.influences(nil) {
			p.considerDependent(r, c, flags)
		}
	}
}

func (p *planner) considerDependent(r *resource, c *colocation, flags colocFlags) {
	work := p.borrow(r.allowed)
	p.addColocated(c.dependent, work, c.attr, c.factor(), flags)
	note := "wishes of " + c.dependent.id + ", which goes with it"
	if c.score < 0 {
		note = "wishes of " + c.dependent.id + ", which stays away from it"
	}
	p.take(r, work, "colocation", c.id, note)
	p.giveBack(work)
}

// factor is the part of the other's scores that a colocation passes on.
func (c *colocation) factor() float32 { return float32(c.score) / float32(infinity) }

// addColocated adds r's scores, times factor, to t, and those of everything that goes with r in turn.
func (p *planner) addColocated(r *resource, t nodeTable, attr string, factor float32, flags colocFlags) {
	if r.merging {
		return
	}
	r.merging = true
	defer func() { r.merging = false }()
	work := p.borrow(t)
	defer p.giveBack(work)
	if r.variant == group && len(r.children) > 0 {
		// The first member brings in the others, which go with it.
		p.addColocated(r.children[0], work, attr, factor, flags)
	} else {
		p.addMatchingScores(work, r, attr, factor, flags)
	}
	if !p.addFollowers(r, work, factor, flags) {
		return
	}
	if flags&colocPositive != 0 {
		for i := range work {
			if work[i].score == marked {
				work[i].score = 1
			}
		}
	}
	copy(t, work)
}

// addFollowers goes on to what is colocated with r; false when the addition is to be dropped because it
// leaves no node.
func (p *planner) addFollowers(r *resource, work nodeTable, factor float32, flags colocFlags) bool {
	if !p.usable(work) {
		return flags&colocActive == 0
	}
	if flags&colocPrimary != 0 {
		for _, c := range r.colos {
			p.addColocated(c.primary, work, c.attr, direction(factor)*c.factor(), flags|colocActive)
		}
		return true
	}
	withs := r.withs
	if r.variant == group && len(r.children) > 0 {
		withs = r.children[len(r.children)-1].withs
	}
	if factor > 0 && len(withs) > 0 && p.quietFollowers(r) && p.sawUnavailable(r, factor) {
		return true
	}
	for _, c := range withs {
		if c.influences(nil) {
			p.addColocated(c.dependent, work, c.attr, direction(factor)*c.factor(), flags|colocActive)
		}
	}
	return true
}

// sawUnavailable reports whether the nodes that cannot run resources are banned already by r's own wishes,
// so that those of its followers, which are about the same nodes, add nothing.
func (p *planner) sawUnavailable(r *resource, factor float32) bool {
	if factor >= 1 {
		return true
	}
	for i, n := range p.nodes {
		if r.allowed[i].in && !n.canRun() {
			return false
		}
	}
	return true
}

func direction(f float32) float32 {
	if f < 0 {
		return -1
	}
	return 1
}

// addMatchingScores adds r's best score among the nodes with the same attribute value, times factor.
func (p *planner) addMatchingScores(t nodeTable, r *resource, attr string, factor float32, flags colocFlags) {
	var best map[string]int32
	byValue := attr != "#uname" || p.nameless
	if byValue {
		best = p.bestByValue(r, attr)
	}
	for i := range t {
		if !t[i].in || t[i].score == marked {
			continue
		}
		score := int32(banned)
		if byValue {
			if s, ok := best[attrValue(p.nodes[i], attr)]; ok {
				score = s
			}
		} else if r.allowed[i].in && p.nodes[i].canRun() {
			score = r.allowed[i].score
		}
		if factor < 0 && score < 0 {
			// What stays away from r need not want the nodes that r avoids.
			continue
		}
		t[i].score = addAttenuated(t[i].score, score, factor, flags)
	}
}

// addAttenuated adds factor times score, rounded half away from zero; what is not zero adds at least 1.
func addAttenuated(have, score int32, factor float32, flags colocFlags) int32 {
	f := factor * float32(score)
	half := float64(0.5)
	if f < 0 {
		half = -half
	}
	delta := int(float64(f) + half)
	if delta == 0 && score != 0 {
		switch {
		case factor > 0:
			delta = 1
		case factor < 0:
			delta = -1
		}
	}
	sum := int32(cib.AddScores(delta, int(have)))
	if flags&colocPositive != 0 && sum < 0 {
		if have > 0 {
			return marked
		}
		if have == 0 {
			return have
		}
	}
	return sum
}

// attrValue is a node attribute's value as a key; nodes without it share one.
func attrValue(n *node, attr string) string {
	if v, ok := n.attrs[attr]; ok {
		return "=" + strings.ToLower(v)
	}
	return ""
}

// bestByValue is r's best score among the nodes that can run resources, for each value of an attribute.
func (p *planner) bestByValue(r *resource, attr string) map[string]int32 {
	best := map[string]int32{}
	for i := range r.allowed {
		n := p.nodes[i]
		if !r.allowed[i].in || !n.canRun() {
			continue
		}
		v := attrValue(n, attr)
		if s, ok := best[v]; !ok || r.allowed[i].score > s {
			best[v] = r.allowed[i].score
		}
	}
	return best
}
