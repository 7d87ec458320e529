package scheduler

import "slices"

// futureNode is the node where r will be: the one node of everything inside it, nil if there are none or
// several.
func futureNode(r *resource) *node {
	var one *node
	several := false
	eachFutureNode(r, func(n *node) {
		if one != nil && one != n {
			several = true
		}
		one = n
	})
	if several {
		return nil
	}
	return one
}

// eachFutureNode calls f with the node of each assigned primitive in r; nodes may repeat.
func eachFutureNode(r *resource, f func(*node)) {
	if r.variant == bundle {
		for _, rep := range r.replicas {
			for _, part := range rep.parts() {
				eachFutureNode(part, f)
			}
		}
		return
	}
	if len(r.children) > 0 {
		for _, c := range r.children {
			eachFutureNode(c, f)
		}
		return
	}
	if r.assigned != nil {
		f(r.assigned)
	}
}

// parts are the resources of a bundle's replica: container, address, connection, child.
func (rep *replica) parts() []*resource {
	var out []*resource
	for _, r := range []*resource{rep.container, rep.ip, rep.remote, rep.child} {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

// setNextRole decides r's role to be, with the reason for people. It leaves what is inside r alone.
func setNextRole(r *resource, to role, why string) {
	if r.nextRole != to || r.nextReason == "" {
		r.nextReason = why
	}
	r.nextRole = to
}

// currentNode is the node that r is taken to be active on: the source of a live migration that was cut
// short, else the first. Where r needs no fencing to be recovered, nodes that are online and clean go first.
func currentNode(r *resource) *node {
	var found *node
	for _, n := range r.runningOn {
		switch {
		case r.partialSource != nil:
			if n == r.partialSource {
				return n
			}
		case !r.needsFencing:
			if n.online && !n.unclean {
				return n
			}
		}
		if found == nil {
			found = n
		}
	}
	return found
}

// anyPart reports whether something holds of r or anything inside it.
func anyPart(r *resource, holds func(*resource) bool) bool {
	return holds(r) || slices.ContainsFunc(r.children, func(c *resource) bool { return anyPart(c, holds) })
}

func anyFailed(r *resource) bool { return anyPart(r, func(part *resource) bool { return part.failed }) }

func anyBlocked(r *resource) bool {
	return anyPart(r, func(part *resource) bool { return part.blocked })
}
