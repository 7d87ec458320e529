package scheduler

// What waits for probes beyond the start of the probed resource: a probe may find something running
// that nobody expected, and then much of the plan is void.

// orderProbes makes whoever waits for a resource's stop wait for its probes, too, and keeps what would
// restart because of a start from being stopped before the probes that the start waits for.
func (p *planner) orderProbes() {
	p.walk++
	for i, probe := range p.actions {
		if isProbeAction(probe) && probe.rsc != nil {
			p.walk++
			for _, l := range p.actions[i].after {
				p.restartsAfter(probe, l.then)
			}
		}
	}
	for _, o := range p.edges {
		p.probesBeforeStops(o)
	}
}

func isProbeAction(a *action) bool { return a.task == taskMonitor && a.interval == 0 && a.node != nil }

// probesBeforeStops handles one ordering whose first end is a stop.
func (p *planner) probesBeforeStops(o *ordering) {
	if o.firstRsc == nil || o.thenRsc == nil || o.firstRsc == o.thenRsc {
		return
	}
	if o.first != nil && o.first.task != taskStop || o.first == nil && o.firstTask != taskStop {
		return
	}
	if o.firstRsc.container == o.thenRsc && (o.thenTask == taskStop || o.then != nil && o.then.task == taskStop) {
		return // what is inside is probed after the container has started again
	}
	flags := ordOptional | o.flags&(ordLoad|ordAntiColocation)
	for _, probe := range o.firstRsc.actions {
		if !isProbeAction(probe) {
			continue
		}
		if o.then != nil {
			p.order(probe, o.then, flags)
			continue
		}
		for _, a := range o.thenRsc.actions {
			if a.task == o.thenTask && a.interval == 0 {
				p.order(probe, a, flags)
			}
		}
	}
}

// restartsAfter follows the starts and promotions that a probe leads to by force, and puts the probe
// before the stops and demotions that they would bring about.
func (p *planner) restartsAfter(probe, a *action) {
	if a.mark == p.walk {
		return
	}
	a.mark = p.walk
	if a.rsc != nil && a.rsc.variant == primitive && a.rsc != probe.rsc {
		p.probeBeforeEnd(probe, a)
	}
	for i := 0; i < len(a.after); i++ {
		l := a.after[i]
		if l.flags&ordImpliesThen == 0 && !entersMember(probe, a, l.then) {
			continue
		}
		p.restartsAfter(probe, l.then)
	}
}

// probeBeforeEnd puts a probe before what ends the role that a begins.
func (p *planner) probeBeforeEnd(probe, a *action) {
	var end string
	switch a.task {
	case taskStart:
		end = taskStop
	case taskPromote:
		end = taskDemote
	default:
		return
	}
	for _, s := range a.rsc.actions {
		if s.task == end && !s.has(actPseudo) {
			p.order(probe, s, ordOptional)
		}
	}
}

// entersMember reports whether an edge leads from a collective to one of its members that the probe can
// bear on: any member of a group or clone. Of an interleaved clone an instance's probe bears on the one on
// its node only.
func entersMember(probe, a, then *action) bool {
	r := a.rsc
	if r == nil || r.variant == primitive || probe.rsc.parent == r || then.rsc == nil || then.rsc.parent != r ||
		then.rsc.variant != primitive && then.rsc.variant != group {
		return false
	}
	if r.variant == group || !r.interleave || probe.rsc.instanceOf() == nil {
		return true
	}
	return then.node != nil && then.node == probe.node
}
