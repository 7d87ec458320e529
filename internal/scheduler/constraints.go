package scheduler

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackConstraints reads locations, colocations and tickets; orders are read with the actions.
func (p *planner) unpackConstraints() {
	for _, c := range p.in.Constraints {
		switch c := c.(type) {
		case *cib.Location:
			if p.lifetimeRuns(c.Lifetime) {
				p.unpackLocation(c)
			}
		case *cib.Colocation:
			if p.lifetimeRuns(c.Lifetime) {
				p.unpackColocation(c)
			}
		case *cib.TicketConstraint:
			p.unpackTicketConstraint(c)
		}
	}
}

// lifetimeRuns reports whether a constraint's lifetime holds now, and asks to be called again when that
// may change.
func (p *planner) lifetimeRuns(rules []*cib.Rule) bool {
	if len(rules) == 0 {
		return true
	}
	in := &cib.RuleInput{Now: p.now}
	for _, r := range rules {
		p.recheckRule(r, in)
	}
	return cib.HoldsAny(rules, in)
}

// recheckRule asks for another look when the rule may change its mind by time alone.
func (p *planner) recheckRule(r *cib.Rule, in *cib.RuleInput) {
	if next := r.NextChange(in); !next.IsZero() {
		p.recheckAt(next.Unix())
	}
}

// constraintRole reads the role of a constraint. "Started" limits nothing; ok is false when the word is
// no role.
func constraintRole(s string) (r role, ok bool) {
	switch strings.ToLower(s) {
	case "":
		return roleUnknown, true
	case "started":
		return roleStarted, true
	case "stopped":
		return roleStopped, true
	case "promoted", "master":
		return rolePromoted, true
	case "unpromoted", "slave":
		return roleUnpromoted, true
	}
	return roleUnknown, false
}
