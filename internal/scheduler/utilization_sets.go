package scheduler

// colocated lists r and everything that must run on the same node as r, through chains of mandatory
// colocations. origin is where the walk began.
func (p *planner) colocated(r, origin *resource, list []*resource) []*resource {
	if r.variant == group {
		if groupColocated(r) || r.parent != nil && r.parent.variant == clone {
			for _, m := range r.children {
				list = p.colocated(m, origin, list)
			}
		} else if len(r.children) > 0 {
			list = p.colocated(r.children[0], origin, list)
		}
	}
	if r.walked == p.colocWalk {
		return list
	}
	r.walked = p.colocWalk
	list = append(list, r)
	for _, c := range r.colos {
		if c.primary != origin && c.score >= infinity && colocationEffect(r, c.primary, c, true) == effectPlace {
			list = p.colocated(c.primary, origin, list)
		}
	}
	for _, c := range r.withs {
		if c.dependent == origin || r.variant == clone && c.dependent.variant != clone {
			continue
		}
		if c.score >= infinity && colocationEffect(c.dependent, r, c, true) == effectPlace {
			list = p.colocated(c.dependent, origin, list)
		}
	}
	return list
}

// sumUtilization is what the resources that have no place yet need together; a clone counts as one
// instance.
func (p *planner) sumUtilization(list []*resource) map[string]int {
	listed := make(map[*resource]bool, len(list))
	for _, r := range list {
		listed[r] = true
	}
	sum := map[string]int{}
	for _, r := range list {
		addUtilization(r, listed, sum)
	}
	return sum
}

func addUtilization(r *resource, listed map[*resource]bool, sum map[string]int) {
	if r.isAssigned {
		return
	}
	switch r.variant {
	case group:
		members := r.children
		if !groupColocated(r) && (r.parent == nil || r.parent.variant != clone) && len(members) > 1 {
			members = members[:1]
		}
		for _, m := range members {
			if !m.isAssigned && !listed[m] {
				addUtilization(m, listed, sum)
			}
		}
	case clone:
		for _, i := range r.children {
			if listed[i] {
				return
			}
			for _, m := range i.children {
				if listed[m] {
					return
				}
			}
		}
		if len(r.children) > 0 {
			addUtilization(r.children[0], listed, sum)
		}
	case bundle:
		if len(r.replicas) > 0 && r.replicas[0].container != nil {
			addUtilization(r.replicas[0].container, listed, sum)
		}
	default:
		for name, v := range r.utilization {
			sum[name] += v
		}
	}
}
