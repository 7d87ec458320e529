package scheduler

import (
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Order constraints: rsc_order, alone or with resource sets, become orderings.

type orderKind uint8

const (
	orderMandatory orderKind = iota
	orderOptional
	orderSerialize
)

// symmetry is which of the two orders of a pair is meant.
type symmetry uint8

const (
	asymmetrical symmetry = iota
	symmetrical
	inverse
)

func (p *planner) orderConstraints() {
	for _, o := range p.in.Orders {
		if !p.lifetimeRuns(o.Lifetime) {
			continue
		}
		kind := orderKindOf(o.Kind, o.Score)
		sym := symmetrical
		if kind == orderSerialize {
			sym = asymmetrical
		}
		if v, ok := cib.ParseBool(o.Symmetrical); ok {
			if v && kind == orderSerialize {
				p.warn(fmt.Sprintf("rsc_order %s: symmetrical has no meaning for kind Serialize", o.ID))
			} else if !v {
				sym = asymmetrical
			}
		}
		if len(o.Sets) > 0 {
			p.orderSets(o, kind, sym)
			continue
		}
		p.expandOrder(o, kind, sym)
	}
}

func orderKindOf(kind, score string) orderKind {
	switch kind {
	case "":
		if s, ok := cib.ParseScore(score); score != "" && (!ok || s == 0) {
			return orderOptional
		}
		return orderMandatory
	case "Mandatory":
		return orderMandatory
	case "Optional":
		return orderOptional
	case "Serialize":
		return orderSerialize
	}
	return orderMandatory
}

// expandOrder handles tags and templates on either end: each is a set whose order among itself is free.
func (p *planner) expandOrder(o *cib.Order, kind orderKind, sym symmetry) {
	firsts, thens := p.expandRef(o.First), p.expandRef(o.Then)
	if len(firsts) == 0 {
		p.warn(fmt.Sprintf("rsc_order %s: there is no resource %q", o.ID, o.First))
		return
	}
	if len(thens) == 0 {
		p.warn(fmt.Sprintf("rsc_order %s: there is no resource %q", o.ID, o.Then))
		return
	}
	for _, f := range firsts {
		for _, t := range thens {
			p.simpleOrder(o, f, t, kind, sym)
		}
	}
}

func (p *planner) simpleOrder(o *cib.Order, first, then *resource, kind orderKind, sym symmetry) {
	firstTask := o.FirstAction
	if firstTask == "" {
		firstTask = taskStart
	}
	thenTask := o.ThenAction
	if thenTask == "" {
		thenTask = firstTask
	}
	if o.FirstInstance != "" {
		first = p.instanceByNumber(first, o.FirstInstance)
	}
	if o.ThenInstance != "" {
		then = p.instanceByNumber(then, o.ThenInstance)
	}
	if first == nil || then == nil {
		return
	}
	forward := symmetrical
	if sym == asymmetrical {
		forward = asymmetrical
	}
	flags := orderFlags(kind, firstTask, forward)
	if kind == orderOptional && then.restartOnly {
		flags |= ordImpliesThen
	}
	min := first.minInstances(o.RequireAll)
	if min > 0 {
		p.cloneMinOrder(o.ID, first, firstTask, then, thenTask, flags, min)
	} else {
		p.orderResources(o.ID, first, firstTask, then, thenTask, flags)
	}
	if sym != symmetrical {
		return
	}
	backFirst, backThen := inverseTask(thenTask), inverseTask(firstTask)
	if backFirst == "" || backThen == "" {
		p.warn(fmt.Sprintf("rsc_order %s: %s has no opposite, so the order holds one way only", o.ID, firstTask))
		return
	}
	back := orderFlags(kind, backFirst, inverse)
	if min > 0 {
		back = ordOptional // one instance less need not concern those that are content with fewer
	}
	p.orderResources(o.ID, then, backFirst, first, backThen, back)
}

// minInstances is how many instances of a clone must be up for those that come after it; 0: the usual rule.
func (r *resource) minInstances(requireAll string) int {
	if r.variant != clone {
		return 0
	}
	if r.cloneMin > 0 {
		return r.cloneMin
	}
	if v, ok := cib.ParseBool(requireAll); ok && !v {
		return 1
	}
	return 0
}

// orderFlags gives an order its meaning.
func orderFlags(kind orderKind, firstTask string, sym symmetry) ordFlags {
	switch kind {
	case orderOptional:
		return ordOptional
	case orderSerialize:
		return ordOptional | ordSerialize
	}
	switch sym {
	case asymmetrical:
		return ordOptional | ordAsymmetric
	case inverse:
		return ordOptional | ordImpliesFirst
	}
	flags := ordOptional | ordImpliesThen
	if firstTask == taskStart || firstTask == taskPromote {
		flags |= ordRunnable
	}
	return flags
}

func inverseTask(task string) string {
	switch task {
	case taskStart:
		return taskStop
	case taskStop:
		return taskStart
	case taskPromote:
		return taskDemote
	case taskDemote:
		return taskPromote
	case taskStarted:
		return taskStopped
	case taskStopped:
		return taskStarted
	}
	return ""
}

// orderResources makes an ordering and what it means for live migrations.
func (p *planner) orderResources(id string, first *resource, firstTask string, then *resource, thenTask string, flags ordFlags) {
	p.edges = append(p.edges, &ordering{id: id, firstRsc: first, firstTask: firstTask, thenRsc: then, thenTask: thenTask, flags: flags})
}

// cloneMinOrder makes then wait for a number of instances of a clone instead of for all.
func (p *planner) cloneMinOrder(id string, first *resource, firstTask string, then *resource, thenTask string, flags ordFlags, min int) {
	name := "clone-one-or-more:" + id
	gate := p.gate(name)
	gate.needed = min
	for _, i := range first.children {
		p.orderTaskAction(i, firstTask, gate, ordOneOrMore|ordPrintThen)
	}
	p.orderActionTask(gate, then, thenTask, flags|ordRunnable)
}

// gate returns the pseudo action of that name.
func (p *planner) gate(name string) *action {
	if a := p.marks[name]; a != nil {
		return a
	}
	a := p.newAction(nil, name, name, 0, nil, actPseudo|actOptional|actRunnable)
	if p.marks == nil {
		p.marks = map[string]*action{}
	}
	p.marks[name] = a
	a.flags |= actRequiresAny
	return a
}

func (p *planner) instanceByNumber(r *resource, number string) *resource {
	for _, i := range r.children {
		if fmt.Sprint(i.instance) == number {
			return i
		}
	}
	p.warn(fmt.Sprintf("%s has no instance %s", r.id, number))
	return nil
}

// expandRef returns the resources that a reference stands for.
func (p *planner) expandRef(id string) []*resource {
	ids, _ := p.expand(id)
	var list []*resource
	for _, id := range ids {
		if r := p.constraintTarget(id); r != nil {
			list = append(list, r)
		}
	}
	return list
}
