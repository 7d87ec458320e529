package scheduler

import (
	"sort"
	"strings"
)

// assignBest assigns r to the preferred node if it is as good as the best one, else to the best; the node
// where r runs already wins among equally good ones with a positive score.
func (p *planner) assignBest(r *resource, prefer *node) bool {
	if free := p.limitByCapacity(r); prefer == nil {
		prefer = free
	}
	active := currentNode(r)
	best := p.bestNode(r, active)
	if best == nil {
		p.explain(r, "no node is a candidate for %s", r.id)
		return p.assignTo(r, nil, false)
	}
	top := r.allowed[best.idx].score
	if prefer != nil {
		if cell := r.allowed[prefer.idx]; cell.in && cell.score >= 0 && cell.score >= top && prefer.canRun() {
			p.explainChoice(r, prefer, active)
			return p.assignTo(r, prefer, false)
		}
	}
	uniqueInstance := r.parent != nil && r.parent.variant == clone && r.parent.unique
	if !uniqueInstance && top > 0 && best.canRun() && active != nil && active.canRun() && active.score >= 0 {
		if cell := r.allowed[active.idx]; cell.in && cell.score == top {
			best = active
		}
	}
	p.explainChoice(r, best, active)
	return p.assignTo(r, best, false)
}

// bestNode is the candidate that compares best, nil if there is none.
func (p *planner) bestNode(r *resource, active *node) *node {
	if p.cfg.placement == "balanced" && p.manyCapacities {
		return p.bestBalanced(r, active)
	}
	t, best := r.allowed, -1
	for i := range t {
		if t[i].in && (best < 0 || p.compareNodes(t, i, best, active) < 0) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return p.nodes[best]
}

// rankedNodes are r's candidates, best first.
func (p *planner) rankedNodes(r *resource) []*node {
	var out []*node
	for i := range r.allowed {
		if r.allowed[i].in {
			out = append(out, p.nodes[i])
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		return p.compareNodes(r.allowed, out[i].idx, out[j].idx, nil) < 0
	})
	return out
}

// compareNodes orders two candidates, the better one first: by score; when balancing by free capacity;
// by how little is assigned to them already; the node where the resource is active; by name. The minimal
// strategy looks at score and name only, so that it fills one node after the other.
func (p *planner) compareNodes(t nodeTable, i, j int, active *node) int {
	a, b := p.nodes[i], p.nodes[j]
	sa, sb := t[i].score, t[j].score
	if !a.canRun() {
		sa = banned
	}
	if !b.canRun() {
		sb = banned
	}
	if sa != sb {
		return int(sb - sa)
	}
	if p.cfg.placement != "minimal" {
		if p.cfg.placement == "balanced" {
			if c := compareCapacity(a, b); c != 0 {
				return c
			}
		}
		if len(a.assigned) != len(b.assigned) {
			return len(a.assigned) - len(b.assigned)
		}
		if active == a || active == b {
			if active == a {
				return -1
			}
			return 1
		}
	}
	return strings.Compare(a.name, b.name)
}
