package scheduler

// orderProbes makes whoever waits for a resource's stop wait for its probes, too: a probe may find it
// running where it must be stopped.
func (p *planner) orderProbes() {
	for _, o := range p.edges {
		if o.firstTask != taskStop || o.firstRsc == nil || o.thenRsc == o.firstRsc || o.thenTask == taskStop {
			continue
		}
		if o.then != nil && o.then.task == taskStop {
			continue
		}
		kinds := ordOptional
		if o.flags&ordLoad != 0 {
			kinds = ordLoad
		}
		for _, probe := range o.firstRsc.actions {
			if probe.task != taskMonitor || probe.interval != 0 {
				continue
			}
			if o.then != nil {
				if o.then.rsc != nil {
					p.order(probe, o.then, kinds)
				}
				continue
			}
			for _, a := range o.thenRsc.actions {
				if a.task == o.thenTask && a.interval == 0 {
					p.order(probe, a, kinds)
				}
			}
		}
	}
}

// orderRestartsAfterProbes keeps what restarts because of a start from being stopped before the probes
// that the start waits for have answered: they may change everything.
func (p *planner) orderRestartsAfterProbes() {
	var mark uint32
	for _, probe := range p.actions {
		if probe.task != taskMonitor || probe.interval != 0 || probe.rsc == nil || probe.optional() {
			continue
		}
		mark++
		p.restartsAfter(probe, probe, mark)
	}
}

func (p *planner) restartsAfter(probe, a *action, mark uint32) {
	for _, l := range a.after {
		then := l.then
		if l.flags == 0 || then.mark == mark || then.optional() || then.rsc == nil {
			continue
		}
		if a != probe && l.flags&(ordImpliesThen|ordRunnable) == 0 {
			continue
		}
		switch then.task {
		case taskStart, taskStarted, taskPromote, taskPromoted:
		default:
			continue
		}
		then.mark = mark
		if then.task == taskStart && then.rsc.variant == primitive && then.rsc != probe.rsc {
			for _, s := range then.rsc.actions {
				if s.task == taskStop && !s.optional() {
					p.order(probe, s, ordOptional)
				}
			}
		}
		p.restartsAfter(probe, then, mark)
	}
}
