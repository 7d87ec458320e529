package scheduler

// The action phase: from decisions (who goes where, in which role) to a settled graph.

// actState is what the action phase keeps with the planner.
type actState struct {
	actionSlab []action
	linkSlab   []link
	walk       uint32             // number of the present walk over the graph, see action.mark
	marks      map[string]*action // pseudo actions without a resource, by name
	fences     map[string]*action // fencing by key
	written    []*action          // what is in the graph, in order
	unchecked  []uncheckedOp
	prepared   int // seq of the last action that prepare made
}

// resState is what the action phase keeps with a resource.
type resState struct {
	reloading    bool
	changeReason string
	changed      bool // its parameters are not those it was started with
	rounds       []*notification
}

// prepare makes what must be there before resources are assigned: orders that follow from what
// resources are, and what history asks for (changed parameters, vanished monitors).
//
// Orders that people wrote come first: an action that only they mention exists by the time that the
// orders within its resource are looked at.
func (p *planner) prepare() {
	p.rememberedActions()
	p.orderConstraints()
	for _, r := range p.resources {
		p.internalOrders(r)
	}
	p.checkHistories()
	p.prepared = len(p.actions)
}

// act makes all actions and brings them to rest.
func (p *planner) act() {
	p.checkConnections()
	p.probes()
	for _, r := range p.resources {
		p.createActions(r)
	}
	p.forgetLocks()
	p.orderRemotes()
	p.fenceAndShutdown()
	p.migrationOrders()
	p.antiColocationOrders()
	p.applyOrderings()
	p.orderProbes()
	p.stabilize()
}
