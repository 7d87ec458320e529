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

// scoresWithPrimaries is r's table with the scores of what it goes with added.
func (p *planner) scoresWithPrimaries(r *resource) nodeTable {
	from := r
	for from.variant == group && len(from.children) > 0 {
		from = from.children[len(from.children)-1]
	}
	t := append(nodeTable(nil), from.allowed...)
	if from.merging {
		return t
	}
	from.merging = true
	p.addFollowers(from, t, 1, colocPrimary)
	from.merging = false
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
