package scheduler

import (
	"sort"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackHealthOptions sets what each colour of a node's health is worth under the chosen strategy.
func (p *planner) unpackHealthOptions() {
	c := &p.cfg
	c.nodeHealthStrategy = p.optOneOf("node-health-strategy",
		"none", "migrate-on-red", "only-green", "progressive", "custom")
	switch c.nodeHealthStrategy {
	case "migrate-on-red":
		c.healthRed = -infinity
	case "only-green":
		c.healthRed, c.healthYellow = -infinity, -infinity
	case "progressive", "custom":
		c.healthRed = p.optScore("node-health-red", -infinity)
		c.healthYellow = p.optScore("node-health-yellow", 0)
		c.healthGreen = p.optScore("node-health-green", 0)
	}
	if c.nodeHealthStrategy == "progressive" {
		c.healthBase = p.optScore("node-health-base", 0)
	}
}

// optScore is a score option; the colours are allowed as values of each other.
func (p *planner) optScore(name string, fallback int) int {
	return option(p, name, fallback, "not a score", p.healthScore)
}

// healthScore is what the value of a health attribute is worth: a colour or a plain score.
func (p *planner) healthScore(v string) (int, bool) {
	switch v {
	case "red":
		return p.cfg.healthRed, true
	case "yellow":
		return p.cfg.healthYellow, true
	case "green":
		return p.cfg.healthGreen, true
	}
	return cib.ParseScore(v)
}

// unpackHealth finds each node's worst colour, and turns the sum of its health attributes into a
// preference of every top level resource. Resources with allow-unhealthy-nodes are spared bad health.
func (p *planner) unpackHealth() {
	strategy := p.cfg.nodeHealthStrategy
	for _, n := range p.nodes {
		if strategy == "none" {
			continue
		}
		n.health = worstHealth(n.attrs)
		score := p.nodeHealth(n)
		if score == 0 {
			continue
		}
		for _, r := range p.resources {
			if score < 0 {
				if spared, _ := cib.ParseBool(r.meta["allow-unhealthy-nodes"]); spared {
					continue
				}
			}
			l := &location{id: strategy, rsc: r, scores: []locScore{{n, score}}}
			p.locations = append(p.locations, l)
			r.locs = append(r.locs, l)
		}
	}
}

// nodeHealth sums what the health attributes of a node are worth.
func (p *planner) nodeHealth(n *node) int {
	sum := p.cfg.healthBase
	for _, name := range healthAttrs(n.attrs) {
		if s, ok := p.healthScore(n.attrs[name]); ok {
			sum = cib.AddScores(sum, s)
		}
	}
	return sum
}

func healthAttrs(attrs map[string]string) []string {
	var names []string
	for name := range attrs {
		if strings.HasPrefix(name, "#health") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// worstHealth is the worst colour among a node's health attributes, empty when all is green. Plain
// scores have no colour, but -INFINITY is as bad as red.
func worstHealth(attrs map[string]string) string {
	worst := ""
	for _, name := range healthAttrs(attrs) {
		switch attrs[name] {
		case "red", "-INFINITY":
			return "red"
		case "yellow":
			worst = "yellow"
		}
	}
	return worst
}
