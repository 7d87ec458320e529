package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// banned is a score that no node comes back from.
const banned = -infinity

// canRun reports whether resources may run on n at all, whatever their scores.
func (n *node) canRun() bool {
	return n.online && !n.shutdown && !n.unclean && !n.standby && !n.standbyOnFail && !n.maintenance
}

// canHost is canRun and, for a guest node, that its container has a place.
func (p *planner) canHost(n *node) bool {
	if !n.canRun() {
		return false
	}
	if n.kind == guestNode && n.conn != nil && n.conn.container != nil {
		return futureNode(n.conn.container) != nil
	}
	return true
}

// usable reports whether the table has a node with a score of at least 0 that can run resources.
func (p *planner) usable(t nodeTable) bool {
	for i := range t {
		if t[i].in && t[i].score >= 0 && p.nodes[i].canRun() {
			return true
		}
	}
	return false
}

// add changes the score of one candidate; nodes that are no candidates stay out.
func (t nodeTable) add(i, delta int) {
	if t[i].in {
		t[i].score = int32(cib.AddScores(int(t[i].score), delta))
	}
}

// borrow returns a copy of t from the planner's stock of tables; giveBack returns it there.
func (p *planner) borrow(t nodeTable) nodeTable {
	if n := len(p.scratch); n > 0 {
		c := p.scratch[n-1]
		p.scratch = p.scratch[:n-1]
		copy(c, t)
		return c
	}
	c := make(nodeTable, len(p.nodes))
	copy(c, t)
	return c
}

func (p *planner) giveBack(t nodeTable) { p.scratch = append(p.scratch, t) }

// pinAll is pin for every node.
func (p *planner) pinAll(r *resource, delta int, kind, id, note string) {
	for _, n := range p.nodes {
		p.pin(r, n, delta, kind, id, note)
	}
}

// addAllowed adds delta to r and what is inside it where n is a candidate already.
func (p *planner) addAllowed(r *resource, n *node, delta int, kind, id, note string) {
	if r.allowed != nil && r.allowed[n.idx].in {
		p.addScore(r, n, delta, kind, id, note)
	}
	for _, c := range r.children {
		p.addAllowed(c, n, delta, kind, id, note)
	}
}

// setScore gives r another score on n; the account holds the difference.
func (p *planner) setScore(r *resource, n *node, score int, kind, id, note string) {
	stir(r)
	cell := &r.allowed[n.idx]
	p.record(r, n, score-int(cell.score), kind, id, note)
	cell.score = int32(score)
}

// record keeps one term of the account of r's score on n.
func (p *planner) record(r *resource, n *node, delta int, kind, id, note string) {
	if p.opts.Account && delta != 0 {
		r.account = append(r.account, entry{node: n, delta: delta, kind: kind, id: id, note: note})
	}
}

// take makes t the scores of r and keeps the account of what changed. t is only read.
func (p *planner) take(r *resource, t nodeTable, kind, id, note string) {
	if p.opts.Account {
		for i := range t {
			if t[i].in {
				p.record(r, p.nodes[i], int(t[i].score)-int(r.allowed[i].score), kind, id, note)
			}
		}
	}
	stir(r)
	copy(r.allowed, t)
}
