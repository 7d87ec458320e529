package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// unpackColocationSets makes the pairs inside each set and between each set and the one after it.
func (p *planner) unpackColocationSets(c *cib.Colocation, sets []*cib.ResourceSet, score int) {
	var before []*resource
	for i, set := range sets {
		members, ok := p.setMembers(c.ID, set)
		own := score
		if set.Score != "" {
			own, _ = cib.ParseScore(set.Score)
		}
		p.colocateMembers(c, set, members, own)
		if !ok {
			return
		}
		if i > 0 {
			p.colocateSets(c, score, sets[i-1], before, set, members)
		}
		before = members
	}
}

// colocateMembers puts each member of a sequential set with the one before it (ordering "group") or
// after it ("listed"). To keep members apart, each is set against all before it.
func (p *planner) colocateMembers(c *cib.Colocation, set *cib.ResourceSet, members []*resource, score int) {
	if !set.Sequential {
		return
	}
	for i, r := range members {
		switch {
		case score < 0:
			for _, with := range members[:i] {
				if with.id == r.id {
					break
				}
				p.colocate(c, set.ID, score, r, with, set.Role, set.Role)
			}
		case i > 0 && (set.Ordering == "" || set.Ordering == "group"):
			p.colocate(c, set.ID, score, r, members[i-1], set.Role, set.Role)
		case i > 0:
			p.colocate(c, set.ID, score, members[i-1], r, set.Role, set.Role)
		}
	}
}

// colocateSets puts the earlier set with the later one: its first member, or every member when it is
// not sequential, with the last member of the later, or with each of them.
func (p *planner) colocateSets(c *cib.Colocation, score int, set1 *cib.ResourceSet, dependents []*resource,
	set2 *cib.ResourceSet, primaries []*resource) {
	if len(dependents) == 0 || len(primaries) == 0 {
		return
	}
	if set1.Sequential {
		dependents = dependents[:1]
	}
	if set2.Sequential {
		primaries = primaries[len(primaries)-1:]
	}
	for _, d := range dependents {
		for _, r := range primaries {
			p.colocate(c, c.ID, score, d, r, set1.Role, set2.Role)
		}
	}
}
