package scheduler

import "sort"

// sortInstances orders instances for assignment, see compareInstances. list is not changed.
func (p *planner) sortInstances(parent *resource, list []*resource) []*resource {
	out := append([]*resource(nil), list...)
	for _, r := range out {
		r.colocScore = p.colocatedScore(parent, r)
	}
	sort.SliceStable(out, func(i, j int) bool { return p.compareInstances(parent, out[i], out[j]) < 0 })
	return out
}

// colocatedScore is the score of an instance's current node with its clone's colocations applied.
func (p *planner) colocatedScore(parent, r *resource) int {
	n := currentNode(r)
	if n == nil {
		return 0
	}
	if len(parent.colos) == 0 && len(parent.withs) == 0 {
		return n.score
	}
	t := p.borrow(nil)
	defer p.giveBack(t)
	clear(t)
	t[n.idx] = nodeScore{score: int32(n.score), in: true}
	for _, c := range parent.colos {
		p.addColocated(c.primary, t, c.attr, c.factor(), 0)
	}
	for _, c := range parent.withs {
		if c.influences(r) {
			p.addColocated(c.dependent, t, c.attr, c.factor(), colocPositive)
		}
	}
	return int(t[n.idx].score)
}

// compareInstances orders the instances of a clone or the containers of a bundle for assignment:
// active on fewer nodes, on a node that is allowed, of higher priority, active at all, on a node that
// can run resources, on a node that the parent allows, on a node with fewer instances, healthy, better
// colocated. Equals keep their order.
func (p *planner) compareInstances(parent, a, b *resource) int {
	na, nb := len(a.runningOn)+a.runningAgain, len(b.runningOn)+b.runningAgain
	if na > 0 && nb > 0 && na != nb {
		return na - nb
	}
	nodeA, nodeB := currentNode(a), currentNode(b)
	okA, okB := nodeAllowed(a, nodeA), nodeAllowed(b, nodeB)
	if okA != okB {
		return trueFirst(okA)
	}
	if !okA {
		nodeA, nodeB = nil, nil
	}
	if a.priority != b.priority {
		return b.priority - a.priority
	}
	if nodeA == nil || nodeB == nil {
		if nodeA == nil && nodeB == nil {
			return 0
		}
		return trueFirst(nodeA != nil)
	}
	if okA, okB = nodeA.canRun(), nodeB.canRun(); okA != okB {
		return trueFirst(okA)
	}
	cellA, cellB := parent.allowed[nodeA.idx], parent.allowed[nodeB.idx]
	if cellA.in != cellB.in {
		return trueFirst(cellA.in)
	}
	if cellA.in && cellA.count != cellB.count {
		return int(cellA.count - cellB.count)
	}
	if okA, okB = anyFailed(a), anyFailed(b); okA != okB {
		return trueFirst(okB)
	}
	if a.colocScore != b.colocScore {
		return b.colocScore - a.colocScore
	}
	return 0
}

func trueFirst(first bool) int {
	if first {
		return -1
	}
	return 1
}

// nodeAllowed reports whether n, where r is active, is a candidate with a score of at least 0. An
// inactive resource has nothing against it.
func nodeAllowed(r *resource, n *node) bool {
	return n == nil || r.allowed[n.idx].in && r.allowed[n.idx].score >= 0
}
