package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// pin adds delta to the score of r and of everything inside it.
func (p *planner) pin(r *resource, n *node, delta int, kind, id, note string) {
	r.each(func(part *resource) { p.addScore(part, n, delta, kind, id, note) })
}

// addScore adds delta to r's score on n, saturating, and keeps the account of it when one is wanted. A
// node that was no candidate becomes one, starting from the node's own score.
func (p *planner) addScore(r *resource, n *node, delta int, kind, id, note string) {
	if len(r.allowed) < len(p.nodes) {
		r.allowed = append(r.allowed, make(nodeTable, len(p.nodes)-len(r.allowed))...)
	}
	stir(r)
	cell := &r.allowed[n.idx]
	if !cell.in {
		cell.in = true
		cell.score = int32(n.score)
	}
	cell.score = int32(cib.AddScores(int(cell.score), delta))
	if p.opts.Account && delta != 0 {
		r.account = append(r.account, entry{node: n, delta: delta, kind: kind, id: id, note: note})
	}
}
