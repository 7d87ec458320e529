package scheduler

import "github.com/cerco-ha/cerco/internal/cib"

// owner is the resource that a history is about, nil if the configuration has none. The histories of
// an anonymous clone do not say which instance they are about: that is chosen here.
func (p *planner) owner(n *node, l *cib.LrmResource) *resource {
	r := p.byID[l.ID]
	if r == nil {
		base := stripInstance(l.ID)
		if base == l.ID {
			return nil
		}
		// An instance number of former days, or beyond what is configured now.
		if r = p.byID[base+":0"]; r == nil || r.anonymousClone() == nil {
			return nil
		}
	}
	if r.variant != primitive {
		return nil
	}
	c := r.anonymousClone()
	if c == nil {
		if r.id != l.ID {
			return nil // a bare name, of a clone whose instances have names of their own
		}
		return r
	}
	if c.parent != nil && c.parent.variant == bundle {
		r = c.parent.instanceOnGuest(n)
	} else {
		r = p.anonymousInstance(c, r.cfg.ID, n)
	}
	if r != nil && r.id != l.ID {
		r.name, r.renamed = l.ID, true
	}
	return r
}

// anonymousClone is the anonymous clone that r is part of, nil if there is none.
func (r *resource) anonymousClone() *resource {
	for at := r.parent; at != nil; at = at.parent {
		if at.variant == clone {
			if at.unique {
				return nil
			}
			return at
		}
	}
	return nil
}

// instanceOnGuest is the instance of a bundle that belongs on a guest node.
func (r *resource) instanceOnGuest(n *node) *resource {
	for _, rep := range r.replicas {
		if rep.node == n {
			return rep.child
		}
	}
	return nil
}

// part is the instance's primitive that was configured under an id: the instance itself, or a member
// when it is a group.
func (r *resource) part(id string) *resource {
	if r.cfg.ID == id {
		return r
	}
	for _, c := range r.children {
		if c.cfg.ID == id {
			return c
		}
	}
	return nil
}

// location is where an instance, or any member of it, is active.
func (r *resource) activeOn() *node {
	if len(r.children) == 0 {
		if len(r.runningOn) > 0 {
			return r.runningOn[0]
		}
		return nil
	}
	for _, c := range r.children {
		if n := c.activeOn(); n != nil {
			return n
		}
	}
	return nil
}

// anonymousInstance is the instance of clone c whose primitive id n's history is about: the one that is
// active there already (another member of a cloned group was seen), else the first that is active
// nowhere, else a new orphan.
func (p *planner) anonymousInstance(c *resource, id string, n *node) *resource {
	var found, idle *resource
	twice := false
	for _, inst := range c.children {
		at := inst.activeOn()
		if at == n {
			if found = inst.part(id); found != nil && len(found.runningOn) > 0 {
				// The node remembers a second instance, of the days when they had names: an orphan.
				found, twice = nil, true
			}
			if found != nil {
				break
			}
		} else if at == nil && !twice && idle == nil && !inst.blocked {
			idle = inst.part(id)
			if idle != nil && idle.pendingNode != nil && idle.pendingNode != n {
				idle = nil
			}
		}
	}
	if found == nil && !twice {
		found = idle
	}
	if found != nil && !found.needsFencing && (!n.online || n.unclean) && n.kind != guestNode && !p.universal(c) {
		// Nothing waits for the fencing: the number is better used for an instance elsewhere.
		found = nil
	}
	if found == nil {
		found = p.addInstance(c).part(id)
	}
	return found
}

// universal reports whether a clone has an instance for every node.
func (p *planner) universal(c *resource) bool { return c.cloneMax >= len(p.nodes) }

// orphan makes a resource for a history that the configuration knows nothing of.
func (p *planner) orphan(l *cib.LrmResource) *resource {
	cfg := &cib.Resource{Kind: cib.Primitive, ID: l.ID, Class: l.Class, Provider: l.Provider, Type: l.Type}
	known := p.byID[l.ID]
	r := p.build(cfg, nil, -1)
	if known != nil {
		p.byID[l.ID] = known // a primitive of former days had the name of what is a group or clone now
	}
	r.orphan = true
	p.resources = append(p.resources, r)
	if r.isConn {
		if p.nodeByName[r.id] == nil {
			p.addNode(r.id, r.id, remoteNode)
		}
		p.linkRemote(r)
		r.remote.shutdown = true
		p.fillAllowed(r)
	}
	r.fillerOfNone = l.Container != ""
	r.isFenceDevice = r.class == "stonith"
	p.haveFencing = p.haveFencing || r.isFenceDevice
	if !p.cfg.stopOrphans {
		r.managed = false
		return r
	}
	for i := range r.allowed {
		r.allowed[i].in = true
		p.addScore(r, p.nodes[i], -infinity, "orphan", "", "it is not configured any more")
	}
	return r
}

// linkOrphanFillers puts orphans into the containers that their histories name, as far as those exist.
func (p *planner) linkOrphanFillers(s *cib.NodeState) {
	for _, l := range s.Lrm {
		if l.Container == "" {
			continue
		}
		box, r := p.byID[l.Container], p.byID[l.ID]
		if box == nil || r == nil || !r.orphan || r.container != nil {
			continue
		}
		r.container = box
		box.fillers = append(box.fillers, r)
		if r.remote != nil {
			r.remote.kind = guestNode
		}
	}
}
