package scheduler

import (
	"sort"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// roll is who is what in a clone, as its instances are told.
type roll struct {
	lists map[string][]member
	nodes []string // all hosts
	avail []string // nodes where an instance may be
	hosts []string // the hosts of nodes, in the same order, where that is asked for
}

type member struct{ rsc, node string }

// tellInstances makes the notify actions of a clone's instances, when everything else is settled.
func (p *planner) tellInstances(c *resource) {
	for _, n := range c.rounds {
		if n.about != nil && n.about.runnable() && !n.about.optional() {
			n.pre.flags &^= actOptional
			n.preDone.flags &^= actOptional
		}
		r := p.callRoll(c)
		if len(r.lists[n.task]) > 0 {
			n.require()
		} else if n.task != taskStop || !n.needed() {
			continue // a stop alone may follow from fencing, without an action of its own
		}
		extra := r.attrs(p)
		c.primitives(func(i *resource) { p.tell(n, i, extra) })
		for _, a := range []*action{n.pre, n.preDone, n.post, n.postDone} {
			if a != nil {
				a.notifyExtra = extra
			}
		}
	}
}

// require makes a round take place: somebody has something to tell.
func (n *notification) require() {
	for _, a := range []*action{n.pre, n.preDone, n.post, n.postDone} {
		if a != nil {
			a.flags &^= actOptional
		}
	}
}

// needed reports whether anything will happen that this round is about.
func (n *notification) needed() bool {
	for _, a := range []*action{n.pre, n.post} {
		if a != nil && !a.optional() {
			return true
		}
	}
	return false
}

func (p *planner) callRoll(c *resource) *roll {
	r := &roll{lists: map[string][]member{}}
	add := func(list, rsc string, n *node) { r.lists[list] = append(r.lists[list], member{rsc, nameOf(n)}) }
	c.primitives(func(i *resource) {
		var at *node
		if len(i.runningOn) > 0 {
			at = i.runningOn[0]
		}
		switch {
		case i.role == rolePromoted:
			add("promoted", i.id, at)
			add("active", i.id, at)
		case i.role == roleUnpromoted:
			add("unpromoted", i.id, at)
			add("active", i.id, at)
		case i.role == roleStarted:
			add("active", i.id, at)
		default:
			add("inactive", i.id, nil)
		}
		for _, a := range i.actions {
			if a.optional() || a.node == nil {
				continue
			}
			switch a.task {
			case taskStart, taskStop, taskPromote, taskDemote:
				if a.runnable() || a.task == taskStop && a.node.unclean {
					add(a.task, i.id, a.node)
				}
			}
		}
	})
	for _, n := range p.nodes {
		if n.kind == pingNode {
			continue
		}
		r.nodes = append(r.nodes, n.name)
		if n.idx < len(c.allowed) && c.allowed[n.idx].in {
			r.avail = append(r.avail, n.name)
		}
	}
	sort.Strings(r.nodes)
	sort.Strings(r.avail)
	if len(c.children) > 0 && strings.EqualFold(c.children[0].meta["container-attribute-target"], "host") {
		for _, name := range r.nodes {
			r.hosts = append(r.hosts, p.nodeByName[name].metal().name)
		}
	}
	return r
}

// attrs are the lists as an agent finds them in its environment.
func (r *roll) attrs(p *planner) []cib.Attr {
	var out []cib.Attr
	add := func(name, value string) {
		if value == "" {
			value = " "
		}
		out = append(out, cib.Attr{Name: "CRM_meta_notify_" + name, Value: value})
	}
	for _, l := range []string{"active", "demote", "inactive", "promote", "promoted", "start", "stop", "unpromoted"} {
		members := r.lists[l]
		sort.SliceStable(members, func(i, j int) bool { return members[i].rsc < members[j].rsc })
		var rs, ns []string
		for _, m := range members {
			rs = append(rs, m.rsc)
			ns = append(ns, m.node)
		}
		add(l+"_resource", strings.Join(rs, " "))
		if l != "inactive" {
			add(l+"_uname", strings.Join(ns, " "))
		}
		if old := map[string]string{"promoted": "master", "unpromoted": "slave"}[l]; old != "" {
			add(old+"_resource", strings.Join(rs, " "))
			add(old+"_uname", strings.Join(ns, " "))
		}
	}
	if len(r.hosts) > 0 {
		add("all_hosts", strings.Join(r.hosts, " "))
	}
	add("all_uname", strings.Join(r.nodes, " "))
	add("available_uname", strings.Join(r.avail, " "))
	return out
}

// tell makes the notify actions of one instance for one round.
func (p *planner) tell(n *notification, i *resource, extra []cib.Attr) {
	for _, a := range i.actions {
		if !a.optional() && a.node != nil {
			switch a.task {
			case taskStart, taskStop, taskPromote, taskDemote:
				a.notifyExtra = extra
			}
		}
	}
	if n.task == taskStop || n.task == taskDemote {
		p.tellOfDown(n, i, extra)
	} else {
		p.tellOfUp(n, i, extra)
	}
}

// tellOfDown tells of stops and demotions those who run now: before it all of them, afterwards those who
// still run.
func (p *planner) tellOfDown(n *notification, i *resource, extra []cib.Attr) {
	if i.role <= roleStopped {
		return
	}
	for _, at := range i.runningOn {
		stop := i.findAction(taskStop, 0, at)
		if stop != nil && stop.has(actPseudo) && (at.unclean || at.remoteReset) {
			continue // stopped by fencing: nobody is left to be told
		}
		p.notifyOp(n, i, at, n.pre, n.preDone, extra)
		if n.task == taskDemote || stop == nil || stop.optional() {
			p.notifyOp(n, i, at, n.post, n.postDone, extra)
			p.monitorsAfter(n, i)
		}
	}
}

// tellOfUp tells of starts and promotions those who will run: before a start only those who run already,
// since the others could not hear of it.
func (p *planner) tellOfUp(n *notification, i *resource, extra []cib.Attr) {
	if i.nextRole <= roleStopped || i.assigned == nil {
		return
	}
	start := i.findAction(taskStart, 0, nil)
	if start != nil && !start.optional() && !start.runnable() {
		return // it will not run after all
	}
	if n.task != taskStart || start == nil || start.optional() {
		p.notifyOp(n, i, i.assigned, n.pre, n.preDone, extra)
	}
	p.notifyOp(n, i, i.assigned, n.post, n.postDone, extra)
	p.monitorsAfter(n, i)
}

func (p *planner) monitorsAfter(n *notification, i *resource) {
	for _, a := range i.actions {
		if a.interval > 0 && a.task != taskCancel {
			p.order(n.postDone, a, ordOptional)
		}
	}
}

// notifyOp tells one instance on one node.
func (p *planner) notifyOp(n *notification, i *resource, at *node, before, after *action, extra []cib.Attr) {
	if before == nil || at == nil || !at.online || !before.runnable() {
		return
	}
	typ, _ := before.get("CRM_meta_notify_type")
	op, _ := before.get("CRM_meta_notify_operation")
	key := i.id + "_" + typ + "_notify_" + op + "_0"
	for _, a := range i.actions {
		if a.task == taskNotify && a.key == key && a.node == at {
			p.order(before, a, ordOptional)
			p.order(a, after, ordOptional)
			return
		}
	}
	flags := actRunnable
	if before.optional() {
		flags |= actOptional
	}
	a := p.newAction(i, key, taskNotify, 0, at, flags)
	a.priority = 0
	if typ == "post" { // what has happened is told in any case
		a.priority = infinity
	}
	a.op = findOp(i, taskNotify, 0)
	p.opMeta(a)
	p.assessRunnable(a)
	for _, m := range before.meta {
		if strings.HasPrefix(m.Name, "CRM_meta_notify_") {
			a.set(m.Name, m.Value)
		}
	}
	a.notify = n
	a.notifyExtra = extra
	p.order(before, a, ordOptional)
	p.order(a, after, ordOptional)
}

// tellAll makes the notify actions of every clone inside r.
func (p *planner) tellAll(r *resource) {
	if r.variant == clone {
		p.tellInstances(r)
	}
	for _, m := range r.children {
		p.tellAll(m)
	}
}
