package scheduler

// A resource is quiet when neither it nor anything that must go with it prefers one node to another. The
// wishes along a chain of quiet resources change nothing beyond the first of them, so a chain need not be
// walked once for each of its members.
type quietness uint8

const (
	quietUnknown quietness = iota
	quiet
	loud
)

// isQuiet reports whether r and what follows it, link by mandatory link, are all indifferent.
func (p *planner) isQuiet(r *resource) bool {
	if r.quiet != quietUnknown {
		return r.quiet == quiet
	}
	r.quiet = loud // in a loop of colocations
	if r.variant != primitive {
		return false
	}
	for i := range r.allowed {
		if cell := &r.allowed[i]; (!cell.in || cell.score != 0) && p.nodes[i].kind != pingNode {
			return false
		}
	}
	for _, c := range r.withs {
		if c.score < infinity || c.attr != "#uname" || !p.isQuiet(c.dependent) {
			return false
		}
	}
	r.quiet = quiet
	return true
}

// quietFollowers reports whether everything that goes with r is indifferent.
func (p *planner) quietFollowers(r *resource) bool {
	if r.variant != primitive {
		return false
	}
	for _, c := range r.withs {
		if c.score < infinity || c.attr != "#uname" || !p.isQuiet(c.dependent) {
			return false
		}
	}
	return true
}

// stir says that r's scores or followers have changed: whether r is quiet is to be looked at again, and
// so for what r goes with.
func stir(r *resource) {
	if r.quiet != quiet {
		return
	}
	r.quiet = quietUnknown
	for _, c := range r.colos {
		stir(c.primary)
	}
}
