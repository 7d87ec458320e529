package scheduler

// nestedScore keeps the connection of a bundle's replica near its container without forcing it there,
// since the container may be on a remote node, where connections cannot be.
const nestedScore = 10000

// addInternalColocations adds what follows from the structure of resources: members of a group stay with
// the member before, addresses and connections with their container, the contents of a container inside.
func (p *planner) addInternalColocations() {
	for _, r := range p.resources {
		p.internalColocations(r)
	}
}

func (p *planner) internalColocations(r *resource) {
	switch r.variant {
	case group:
		if groupColocated(r) {
			for i := 1; i < len(r.children); i++ {
				m := r.children[i]
				p.addColocation(&colocation{id: "group:internal_colocation", dependent: m, primary: r.children[i-1],
					score: infinity, influence: m.critical})
			}
		}
	case bundle:
		p.bundleColocations(r)
		return
	}
	if len(r.children) > 0 {
		for _, c := range r.children {
			p.internalColocations(c)
		}
		return
	}
	if r.variant == primitive {
		p.containerColocations(r)
	}
}

func (p *planner) bundleColocations(r *resource) {
	for _, rep := range r.replicas {
		for _, part := range []*resource{rep.container, rep.ip, rep.remote} {
			if part != nil {
				p.internalColocations(part)
			}
		}
		if rep.ip != nil {
			p.addColocation(&colocation{id: "ip-with-container", dependent: rep.ip, primary: rep.container,
				score: infinity, influence: true})
		}
	}
	if c := bundleClone(r); c != nil {
		p.internalColocations(c)
	}
}

// containerColocations ties a primitive to its container: what fills a guest node's container goes onto
// the guest node, anything else next to the container. Connections and fence devices stay off remote
// nodes.
func (p *planner) containerColocations(r *resource) {
	if !r.managed {
		return
	}
	if r.container != nil {
		connection := r.remote != nil
		if connection && !r.nestedRemote() {
			p.avoidRemoteNodes(r.container)
		}
		if guest := guestConnection(r.container); !connection && guest != nil {
			for i, n := range p.nodes {
				if r.allowed[i].in && n.conn != guest {
					p.setScore(r, n, banned, "container", "", "lives inside "+r.container.id)
				}
			}
		} else {
			score := infinity
			if r.nestedRemote() {
				score = nestedScore
			}
			p.addColocation(&colocation{id: "resource-with-container", dependent: r, primary: r.container, score: score,
				influence: true})
		}
	}
	if r.remote != nil || r.isFenceDevice {
		p.avoidRemoteNodes(r)
	}
}

// guestConnection is the connection to the guest node inside a container, nil if it is not a guest.
func guestConnection(container *resource) *resource {
	for _, f := range container.fillers {
		if f.remote != nil {
			return f
		}
	}
	return nil
}

func (p *planner) avoidRemoteNodes(r *resource) {
	for i, n := range p.nodes {
		if i < len(r.allowed) && r.allowed[i].in && n.conn != nil {
			p.setScore(r, n, banned, "remote", "", "cannot run on a remote node")
		}
	}
}
