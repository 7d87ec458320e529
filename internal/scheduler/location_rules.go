package scheduler

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// addLocationRule adds a location with a score for each node that the rule holds on. An "or" starts from
// the node's own score, so that it bans nodes that are offline or shutting down.
func (p *planner) addLocationRule(l *cib.Location, r *resource, rule *cib.Rule, match []string) {
	limit, ok := constraintRole(rule.Role)
	if !ok {
		p.warn("constraint " + l.ID + ", rule " + rule.ID + ": bad role '" + rule.Role + "': the rule is ignored")
		return
	}
	loc := p.newLocation(rule.ID, r, l.Discovery)
	if limit != roleUnpromoted {
		// An instance is unpromoted before it is promoted, so that role is every role.
		loc.role = limit
	}
	in := &cib.RuleInput{Now: p.now, Meta: r.meta, Match: match}
	wantsParams := ruleWantsParams(rule)
	for _, n := range p.nodes {
		in.NodeAttr = n.attr
		if wantsParams {
			in.Params = p.params(r, n)
		}
		if !rule.Holds(in) {
			continue
		}
		score := ruleScore(rule, r, n, match)
		if rule.Or {
			score = cib.AddScores(score, n.score)
		}
		loc.scores = append(loc.scores, locScore{n, score})
	}
	if len(p.nodes) > 0 {
		p.recheckRule(rule, in)
	}
}

// attr looks a node attribute up.
func (n *node) attr(name string) (string, bool) {
	v, ok := n.attrs[name]
	return v, ok
}

// nodeAttrFor looks a node attribute up for a resource. Inside a container a resource may want those of
// the container's host (container-attribute-target=host).
func nodeAttrFor(r *resource, n *node, name string) (string, bool) {
	if !strings.EqualFold(r.meta["container-attribute-target"], "host") || n.conn == nil || n.conn.container == nil {
		return n.attr(name)
	}
	if hosts := n.conn.container.runningOn; len(hosts) > 0 {
		return hosts[0].attr(name)
	}
	return "", false
}

// ruleScore is what a rule gives a node: its score, or the value of the node attribute that it names,
// -infinity where the node has none.
func ruleScore(rule *cib.Rule, r *resource, n *node, match []string) int {
	if rule.Score != "" {
		score, _ := cib.ParseScore(rule.Score)
		return score
	}
	if rule.ScoreAttribute == "" {
		return 0
	}
	value, ok := nodeAttrFor(r, n, submatches(rule.ScoreAttribute, match))
	if !ok {
		return banned
	}
	score, _ := cib.ParseScore(value)
	return score
}

// submatches replaces %0 to %9 in s by what a pattern's groups matched.
func submatches(s string, match []string) string {
	if match == nil {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+1 < len(s) && isDigit(s[i+1]) {
			if k, _ := strconv.Atoi(s[i+1 : i+2]); k < len(match) {
				out = append(out, match[k]...)
			}
			i++
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

// ruleWantsParams reports whether the rule looks at the resource's parameters.
func ruleWantsParams(rule *cib.Rule) bool {
	for _, x := range rule.Exprs {
		switch x := x.(type) {
		case *cib.Rule:
			if ruleWantsParams(x) {
				return true
			}
		case *cib.AttrExpr:
			if x.Source == "param" {
				return true
			}
		}
	}
	return false
}
