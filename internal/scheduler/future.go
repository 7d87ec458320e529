package scheduler

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

// roleNow and roleNext are the highest role of anything inside r.
func roleNow(r *resource) role {
	if len(r.children) == 0 {
		return r.role
	}
	highest := roleUnknown
	for _, c := range r.children {
		highest = max(highest, roleNow(c))
	}
	return highest
}

func roleNext(r *resource) role {
	if len(r.children) == 0 {
		return r.nextRole
	}
	highest := roleUnknown
	for _, c := range r.children {
		highest = max(highest, roleNext(c))
	}
	return highest
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

// anyFailed reports whether anything inside r failed.
func anyFailed(r *resource) bool {
	if r.failed {
		return true
	}
	for _, c := range r.children {
		if anyFailed(c) {
			return true
		}
	}
	return false
}

// anyBlocked reports whether anything inside r is blocked.
func anyBlocked(r *resource) bool {
	if r.blocked {
		return true
	}
	for _, c := range r.children {
		if anyBlocked(c) {
			return true
		}
	}
	return false
}
