package scheduler

// ordFlags says what an edge first -> then means beyond "not at the same time".
type ordFlags uint32

const (
	ordOptional             ordFlags = 1 << iota // if both happen, in this order
	ordImpliesFirst                              // then is required: so is first
	ordImpliesThen                               // first is required: so is then
	ordPromotedImpliesFirst                      // like ordImpliesFirst, when then's resource is promoted
	ordMigratable                                // first stays migratable only while then is
	ordNotMigratable                             // holds only if first's resource is not migrated
	ordRunnable                                  // then needs first to be runnable
	ordPseudo                                    // then stays pseudo only while first is runnable
	ordRestart                                   // stop -> start of one resource: a required start requires the stop
	ordThenOnNode                                // ordImpliesThen, for the instance on first's node only
	ordPrintFirst                                // then is required: first is in the graph
	ordPrintThen                                 // first is required: then is in the graph
	ordAsymmetric                                // an order without its reverse
	ordOneOrMore                                 // counts towards then.needed
	ordProbe                                     // like ordRunnable, unless first's resource is active somewhere
	ordSameNode                                  // void when the two are on different nodes
	ordSerialize                                 // never at once, any order
	ordLoad                                      // frees capacity on a node that then uses
	ordAntiColocation                            // frees a node that then may not share
	ordThenCancelsFirst                          // then is required: first is not
	ordPreserve                                  // keep although it is redundant
	ordStopFence                                 // stop implied by fencing
)

// link is one edge of the graph being made.
type link struct {
	first, then *action
	flags       ordFlags
}

// ordering is an edge before its actions are known: each end is an action, or a task of a resource
// that is looked up when all actions exist.
type ordering struct {
	first, then         *action
	firstRsc, thenRsc   *resource
	firstTask, thenTask string
	flags               ordFlags
	id                  string // constraint, empty for internal ones
}

// order makes an edge between two actions now, unless there is one that shares a meaning with it: of several
// constraints on the same two actions the first holds. It reports whether the edge is new.
func (p *planner) order(first, then *action, flags ordFlags) bool {
	if first == nil || then == nil || flags == 0 || first == then {
		return false
	}
	// Look on the side with fewer edges.
	if len(first.after) <= len(then.before) {
		for _, l := range first.after {
			if l.then == then && l.flags&flags != 0 {
				return false
			}
		}
	} else {
		for _, l := range then.before {
			if l.first == first && l.flags&flags != 0 {
				return false
			}
		}
	}
	p.orderNew(first, then, flags)
	return true
}

// orderNew is order when the caller knows that there is no such edge yet.
func (p *planner) orderNew(first, then *action, flags ordFlags) {
	if len(p.linkSlab) == 0 {
		p.linkSlab = make([]link, 1024)
	}
	l := &p.linkSlab[0]
	p.linkSlab = p.linkSlab[1:]
	*l = link{first: first, then: then, flags: flags}
	first.after = append(first.after, l)
	then.before = append(then.before, l)
}

// mergeEdges leaves one edge between any two actions, which has all of their meanings.
func (p *planner) mergeEdges() {
	into := make([]*link, len(p.actions)+1)
	for _, a := range p.actions {
		for _, l := range a.before {
			if one := into[l.first.seq]; one != nil && one.then == a {
				one.flags, l.flags = one.flags|l.flags, 0
			} else {
				into[l.first.seq] = l
			}
		}
	}
}

// orderTasks orders a task of one resource before a task of another, whichever actions they come to be.
func (p *planner) orderTasks(first *resource, firstTask string, then *resource, thenTask string, flags ordFlags) {
	if flags != 0 {
		p.edges = append(p.edges, &ordering{firstRsc: first, firstTask: firstTask, thenRsc: then, thenTask: thenTask, flags: flags})
	}
}

func (p *planner) orderActionTask(first *action, then *resource, thenTask string, flags ordFlags) {
	p.edges = append(p.edges, &ordering{first: first, firstRsc: first.rsc, thenRsc: then, thenTask: thenTask, flags: flags})
}

func (p *planner) orderTaskAction(first *resource, firstTask string, then *action, flags ordFlags) {
	p.edges = append(p.edges, &ordering{firstRsc: first, firstTask: firstTask, then: then, thenRsc: then.rsc, flags: flags})
}

// applyOrderings turns every ordering into edges between actions that exist.
func (p *planner) applyOrderings() {
	for _, o := range p.edges {
		p.applyOrdering(o)
	}
}

func (p *planner) applyOrdering(o *ordering) {
	if o.first != nil {
		p.applyThen(o, o.first)
		return
	}
	found := false
	for i := 0; i < len(o.firstRsc.actions); i++ {
		if a := o.firstRsc.actions[i]; a.task == o.firstTask && a.interval == 0 {
			found = true
			p.applyThen(o, a)
		}
	}
	if found || o.firstRsc == o.thenRsc {
		return
	}
	state := o.firstRsc.state(true)
	switch {
	case o.firstTask == taskStop && state == roleStopped:
		return
	case o.firstTask == taskDemote && state == roleUnpromoted:
		return
	}
	var a *action
	if o.firstRsc.variant == primitive {
		a = p.op(o.firstRsc, o.firstTask, 0, nil, true)
	} else {
		a = p.newAction(o.firstRsc, opKey(o.firstRsc.id, o.firstTask, 0), o.firstTask, 0, nil, actOptional)
	}
	p.applyThen(o, a)
}

func (p *planner) applyThen(o *ordering, first *action) {
	flags := o.flags
	if first.has(actDangle) && first.rsc != nil && first.rsc == o.thenRsc {
		// The end of a cut-short migration says nothing about the resource's own life.
		flags &^= ordImpliesThen
	}
	if o.then != nil {
		p.order(first, o.then, flags)
		return
	}
	for _, a := range o.thenRsc.actions {
		if a.task == o.thenTask && a.interval == 0 {
			p.order(first, a, flags)
		}
	}
}
