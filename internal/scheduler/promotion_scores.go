package scheduler

import (
	"github.com/cerco-ha/cerco/internal/cib"
)

// addPromotionScores adds to each instance's scores what its agent says of promotion on each node, and
// makes the best of it the instance's priority among its siblings.
func (p *planner) addPromotionScores(r *resource) {
	if r.promotionAdded {
		return
	}
	r.promotionAdded = true
	for _, i := range r.children {
		for k, n := range p.nodes {
			if !i.allowed[k].in || !n.canRun() {
				continue
			}
			score, _ := p.promotionScore(i, n)
			if score > 0 {
				p.addScore(i, n, score, "promotion", "", "promotion score")
			}
			i.priority = max(i.priority, score)
		}
	}
}

// promotionScore is what the agent says of promoting r on n: the node attribute master-NAME, by the name
// that history knows r by, else its bare name. A group's is the sum of its members'. ok is false when
// there is none.
func (p *planner) promotionScore(r *resource, n *node) (score int, ok bool) {
	if len(r.children) > 0 {
		for _, c := range r.children {
			if s, have := p.promotionScore(c, n); have {
				score, ok = score+s, true
			}
		}
		return score, ok
	}
	if !p.promotionApplies(r, n) {
		return 0, false
	}
	name := r.id
	if r.renamed {
		name = r.name
	}
	value, ok := nodeAttrFor(r, n, "master-"+name)
	if bare := stripInstance(r.id); !ok && !r.unique && bare != r.id {
		value, ok = nodeAttrFor(r, n, "master-"+bare)
	}
	if !ok {
		return 0, false
	}
	score, _ = cib.ParseScore(value)
	return score, true
}

// stripInstance cuts the instance number off an id.
func stripInstance(id string) string {
	i := len(id)
	for i > 0 && isDigit(id[i-1]) {
		i--
	}
	if i > 1 && i < len(id) && id[i-1] == ':' {
		return id[:i-1]
	}
	return id
}

// promotionApplies reports whether the promotion score of a node is about the instance r: it is active
// there; or no instance is and the node has been probed; or nothing is known of r anywhere.
func (p *planner) promotionApplies(r *resource, n *node) bool {
	if !r.allowed[n.idx].in || r.allowed[n.idx].score < 0 {
		return false
	}
	if !r.unique {
		siblings := sameNamed(r)
		active := activeOn(siblings, n)
		if active == r {
			return true
		}
		if active == nil && knownOnAny(siblings, n) {
			return true
		}
	}
	if len(r.runningOn) == 0 && r.knownOn.empty() {
		return true
	}
	return r.knownOn.has(n)
}

// sameNamed are the instances of r's clone that go by r's name: r's siblings, or the members of the
// sibling groups that come from the same configured member.
func sameNamed(r *resource) []*resource {
	if r.parent == nil {
		return []*resource{r}
	}
	if r.parent.variant != group {
		return r.parent.children
	}
	if r.parent.parent == nil {
		return []*resource{r}
	}
	bare := stripInstance(r.id)
	var out []*resource
	for _, g := range r.parent.parent.children {
		for _, m := range g.children {
			if stripInstance(m.id) == bare {
				out = append(out, m)
			}
		}
	}
	return out
}

func activeOn(list []*resource, n *node) *resource {
	for _, r := range list {
		for _, at := range r.runningOn {
			if at == n {
				return r
			}
		}
	}
	return nil
}

func knownOnAny(list []*resource, n *node) bool {
	for _, r := range list {
		if r.knownOn.has(n) {
			return true
		}
	}
	return false
}

func (s nodeSet) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}
