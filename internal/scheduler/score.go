package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// addScore adds delta to r's score on n, saturating, and keeps the account of it when one is wanted.
// The node stays in or out of the table as it was: a score alone makes no node a candidate.
func (p *planner) addScore(r *resource, n *node, delta int, kind, id, note string) {
	if n.idx >= len(r.allowed) {
		return
	}
	cell := &r.allowed[n.idx]
	cell.score = int32(cib.AddScores(int(cell.score), delta))
	if p.opts.Account && delta != 0 {
		r.account = append(r.account, entry{node: n, delta: delta, kind: kind, id: id, note: note})
	}
}
