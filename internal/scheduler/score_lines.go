package scheduler

import (
	"sort"
	"strings"
)

// showScores keeps a line for each candidate of r and of everything inside it. Orphans have none.
func (p *planner) showScores(by string, r *resource) {
	if !p.opts.Scores || r.orphan {
		return
	}
	for _, n := range p.byName {
		if n.idx < len(r.allowed) && r.allowed[n.idx].in {
			p.scoreLines = append(p.scoreLines, ScoreLine{By: by, Resource: r.id, Node: n.name,
				Score: int(r.allowed[n.idx].score)})
		}
	}
	if r.variant == bundle {
		p.showReplicas(by, r)
		return
	}
	for _, c := range instances(r) {
		p.showScores(by, c)
	}
}

// showReplicas keeps the lines of a bundle's parts, one replica after the other, then of what they contain.
func (p *planner) showReplicas(by string, b *resource) {
	for _, rep := range b.replicas {
		for _, part := range []*resource{rep.container, rep.ip, rep.remote} {
			if part != nil {
				p.showScores(by, part)
			}
		}
	}
	if c := bundleClone(b); c != nil {
		p.showScores(by, c)
	}
}

// showPromotion keeps the line of an instance's promotion score.
func (p *planner) showPromotion(r *resource, n *node) {
	if !p.opts.Scores {
		return
	}
	name := "none"
	if n != nil {
		name = n.name
	}
	p.scoreLines = append(p.scoreLines, ScoreLine{Resource: r.id, Promotion: true, Node: name, Score: r.sortIndex})
}

// instances are r's children in the order of their assignment where one is known.
func instances(r *resource) []*resource {
	if r.variant == clone && r.order != nil {
		return r.order
	}
	return r.children
}

// sortNodeNames orders the nodes by name for score lines: letters without their case, runs of digits as
// numbers.
func (p *planner) sortNodeNames() {
	p.byName = append([]*node(nil), p.nodes...)
	sort.SliceStable(p.byName, func(i, j int) bool { return compareNumeric(p.byName[i].name, p.byName[j].name) < 0 })
}

// compareNumeric compares strings without case, runs of digits as numbers.
func compareNumeric(a, b string) int {
	for a != "" && b != "" {
		if isDigit(a[0]) && isDigit(b[0]) {
			na, ra := cutNumber(a)
			nb, rb := cutNumber(b)
			if len(na) != len(nb) {
				return len(na) - len(nb)
			}
			if c := strings.Compare(na, nb); c != 0 {
				return c
			}
			a, b = ra, rb
			continue
		}
		if la, lb := lower(a[0]), lower(b[0]); la != lb {
			return int(la) - int(lb)
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// cutNumber splits the digits that s begins with, without leading zeros, from the rest.
func cutNumber(s string) (digits, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}
