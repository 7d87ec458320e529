package scheduler

// placeBundle assigns the containers of a bundle like the instances of a clone, their addresses and
// connections after them, and the contained resource to its guest node. It may be asked for again: what
// has a place keeps it.
func (p *planner) placeBundle(r *resource, prefer *node) {
	r.assigning = true
	p.showScores("pcmk__bundle_allocate", r)
	var containers []*resource
	perHost := map[*resource]*replica{}
	for _, rep := range r.replicas {
		if rep.container != nil {
			containers = append(containers, rep.container)
			perHost[rep.container] = rep
		}
	}
	r.order = p.sortInstances(r, containers)
	p.distribute(r, r.order, len(r.replicas), r.cloneNodeMax)
	for _, rep := range r.replicas {
		p.placeReplica(rep, prefer)
	}
	if c := bundleClone(r); c != nil {
		p.keepToReplicas(r, c)
		p.place(c, prefer)
	}
	r.assigning = false
	r.isAssigned = true
}

// placeReplica assigns what goes with a replica's container.
func (p *planner) placeReplica(rep *replica, prefer *node) {
	if rep.ip != nil {
		p.place(rep.ip, prefer)
	}
	if rep.remote != nil {
		if host := rep.container.assigned; host != nil && host.conn != nil {
			// Connections of one container to another must start from the same host.
			p.addColocation(&colocation{id: "child-remote-with-container-remote", dependent: rep.remote, primary: host.conn,
				score: infinity, influence: true})
		}
		p.place(rep.remote, prefer)
	}
	if rep.child == nil || rep.node == nil {
		return
	}
	for i := range rep.child.allowed {
		n := p.nodes[i]
		if !rep.child.allowed[i].in {
			continue
		}
		if n != rep.node {
			p.setScore(rep.child, n, banned, "bundle", "", "belongs to "+rep.container.id)
		} else if p.thresholdReached(rep.child, n) == nil {
			p.setScore(rep.child, n, infinity, "bundle", "", "belongs to "+rep.container.id)
		}
	}
	parent := rep.child.parent
	was := parent.assigning
	parent.assigning = true
	p.place(rep.child, rep.node)
	parent.assigning = was
}

// keepToReplicas lets the contained clone onto the bundle's guest nodes only.
func (p *planner) keepToReplicas(r, c *resource) {
	var own nodeSet
	for _, rep := range r.replicas {
		if rep.node != nil {
			own.add(rep.node)
		}
	}
	for i := range c.allowed {
		if !c.allowed[i].in {
			continue
		}
		score := banned
		if own.has(p.nodes[i]) {
			score = 0
		}
		p.setScore(c, p.nodes[i], score, "bundle", "", "inside "+r.id)
	}
}

// pullToBundle applies a colocation with a bundle: an instance of a clone is paired with the replica on
// its node, others go where there is a replica, with its child promoted if that is asked for.
func (p *planner) pullToBundle(r, b *resource, c *colocation) {
	if !b.isAssigned {
		return
	}
	if c.dependent.variant >= clone {
		p.pairReplica(r, b, c)
		return
	}
	at := map[*node]int{}
	for _, rep := range b.replicas {
		if c.score < infinity {
			p.pull(r, rep.container, c)
			continue
		}
		n := rep.container.assigned
		if n == nil || anyBlocked(rep.container) {
			continue
		}
		if c.primaryRole >= rolePromoted && (rep.child == nil || rep.child.nextRole < rolePromoted) {
			continue
		}
		at[n] = 0
	}
	if c.score >= infinity {
		p.keepTo(r, at, c, b)
	}
}

func (p *planner) pairReplica(r, b *resource, c *colocation) {
	nodes := p.rankedNodes(r)
	if n := futureNode(r); n != nil {
		nodes = []*node{n}
	}
	for _, n := range nodes {
		for _, rep := range b.replicas {
			if rep.container.assigned == n && !anyBlocked(rep.container) {
				p.pull(r, rep.container, c)
				return
			}
		}
	}
	if c.score >= infinity {
		p.assignTo(r, nil, true)
	}
}
