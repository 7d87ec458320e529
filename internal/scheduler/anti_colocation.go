package scheduler

// antiColocationOrders empties a node of what may not share it before the other one starts there.
func (p *planner) antiColocationOrders() {
	for _, c := range p.colocations {
		if c.score <= -infinity {
			p.emptyFirst(c.dependent, c.dependentRole, c.primary, c.primaryRole)
			p.emptyFirst(c.primary, c.primaryRole, c.dependent, c.dependentRole)
		}
	}
}

// emptyFirst orders the end of one resource's role before the beginning of the other's.
func (p *planner) emptyFirst(first *resource, firstRole role, then *resource, thenRole role) {
	ends, begins := []string{taskStop}, []string{taskStart}
	switch firstRole {
	case rolePromoted:
		ends = []string{taskDemote}
	case roleUnpromoted:
		ends = append(ends, taskPromote)
	}
	switch thenRole {
	case rolePromoted:
		begins = []string{taskPromote}
	case roleUnpromoted:
		begins = append(begins, taskDemote)
	}
	for _, e := range ends {
		for _, b := range begins {
			p.orderTasks(first, e, then, b, ordAntiColocation)
		}
	}
}
