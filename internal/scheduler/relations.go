package scheduler

// members are the direct parts of a collective whose actions make up its own: members of a group,
// instances of a clone, containers and what is in them of a bundle.
func (r *resource) members() []*resource {
	if r.variant == bundle {
		return r.instances()
	}
	return r.children
}

// instances are the interchangeable parts of a clone or bundle.
func (r *resource) instances() []*resource {
	if r.variant != bundle {
		return r.children
	}
	list := make([]*resource, 0, len(r.replicas))
	for _, rep := range r.replicas {
		list = append(list, rep.container)
	}
	return list
}

// doers are the instances that carry out a clone's or bundle's task: containers start and stop, what is
// inside of them is promoted and demoted.
func (r *resource) doers(task string) []*resource {
	switch baseTask(task) {
	case taskStart, taskStop:
	default:
		if inner := r.content(); inner != nil && r.variant == bundle {
			return inner.children
		}
	}
	return r.instances()
}

func (r *resource) instanced() bool { return r.variant == clone || r.variant == bundle }

// within reports whether r is other or inside of it.
func (r *resource) within(other *resource) bool {
	for ; r != nil; r = r.parent {
		if r == other {
			return true
		}
	}
	return false
}

// top is the outermost collective of a resource; bundles count.
func (r *resource) top() *resource {
	for r.parent != nil {
		r = r.parent
	}
	return r
}

// outer is the outermost collective of a resource below a bundle.
func (r *resource) outer() *resource {
	for r.parent != nil && r.parent.variant != bundle {
		r = r.parent
	}
	return r
}

// bundled reports whether r is a part of a bundle.
func (r *resource) bundled() bool { return r.top().variant == bundle }

// state is the highest role among a resource's parts, now or as decided.
func (r *resource) state(current bool) role {
	if r.variant == primitive {
		if current {
			return r.role
		}
		return r.nextRole
	}
	best := roleUnknown
	for _, m := range r.members() {
		if s := m.state(current); s > best {
			best = s
		}
	}
	return best
}

// active reports whether any (all: every) part of a resource is running somewhere.
func (r *resource) active(all bool) bool {
	if r.variant == primitive {
		for _, n := range r.runningOn {
			if n.online || r.managed || n.unclean {
				return true
			}
		}
		return false
	}
	for _, m := range r.members() {
		if m.active(all) {
			if !all {
				return true
			}
		} else if all {
			return false
		}
	}
	return all && len(r.members()) > 0
}

// location is the one node where a resource is now, or will be; nil when there is none or several.
func (r *resource) location(current bool) *node {
	if r.variant == primitive {
		if !current {
			return r.assigned
		}
		if len(r.runningOn) > 0 {
			return r.runningOn[0]
		}
		return nil
	}
	var at *node
	for _, m := range r.members() {
		n := m.location(current)
		if n == nil {
			continue
		}
		if at != nil && at != n {
			return nil
		}
		at = n
	}
	return at
}

// primitives calls f for every primitive inside r, in order.
func (r *resource) primitives(f func(*resource)) {
	if r.variant == primitive {
		f(r)
		return
	}
	for _, m := range r.parts() {
		m.primitives(f)
	}
}

// parts are all resources directly inside r; of a bundle the replicas' own ones and then their contents.
func (r *resource) parts() []*resource {
	if r.variant != bundle {
		return r.children
	}
	var list []*resource
	for _, rep := range r.replicas {
		for _, m := range []*resource{rep.ip, rep.container, rep.remote} {
			if m != nil {
				list = append(list, m)
			}
		}
	}
	if inner := r.content(); inner != nil {
		list = append(list, inner)
	}
	return list
}
