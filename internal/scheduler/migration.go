package scheduler

// canMigrate reports whether a resource may be migrated live off a node.
func (p *planner) canMigrate(r *resource, from *node) bool {
	switch {
	case !r.allowMigrate || !r.managed || r.failed || r.startPending:
		return false
	case from == nil || from.unclean || !from.online:
		return false
	case r.assigned == nil:
		return false
	}
	return true
}

// migrate makes the live migration of a resource from one node to another. The start becomes a mere
// mark: the resource is running there already when the migration has ended. If the migration turns out
// to be impossible, the edges give the real stop and start back.
func (p *planner) migrate(r *resource, from, to *node) {
	start := p.op(r, taskStart, 0, to, true)
	stop := p.op(r, taskStop, 0, from, true)
	start.flags |= actPseudo | actMigratable
	stop.flags |= actMigratable
	if r.partialTarget == nil {
		leave := p.op(r, taskMigrateTo, 0, from, true)
		leave.flags |= actMigratable
		leave.needs = start.needs
		p.setMigration(leave, from, to)
		if !r.isConn { // nobody but the controller migrates a connection
			leave.set("CRM_meta_record_pending", "true")
		}
	}
	arrive := p.op(r, taskMigrateFrom, 0, to, true)
	arrive.flags |= actMigratable
	arrive.needs = start.needs
	if r.partialTarget == nil {
		p.orderTasks(r, taskMonitor, r, taskMigrateTo, ordOptional)
		p.orderTasks(r, taskMigrateTo, r, taskMigrateFrom, ordOptional|ordMigratable)
	} else {
		p.orderTasks(r, taskMonitor, r, taskMigrateFrom, ordOptional)
	}
	p.setMigration(arrive, from, to)
	p.orderTasks(r, taskMigrateFrom, r, taskStop, ordOptional|ordMigratable)
	p.orderTasks(r, taskMigrateFrom, r, taskStart, ordOptional|ordMigratable|ordPseudo)
}

func (p *planner) setMigration(a *action, from, to *node) {
	a.set("CRM_meta_migrate_source", from.name)
	a.set("CRM_meta_migrate_target", to.name)
}
