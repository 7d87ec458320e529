package scheduler

// placeGroup assigns the members of a group one after the other. What the group must go with holds for
// the first member, what must go with the group for the last. Members after an unmanaged one, which stays
// where it is whatever it should go with, are held to the group's mandatory colocations themselves.
func (p *planner) placeGroup(g *resource, prefer *node) *node {
	if g.parent != nil && !g.parent.assigning && !g.isAssigned {
		p.place(g.parent, prefer)
	}
	if g.isAssigned {
		return futureNode(g)
	}
	if g.assigning {
		return nil
	}
	if len(g.children) == 0 {
		g.isAssigned = true
		return nil
	}
	g.assigning = true
	first, last := g.children[0], g.children[len(g.children)-1]
	g.role = first.role
	for _, c := range g.colos {
		first.colos = insertColocation(first.colos, c, (*colocation).primaryEnd)
	}
	stir(last)
	for _, c := range g.withs {
		last.withs = insertColocation(last.withs, c, (*colocation).dependentEnd)
	}
	inherited := g.colos
	g.colos, g.withs = nil, nil
	p.showScores("pcmk__group_assign", g)
	var at *node
	unmanaged := false
	for _, m := range g.children {
		for _, c := range inherited {
			if unmanaged && c.score >= infinity {
				m.colos = insertColocation(m.colos, c, (*colocation).primaryEnd)
			}
		}
		unmanaged = unmanaged || !m.managed
		if n := p.place(m, prefer); at == nil {
			at = n
		}
	}
	setNextRole(g, first.nextRole, "first group member")
	g.assigning = false
	g.isAssigned = true
	if groupColocated(g) {
		return at
	}
	return nil
}
