package scheduler

// unpack turns the CIB into the working set: options, nodes, resources, and what history says of them.
// The order matters: remote nodes exist only through resources, histories need both, and the place of
// a guest node is known only once the history of its container is.
func (p *planner) unpack() {
	p.byID = map[string]*resource{}
	p.unpackConfig()
	p.unpackNodes()
	p.unpackTickets()
	p.declareRemotes()
	p.unpackResources()
	p.unpackNodeStates()
	p.unpackHistories()
	p.unpackHealth()
	p.forgetOrphanFailures()
}
