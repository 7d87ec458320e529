package scheduler

// The transition summary: what will become of every node and resource, for people.

func (r role) String() string {
	switch r {
	case roleStopped:
		return "Stopped"
	case roleStarted:
		return "Started"
	case roleUnpromoted:
		return "Unpromoted"
	case rolePromoted:
		return "Promoted"
	}
	return "Unknown"
}

func (p *planner) summary() []Change {
	var s []Change
	for i := len(p.actions) - 1; i >= 0; i-- { // what was decided last is told first
		a := p.actions[i]
		if a.rsc != nil || !a.has(actInGraph) {
			continue
		}
		switch {
		case a.task == taskShutdown:
			s = append(s, Change{Verb: "Shutdown", Node: a.node.name})
		case a.task == taskFence:
			c := Change{Verb: "Fence", Node: a.node.name, Detail: a.fenceOp, Reason: a.reason}
			if a.node.kind == guestNode && a.node.conn.container != nil {
				c.Container = a.node.conn.container.id
			}
			s = append(s, c)
		}
	}
	for _, r := range p.resources {
		s = p.summarize(s, r)
	}
	return s
}

func (p *planner) summarize(s []Change, r *resource) []Change {
	switch r.variant {
	case primitive:
		return p.summarizePrimitive(s, r)
	case bundle:
		for _, rep := range r.replicas {
			for _, m := range []*resource{rep.ip, rep.container, rep.remote, rep.child} {
				if m != nil {
					s = p.summarize(s, m)
				}
			}
		}
		return s
	}
	for _, m := range r.children {
		s = p.summarize(s, m)
	}
	return s
}

func nameOf(n *node) string {
	if n == nil {
		return ""
	}
	return n.name
}

// row is one summary row in the making, with the actions that bear on it.
type row struct {
	r             *resource
	current, next *node
	start, stop   *action
	promote       *action
	demote        *action
	list          []Change
	change        Change
}

func (p *planner) summarizePrimitive(s []Change, r *resource) []Change {
	w := row{r: r, next: r.assigned, list: s}
	if len(r.runningOn) > 0 && r.role != roleStopped {
		w.current = currentNode(r)
		if r.partialSource != nil {
			w.current = r.partialSource
		}
	}
	if !r.managed || w.current == nil && w.next == nil {
		return s
	}
	w.change = Change{Resource: r.id, From: nameOf(w.current), To: nameOf(w.next), FromRole: r.role.String(), ToRole: r.nextRole.String()}
	w.change.ShowRoles = r.role > roleStarted || r.nextRole > roleStarted
	if w.next != nil {
		w.start = r.findAction(taskStart, 0, w.next)
	}
	if w.start == nil || w.current != nil {
		w.stop = r.findAction(taskStop, 0, w.current)
	}
	if r.stopUnexpected {
		w.stop = r.findAction(taskStop, 0, nil) // it is the others that stop
	}
	w.promote, w.demote = r.findAction(taskPromote, 0, w.next), r.findAction(taskDemote, 0, nil)
	if r.role == r.nextRole {
		w.sameRole()
	} else {
		w.otherRole()
	}
	return w.list
}

// add finishes the row: a is what is to be done, why the action that knows the reason.
func (w *row) add(verb string, a, why *action) {
	c := w.change
	c.Verb = verb
	if why != nil {
		c.Reason = why.reason
	}
	c.Blocked = a != nil && !a.runnable()
	w.list = append(w.list, c)
}

func (w *row) moving() bool { return w.current != nil && w.next != nil && w.current != w.next }

// sameRole is the row of a resource that will be in the role that it has.
func (w *row) sameRole() {
	r, start, stop := w.r, w.start, w.stop
	migrate := r.findAction(taskMigrateFrom, 0, w.next)
	switch {
	case w.next == nil:
	case migrate != nil && migrate.runnable() && !migrate.optional() && start != nil && start.has(actPseudo):
		w.add("Migrate", migrate, migrate)
	case r.reloading && (start == nil || start.optional()):
		w.add("Reload", nil, r.findAction(taskReload, 0, w.next))
	case start == nil || start.optional():
		if w.demote != nil && !w.demote.optional() && w.promote != nil && !w.promote.optional() {
			w.add("Re-promote", w.promote, w.demote)
		}
	case !start.runnable():
		w.change.To, w.change.ToRole = "", "Stopped"
		why := start
		if stop != nil && stop.reason != "" {
			why = stop
		}
		w.add("Stop", stop, why)
	case w.moving():
		w.add(ifElse(r.failed, "Recover", "Move"), stop, stop)
	case r.failed:
		w.add("Recover", stop, stop)
	default:
		w.add("Restart", start, start)
	}
}

// otherRole is the row of a resource whose role will change.
func (w *row) otherRole() {
	r, start, stop := w.r, w.start, w.stop
	switch {
	case stop != nil && (r.nextRole == roleStopped || start != nil && !start.runnable() && !start.optional()):
		for _, n := range r.runningOn {
			st := r.findAction(taskStop, 0, n)
			why := st
			if st != nil && st.reason == "" && start != nil && !start.runnable() {
				why = start
			}
			w.change.From, w.change.To, w.change.ToRole = n.name, "", "Stopped"
			w.add("Stop", st, why)
		}
	case stop != nil && !stop.optional() && r.failed:
		w.add("Recover", stop, reasonOf(stop, start))
	case w.moving():
		w.add("Move", stop, stop)
	case r.reloading && (stop == nil || stop.optional()):
		w.add("Reload", nil, start)
	case stop != nil && !stop.optional():
		w.add("Restart", start, start)
	case r.role == rolePromoted:
		w.add("Demote", w.demote, w.demote)
	case r.nextRole == rolePromoted:
		w.change.ShowRoles = true
		w.add("Promote", w.promote, w.promote)
		if start != nil && !start.runnable() {
			w.list[len(w.list)-1].Blocked = true
		}
	case r.role == roleStopped && r.nextRole > roleStopped:
		w.add("Start", start, start)
	}
}

func ifElse(c bool, a, b string) string {
	if c {
		return a
	}
	return b
}

// reasonOf picks the action that says why.
func reasonOf(list ...*action) *action {
	for _, a := range list {
		if a != nil && a.reason != "" {
			return a
		}
	}
	return nil
}
