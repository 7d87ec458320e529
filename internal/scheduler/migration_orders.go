package scheduler

// migrationOrders says what an order between two resources means while they migrate: the dependent
// moves after what it needs has moved.
func (p *planner) migrationOrders() {
	for _, o := range p.edges[:len(p.edges):len(p.edges)] {
		if o.firstRsc == nil || o.thenRsc == nil || o.first != nil || o.then != nil || o.firstRsc == o.thenRsc {
			continue
		}
		if o.firstRsc.within(o.thenRsc) || o.thenRsc.within(o.firstRsc) {
			continue
		}
		p.migrationOrder(o)
	}
}

func (p *planner) migrationOrder(o *ordering) {
	first, then := o.firstRsc.allowMigrate, o.thenRsc.allowMigrate
	if !first && !then {
		return
	}
	switch {
	case o.firstTask == taskStart && o.thenTask == taskStart:
		flags := ordOptional
		if first && then {
			p.orderTasks(o.firstRsc, taskMigrateFrom, o.thenRsc, taskMigrateTo, flags)
		}
		if then {
			if first {
				flags |= ordNotMigratable
			}
			p.orderTasks(o.firstRsc, taskStart, o.thenRsc, taskMigrateTo, flags)
		}
	case then && o.firstTask == taskStop && o.thenTask == taskStop:
		flags := ordOptional
		if first {
			flags |= ordNotMigratable
		}
		p.orderTasks(o.firstRsc, taskStop, o.thenRsc, taskMigrateTo, flags)
		p.orderTasks(o.firstRsc, taskStop, o.thenRsc, taskMigrateFrom, flags)
	case o.firstTask == taskPromote && o.thenTask == taskStart && then:
		p.orderTasks(o.firstRsc, taskPromote, o.thenRsc, taskMigrateTo, ordOptional)
	case o.firstTask == taskDemote && o.thenTask == taskStop && then:
		p.orderTasks(o.firstRsc, taskDemote, o.thenRsc, taskMigrateTo, ordOptional)
	}
}
