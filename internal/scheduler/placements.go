package scheduler

import (
	"fmt"
	"strings"
)

// placements tells of each primitive and instance where it will be, why, and how every node scored.
func (p *planner) placements() []Placement {
	if !p.opts.Account {
		return nil
	}
	var out []Placement
	for _, r := range p.resources {
		out = p.placementsIn(out, r)
	}
	return out
}

func (p *planner) placementsIn(out []Placement, r *resource) []Placement {
	if len(r.children) > 0 {
		for _, c := range instances(r) {
			out = p.placementsIn(out, c)
		}
		return out
	}
	pl := Placement{Resource: r.id, Role: r.nextRole.String(), Why: r.why}
	if r.assigned != nil {
		pl.Node = r.assigned.name
	}
	if pl.Why == "" {
		pl.Why = fmt.Sprintf("%s is assigned nowhere", r.id)
	}
	terms := map[int][]Term{}
	for _, e := range r.account {
		terms[e.node.idx] = append(terms[e.node.idx], Term{Kind: e.kind, ID: e.id, Note: e.note, Delta: e.delta})
	}
	for _, n := range p.byName {
		if n.kind == pingNode {
			continue
		}
		a := NodeAccount{Node: n.name, Terms: terms[n.idx]}
		if n.idx < len(r.allowed) {
			a.Score, a.In = int(r.allowed[n.idx].score), r.allowed[n.idx].in
		}
		if why := n.cannotRun(); why != "" {
			a.Terms = append(a.Terms, Term{Kind: "node", Note: why})
		}
		pl.Nodes = append(pl.Nodes, a)
	}
	return append(out, pl)
}

// cannotRun says why no resource may run on n; empty if they may.
func (n *node) cannotRun() string {
	switch {
	case n.canRun():
		return ""
	case n.unclean:
		return "must be fenced"
	case !n.online:
		return "is offline"
	case n.shutdown:
		return "is shutting down"
	case n.standbyOnFail:
		return "is in standby because of a failure"
	case n.standby:
		return "is in standby"
	}
	return "is in maintenance"
}

// explain keeps the sentence that says why r goes where it goes.
func (p *planner) explain(r *resource, format string, args ...any) {
	if p.opts.Account {
		r.why = fmt.Sprintf(format, args...)
	}
}

// explainChoice says what decided for the node that r is about to be assigned to.
func (p *planner) explainChoice(r *resource, chosen, active *node) {
	if !p.opts.Account {
		return
	}
	top := r.allowed[chosen.idx].score
	var equals []*node
	var names []string
	for _, n := range p.byName {
		if n != chosen && r.allowed[n.idx].in && r.allowed[n.idx].score == top && n.canRun() {
			equals = append(equals, n)
			names = append(names, n.name)
		}
	}
	score := scoreWord(int(top))
	switch {
	case top < 0 || !chosen.canRun() && chosen.kind != guestNode:
		p.explain(r, "no node may run %s", r.id)
		if isStoppedByTarget(r) {
			p.explain(r, "%s is to be stopped (target-role)", r.id)
		}
	case len(equals) == 0:
		p.explain(r, "%s has the best score for %s (%s)", chosen.name, r.id, score)
	case chosen == active && top > 0:
		p.explain(r, "%s is active on %s, and no node scores better than %s", r.id, chosen.name, score)
	default:
		p.explain(r, "%s scores %s like %s, and %s", chosen.name, score, strings.Join(names, ", "),
			p.tieWord(chosen, active, equals))
	}
}

func isStoppedByTarget(r *resource) bool {
	want, _ := constraintRole(r.meta["target-role"])
	return want == roleStopped
}

// tieWord says what decides between nodes of the same score.
func (p *planner) tieWord(chosen, active *node, equals []*node) string {
	fewest, roomiest := true, p.cfg.placement == "balanced"
	for _, n := range equals {
		fewest = fewest && len(chosen.assigned) < len(n.assigned)
		roomiest = roomiest && compareCapacity(chosen, n) < 0
	}
	switch {
	case p.cfg.placement == "minimal":
		return "its name is the first"
	case roomiest:
		return "it has the most room"
	case fewest:
		return "it has the fewest resources so far"
	case chosen == active:
		return "it is active there"
	}
	return "of those with the fewest resources so far its name is the first"
}

// scoreWord writes a score as people do.
func scoreWord(score int) string {
	switch {
	case score >= infinity:
		return "INFINITY"
	case score <= -infinity:
		return "-INFINITY"
	}
	return fmt.Sprint(score)
}
