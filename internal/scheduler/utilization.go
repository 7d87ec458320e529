package scheduler

import (
	"fmt"
	"sort"
	"strings"
)

// utilizes reports whether the placement strategy looks at utilisation at all.
func (p *planner) utilizes() bool { return p.cfg.placement != "default" && p.cfg.placement != "" }

// compareCapacity compares what is left on two nodes: each attribute counts one point for the node that
// has more of it. Negative: a has more.
func compareCapacity(a, b *node) int {
	points := 0
	for name, va := range a.utilization {
		if vb := b.utilization[name]; va > vb {
			points--
		} else if va < vb {
			points++
		}
	}
	for name, vb := range b.utilization {
		if _, both := a.utilization[name]; both {
			continue
		}
		if vb > 0 {
			points++
		} else if vb < 0 {
			points--
		}
	}
	return points
}

// enough reports whether n has enough left; what a node does not name it has none of.
func enough(n *node, need map[string]int) bool {
	for name, v := range need {
		if v > n.utilization[name] {
			return false
		}
	}
	return true
}

func (p *planner) consume(n *node, r *resource) { n.use(r, -1) }
func (p *planner) release(n *node, r *resource) { n.use(r, 1) }

// use changes what is left on n by what r takes. Of what a node does not name it has none, and the first
// to take it anyway only makes that known.
func (n *node) use(r *resource, sign int) {
	if len(r.utilization) > 0 && n.utilization == nil {
		n.utilization = make(map[string]int, len(r.utilization))
	}
	for name, v := range r.utilization {
		if have, ok := n.utilization[name]; ok {
			n.utilization[name] = have + sign*v
		} else {
			n.utilization[name] = 0
		}
	}
}

// limitByCapacity bans the nodes that cannot hold r and everything that must run with it. If no node
// can, only r itself must fit, and the node with the most room is returned as the one to prefer.
func (p *planner) limitByCapacity(r *resource) *node {
	if !p.utilizes() {
		return nil
	}
	p.colocWalk++
	together := p.colocated(r, r, nil)
	need := p.sumUtilization(together)
	var roomiest *node
	anyFits := false
	for _, n := range p.tableOrder(r) {
		if r.allowed[n.idx].score < 0 || !n.canRun() {
			continue
		}
		if enough(n, need) {
			anyFits = true
		}
		if roomiest == nil || compareCapacity(n, roomiest) < 0 {
			roomiest = n
		}
	}
	note := "not enough room for it and what runs with it"
	if anyFits {
		roomiest = nil
	} else {
		need, note = r.utilization, "not enough room"
	}
	for i, n := range p.nodes {
		if r.allowed[i].in && r.allowed[i].score >= 0 && n.canRun() && !enough(n, need) {
			p.pin(r, n, banned, "utilization", "", note)
		}
	}
	return roomiest
}

// showCapacities keeps the lines of what every node has left.
func (p *planner) showCapacities(when string) {
	if !p.opts.Scores {
		return
	}
	for _, n := range p.byName {
		if n.kind == pingNode {
			continue
		}
		p.traceUtilization(fmt.Sprintf("%s: %s capacity:%s", when, n.name, listUtilization(n.utilization)))
	}
}

// showUtilization keeps the line of what an assigned resource takes.
func (p *planner) showUtilization(r *resource, n *node) {
	if !p.opts.Scores {
		return
	}
	p.traceUtilization(fmt.Sprintf("pcmk__finalize_assignment: %s utilization on %s:%s", r.id, n.name,
		listUtilization(r.utilization)))
}

// traceUtilization keeps a line together with its place among the score lines.
func (p *planner) traceUtilization(line string) {
	p.utilLines = append(p.utilLines, line)
	p.utilAt = append(p.utilAt, len(p.scoreLines))
}

func listUtilization(u map[string]int) string {
	names := make([]string, 0, len(u))
	for name := range u {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, name := range hashOrder(names, func(name string) string { return name }) {
		fmt.Fprintf(&b, " %s=%d", name, u[name])
	}
	return b.String()
}
