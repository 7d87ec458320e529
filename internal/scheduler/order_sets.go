package scheduler

import (
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
)

// orderSet is a resource_set of an order constraint with its references resolved.
type orderSet struct {
	spec    *cib.ResourceSet
	rscs    []*resource
	task    string
	kind    orderKind
	sym     symmetry
	barrier bool // require-all=false: one of the set is enough
	chained bool // towards other sets one end stands for all; as in Pacemaker only if sequential is written out
}

// orderSets makes the orderings of a constraint with sets: one after another, each inside as it says.
func (p *planner) orderSets(o *cib.Order, kind orderKind, sym symmetry) {
	var sets []*orderSet
	for _, s := range o.Sets {
		set := p.resolveSet(o, s, kind, sym)
		if set == nil {
			return
		}
		p.orderInside(o, set)
		sets = append(sets, set)
	}
	for i := 1; i < len(sets); i++ {
		a, b := sets[i-1], sets[i]
		p.orderBetween(o, a, b, kind, sym, false)
		if sym == symmetrical {
			p.orderBetween(o, b, a, kind, inverse, true)
		}
	}
}

func (p *planner) resolveSet(o *cib.Order, s *cib.ResourceSet, kind orderKind, sym symmetry) *orderSet {
	set := &orderSet{spec: s, task: s.Action, kind: kind, sym: sym}
	if set.task == "" {
		set.task = taskStart
	}
	if s.Kind != "" || s.Score != "" {
		set.kind = orderKindOf(s.Kind, s.Score)
	}
	for _, ref := range s.Refs {
		list := p.expandRef(ref)
		if len(list) == 0 {
			p.warn(fmt.Sprintf("rsc_order %s, set %s: there is no resource %q", o.ID, s.ID, ref))
			return nil
		}
		set.rscs = append(set.rscs, list...)
	}
	set.barrier = !s.RequireAll
	set.chained = s.Sequential && s.El.Attr("sequential") != "" && len(set.rscs) > 0
	return set
}

// orderInside orders the members of a sequential set.
func (p *planner) orderInside(o *cib.Order, s *orderSet) {
	if !s.spec.Sequential {
		return
	}
	sym := s.sym
	forward := symmetrical
	if sym == asymmetrical {
		forward = asymmetrical
	}
	flags := orderFlags(s.kind, s.task, forward)
	for i := 1; i < len(s.rscs); i++ {
		before := s.rscs[i-1 : i]
		if s.kind == orderSerialize {
			before = s.rscs[:i] // neighbours alone would let the others run at once
		}
		for _, b := range before {
			p.orderResources(s.spec.ID, b, s.task, s.rscs[i], s.task, flags)
		}
	}
	if sym != symmetrical {
		return
	}
	back := inverseTask(s.task)
	if back == "" {
		return
	}
	flags = orderFlags(s.kind, back, inverse)
	for i := len(s.rscs) - 1; i > 0; i-- {
		p.orderResources(s.spec.ID, s.rscs[i], back, s.rscs[i-1], back, flags)
	}
}

// orderBetween puts all of one set before all of another.
func (p *planner) orderBetween(o *cib.Order, first, then *orderSet, kind orderKind, sym symmetry, back bool) {
	ft, tt := first.task, then.task
	if back {
		ft, tt = inverseTask(ft), inverseTask(tt)
		if ft == "" || tt == "" {
			return
		}
	}
	flags := orderFlags(kind, first.task, sym)
	if first.barrier && !back {
		p.barrierOrder(o, first, then, ft, tt, sym)
		return
	}
	fs, ts := first.rscs, then.rscs
	if first.chained {
		// Inside a sequence the last stands for all of it, backwards the first.
		if back {
			fs = fs[:1]
		} else {
			fs = fs[len(fs)-1:]
		}
	}
	if then.chained {
		if back {
			ts = ts[len(ts)-1:]
		} else {
			ts = ts[:1]
		}
	}
	for _, f := range fs {
		for _, t := range ts {
			p.orderResources(o.ID, f, ft, t, tt, flags)
		}
	}
}

// barrierOrder lets the second set go as soon as one of the first is up.
func (p *planner) barrierOrder(o *cib.Order, first, then *orderSet, ft, tt string, sym symmetry) {
	gate := p.gate("one-or-more:" + first.spec.ID)
	for _, f := range first.rscs {
		p.orderTaskAction(f, ft, gate, ordOneOrMore|ordPrintThen)
	}
	for _, t := range then.rscs {
		p.orderActionTask(gate, t, tt, ordRunnable)
	}
}
