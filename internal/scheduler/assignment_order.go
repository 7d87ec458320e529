package scheduler

import "sort"

// sortByScores orders resources of equal priority by how well they fare: first by the score of the node
// they are active on, then by their scores on the nodes, the best node first, all with the wishes of what
// they go with.
func (p *planner) sortByScores(queue []*resource) {
	none := make(nodeTable, len(p.nodes))
	for i, n := range p.nodes {
		none[i] = nodeScore{in: true, score: int32(n.score)}
	}
	nodes := append([]*node(nil), p.nodes...)
	sort.SliceStable(nodes, func(i, j int) bool { return p.compareNodes(none, nodes[i].idx, nodes[j].idx, nil) < 0 })
	scores := make(map[*resource]nodeTable, len(queue))
	for _, r := range queue {
		scores[r] = p.scoresWithPrimaries(r)
	}
	sort.SliceStable(queue, func(i, j int) bool {
		a, b := queue[i], queue[j]
		if a.priority != b.priority {
			return a.priority > b.priority
		}
		ta, tb := scores[a], scores[b]
		if sa, sb := currentScore(a, ta), currentScore(b, tb); sa != sb {
			return sa > sb
		}
		for _, n := range nodes {
			if sa, sb := scoreOn(ta, n), scoreOn(tb, n); sa != sb {
				return sa > sb
			}
		}
		return false
	})
}

// scoresWithPrimaries is r's table with the scores of what it goes with added; a group's is that of its
// last member, which goes with all others.
func (p *planner) scoresWithPrimaries(r *resource) nodeTable {
	if r.merging {
		return nil
	}
	r.merging = true
	defer func() { r.merging = false }()
	var t nodeTable
	if r.variant == group && len(r.children) > 0 {
		t = p.scoresWithPrimaries(r.children[len(r.children)-1])
	} else {
		t = append(nodeTable(nil), r.allowed...)
	}
	p.addFollowers(r, t, 1, colocPrimary)
	return t
}

func currentScore(r *resource, t nodeTable) int32 {
	n := currentNode(r)
	if n == nil {
		return banned
	}
	return scoreOn(t, n)
}

func scoreOn(t nodeTable, n *node) int32 {
	if n.idx < len(t) && t[n.idx].in {
		return t[n.idx].score
	}
	return banned
}
