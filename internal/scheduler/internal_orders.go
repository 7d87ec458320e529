package scheduler

// Orders that follow from what resources are, before any constraint: a restart is stop then start, a
// group is a sequence, a clone's mark comes before and after its instances' actions.

func (p *planner) internalOrders(r *resource) {
	switch r.variant {
	case primitive:
		p.primitiveOrders(r)
	case group:
		p.groupOrders(r)
	case clone:
		p.cloneOrders(r)
	case bundle:
		p.bundleOrders(r)
	}
}

func (p *planner) primitiveOrders(r *resource) {
	if !r.managed {
		return
	}
	p.orderTasks(r, taskStop, r, taskStart, ordOptional|ordImpliesThen|ordRestart)
	if r.top().promotable || r.bundlePromotable() || r.role > roleUnpromoted {
		p.orderTasks(r, taskDemote, r, taskStop, ordPromotedImpliesFirst)
		p.orderTasks(r, taskStart, r, taskPromote, ordRunnable)
	}
	// A node that is to forget a resource is not asked for it in the same breath.
	p.orderTasks(r, taskDelete, r, taskMonitor, ordSameNode|ordThenCancelsFirst)
	p.unfencingOrders(r)
	p.utilizationOrders(r)
	p.containerOrders(r)
}

func (r *resource) bundlePromotable() bool {
	for q := r; q != nil; q = q.parent {
		if q.promotable {
			return true
		}
	}
	return false
}

// containerOrders ties a resource to the container it runs inside of. On a guest node the connection
// does that for everything but itself.
func (p *planner) containerOrders(r *resource) {
	c := r.container
	if c == nil || !r.isConn && c.holdsRemote() {
		return
	}
	if r.isConn {
		p.orderTasks(c, taskMonitor, r, taskStop, ordOptional)
	}
	p.orderTasks(c, taskStart, r, taskStart, ordImpliesThen|ordRunnable)
	p.orderTasks(r, taskStop, c, taskStop, ordImpliesFirst)
}

func (p *planner) groupOrders(g *resource) {
	p.orderTasks(g, taskStopped, g, taskStart, ordOptional)
	p.orderTasks(g, taskStop, g, taskStopped, ordRunnable)
	p.orderTasks(g, taskStart, g, taskStarted, ordRunnable)
	top := g.top()
	promotable := top.promotable || g.bundlePromotable()
	if promotable {
		p.orderTasks(g, taskDemote, g, taskDemoted, ordRunnable)
		p.orderTasks(g, taskDemoted, g, taskStop, ordOptional)
		p.orderTasks(g, taskStart, g, taskPromote, ordOptional)
		p.orderTasks(g, taskPromote, g, taskPromoted, ordRunnable)
	}
	var prev, lastActive *resource
	for _, m := range g.children {
		p.internalOrders(m)
		p.memberOrders(g, m, prev == nil, promotable)
		if prev != nil && g.ordered {
			p.sequenceOrders(prev, m, lastActive, promotable)
		}
		if len(m.runningOn) > 0 {
			lastActive = m
		}
		prev = m
	}
}

// memberOrders puts a member's actions between the marks of its group.
func (p *planner) memberOrders(g, m *resource, first, promotable bool) {
	// The first member ends last: its end is the group's.
	end := ordPrintThen
	if first {
		end = ordImpliesThen
	}
	if promotable {
		p.orderTasks(g, taskDemote, m, taskDemote, ordPrintFirst)
		p.orderTasks(m, taskDemote, g, taskDemoted, end)
		p.orderTasks(g, taskPromote, m, taskPromote, ordPrintFirst)
		p.orderTasks(m, taskPromote, g, taskPromoted, ordRunnable|ordImpliesThen|ordPrintThen)
	}
	p.orderTasks(g, taskStart, m, taskStart, ordPrintFirst)
	p.orderTasks(g, taskStop, m, taskStop, ordPrintFirst)
	p.orderTasks(m, taskStop, g, taskStopped, end)
	p.orderTasks(m, taskStart, g, taskStarted, ordRunnable|ordImpliesThen|ordPrintThen)
}

// sequenceOrders orders a member after the one before it, and backwards at the end.
func (p *planner) sequenceOrders(prev, m, lastActive *resource, promotable bool) {
	if promotable {
		p.orderTasks(prev, taskPromote, m, taskPromote, ordImpliesThen|ordRunnable)
		p.orderTasks(m, taskDemote, prev, taskDemote, ordOptional)
	}
	p.orderTasks(prev, taskStart, m, taskStart, ordImpliesThen|ordRunnable)
	p.orderTasks(m, taskStop, prev, taskStop, ordOptional|ordRestart)
	if lastActive != nil && lastActive != prev && len(m.runningOn) > 0 {
		// What lies between does not run: the sequence of stops skips it.
		p.orderTasks(m, taskStop, lastActive, taskStop, ordOptional)
	}
}

func (p *planner) cloneOrders(c *resource) {
	p.orderTasks(c, taskStopped, c, taskStart, ordOptional)
	p.orderTasks(c, taskStart, c, taskStarted, ordRunnable)
	p.orderTasks(c, taskStop, c, taskStopped, ordRunnable)
	if c.promotable {
		p.orderTasks(c, taskDemoted, c, taskStop, ordOptional)
		p.orderTasks(c, taskStarted, c, taskPromote, ordRunnable)
	}
	var prev *resource
	for _, i := range c.children {
		p.internalOrders(i)
		p.orderTasks(c, taskStart, i, taskStart, ordRunnable|ordPrintFirst)
		p.orderTasks(i, taskStart, c, taskStarted, ordPrintThen)
		p.orderTasks(c, taskStop, i, taskStop, ordPrintFirst)
		p.orderTasks(i, taskStop, c, taskStopped, ordPrintThen)
		if c.ordered && prev != nil {
			p.orderTasks(prev, taskStart, i, taskStart, ordOptional)
			p.orderTasks(i, taskStop, prev, taskStop, ordOptional)
		}
		prev = i
	}
	if c.promotable {
		p.promotionOrders(c)
	}
}

// promotionOrders are the orders of a promotable clone between its marks and its instances' promotions.
func (p *planner) promotionOrders(c *resource) {
	p.orderTasks(c, taskStopped, c, taskPromote, ordOptional)
	p.orderTasks(c, taskDemoted, c, taskStart, ordOptional)
	p.orderTasks(c, taskDemoted, c, taskPromote, ordOptional)
	p.orderTasks(c, taskDemote, c, taskDemoted, ordOptional)
	var prev *resource
	for _, i := range c.children {
		p.orderTasks(c, taskPromote, i, taskPromote, ordOptional)
		p.orderTasks(i, taskPromote, c, taskPromoted, ordOptional)
		p.orderTasks(c, taskDemote, i, taskDemote, ordPrintFirst)
		p.orderTasks(i, taskDemote, c, taskDemoted, ordPrintThen)
		if c.ordered && prev != nil {
			p.orderTasks(prev, taskPromote, i, taskPromote, ordOptional)
			p.orderTasks(i, taskDemote, prev, taskDemote, ordOptional)
		}
		prev = i
	}
}
