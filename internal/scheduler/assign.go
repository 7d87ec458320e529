package scheduler

import "sort"

// asgState is what the assign phase keeps with a resource.
type asgState struct {
	order          []*resource // the instances of a clone, the containers of a bundle, in order of assignment
	exclusive      bool        // a location limits discovery to its own nodes: other nodes are banned
	quiet          quietness   // see isQuiet
	walked         int         // last walk of colocated that came by
	merging        bool        // its scores are being added to another's: guards against colocation loops
	promotionAdded bool        // a clone's promotion scores are in its instances' scores
	promotionDone  bool        // a clone's instances have their promotion order
	colocScore     int         // score of the current node with the parent's colocations, see compareInstances
	placeScore     int         // the score that decided for its node; the node's own where that was forced
	why            string      // one sentence about the decision, with an account
	lockHistory    *node       // a shutdown lock's node whose history is to be dropped: the lock is void
}

// assignState is what the assign phase keeps with the planner.
type assignState struct {
	byName         []*node     // every node, in the order in which score lines name them
	scratch        []nodeTable // tables not in use
	refs           *references
	fullOrder      []*node // tableOrder of all nodes
	colocWalk      int     // number of the current walk, see colocated
	manyCapacities bool    // nodes have several utilisation attributes, so that comparing them may go in circles
	nameless       bool    // some nodes have no #uname, so that colocations take them for one
}

// assign decides where every resource goes and in which role: constraints first, then what is known of
// each node for each resource, then one resource after the other.
func (p *planner) assign() {
	p.sortNodeNames()
	capacity := ""
	for _, n := range p.nodes {
		for name := range n.utilization { //house:unordered only whether there are several matters
			p.manyCapacities = p.manyCapacities || capacity != "" && capacity != name
			capacity = name
		}
		if _, named := n.attrs["#uname"]; !named {
			p.nameless = true
		}
	}
	p.unpackConstraints()
	p.applyCriteria()
	p.addInternalColocations()
	p.prepare()
	p.assignResources()
	for _, r := range p.resources {
		p.settle(r)
	}
}

// settle gives every resource a role to be: what has no place is stopped, anything else is started.
func (p *planner) settle(r *resource) {
	for _, c := range r.children {
		p.settle(c)
	}
	if r.nextRole != roleUnknown {
		return
	}
	if futureNode(r) == nil && len(r.children) == 0 {
		setNextRole(r, roleStopped, "assignment")
	} else {
		setNextRole(r, roleStarted, "assignment")
	}
}

// assignResources assigns all resources: by priority, and with a placement strategy other than default
// also by their scores. Remote connections go first, since their nodes host others.
func (p *planner) assignResources() {
	queue := p.assignmentQueue()
	p.showCapacities("Original")
	if p.haveRemote {
		for _, r := range queue {
			if r.remote != nil {
				p.place(r, r.partialTarget)
			}
		}
	}
	for _, r := range queue {
		if r.remote == nil {
			p.place(r, nil)
		}
	}
	p.showCapacities("Remaining")
}

// assignmentQueue is the top level in the order of assignment. Orphans were found after the
// configuration had been sorted, so they stay last.
func (p *planner) assignmentQueue() []*resource {
	queue := append([]*resource(nil), p.resources...)
	known := sort.Search(len(queue), func(i int) bool { return queue[i].orphan })
	sort.SliceStable(queue[:known], func(i, j int) bool { return queue[i].priority > queue[j].priority })
	if p.cfg.placement != "default" && p.cfg.placement != "" {
		p.sortByScores(queue)
	}
	return queue
}

// place assigns a resource of any kind; prefer is taken when it is as good as the best node. It returns
// the node of a primitive or of a group whose members stay together, nil otherwise.
func (p *planner) place(r *resource, prefer *node) *node {
	switch r.variant {
	case group:
		return p.placeGroup(r, prefer)
	case clone:
		p.placeClone(r, prefer)
	case bundle:
		p.placeBundle(r, prefer)
	default:
		return p.placePrimitive(r, prefer)
	}
	return nil
}
