package scheduler

import (
	"regexp"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackLocation expands one location constraint to the resources it names: by id, tag or template, by
// pattern, or in sets.
func (p *planner) unpackLocation(l *cib.Location) {
	switch {
	case len(l.Sets) > 0:
		for _, set := range l.Sets {
			members, ok := p.setMembers(l.ID, set)
			for _, r := range members {
				p.addLocation(l, r, first(set.Role, l.Role), first(set.Score, l.Score), nil)
			}
			if !ok {
				return
			}
		}
	case l.RscPattern != "":
		p.unpackPattern(l)
	case l.Rsc != "":
		ids, isSet := p.expand(l.Rsc)
		for _, id := range ids {
			r := p.constraintTarget(id)
			if r == nil {
				p.warn("constraint " + l.ID + ": no resource '" + id + "': the constraint is ignored")
				if isSet {
					return
				}
				continue
			}
			p.addLocation(l, r, l.Role, l.Score, nil)
		}
	}
}

// unpackPattern applies a location to the top-level resources whose id matches, or with a leading '!'
// does not match, a POSIX extended regular expression.
func (p *planner) unpackPattern(l *cib.Location) {
	re, err := regexp.CompilePOSIX(l.RscPattern)
	if err != nil {
		p.warn("constraint " + l.ID + ": bad pattern '" + l.RscPattern + "': the constraint is ignored")
		return
	}
	for _, r := range p.resources {
		match := re.FindStringSubmatch(r.id)
		if (match != nil) == l.Negate {
			continue
		}
		if len(match) < 2 {
			match = nil
		}
		p.addLocation(l, r, l.Role, l.Score, match)
	}
}

// first is the first of its arguments that is not empty.
func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}

// addLocation adds a location for one resource: a node with a score, or rules.
func (p *planner) addLocation(l *cib.Location, r *resource, roleName, score string, match []string) {
	if l.Node == "" || score == "" {
		for _, rule := range l.Rules {
			p.addLocationRule(l, r, rule, match)
		}
		return
	}
	n := p.nodeByName[l.Node]
	if n == nil {
		return
	}
	points, _ := cib.ParseScore(score)
	loc := p.newLocation(l.ID, r, l.Discovery)
	loc.scores = []locScore{{n, points}}
	limit, ok := constraintRole(roleName)
	if !ok {
		p.warn("constraint " + l.ID + ": bad role '" + roleName + "': it is taken for every role")
	}
	if limit == rolePromoted || limit == roleStopped {
		loc.role = limit
	}
}

// newLocation adds an empty location to the resource and to the planner.
func (p *planner) newLocation(id string, r *resource, discover string) *location {
	loc := &location{id: id, rsc: r}
	switch discover {
	case "never":
		loc.discover = discoverNever
	case "exclusive":
		loc.discover = discoverExclusive
		r.exclusive = true
	}
	p.locations = append(p.locations, loc)
	r.locs = append(r.locs, loc)
	return loc
}

func isTrue(s string) bool {
	v, _ := cib.ParseBool(s)
	return v
}
