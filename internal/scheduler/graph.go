package scheduler

import (
	"maps"
	"slices"
	"sort"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// graph writes what is required and can be done as a transition graph.
func (p *planner) graph() *transition.Graph {
	g := &transition.Graph{
		ID:                p.opts.TransitionID,
		ClusterDelay:      p.cfg.clusterDelay,
		FencingTimeout:    p.cfg.fencingTimeout,
		FailedStopOffset:  "INFINITY",
		FailedStartOffset: "INFINITY",
		BatchLimit:        p.cfg.batchLimit,
		MigrationLimit:    p.cfg.migrationLimit,
		RecheckBy:         p.recheckBy,
		FeatureSet:        featureSet,
	}
	if !p.cfg.startFailureFatal {
		g.FailedStartOffset = "1"
	}
	p.mergeEdges()
	for _, r := range p.resources {
		p.tellAll(r)
	}
	for _, r := range p.resources {
		p.selectFrom(r)
	}
	for i := len(p.actions) - 1; i >= 0; i-- { // those of no resource, and the bundles' own
		p.selectAction(p.actions[i])
	}
	p.breakLoops()
	g.Actions = make([]*transition.Action, 0, len(p.written))
	acts := make([]transition.Action, len(p.written))
	for i, a := range p.written {
		p.writeAction(&acts[i], a)
		g.Actions = append(g.Actions, &acts[i])
	}
	if a := p.maintenanceChanges(); a != nil {
		g.Actions = append(g.Actions, a)
	}
	if p.opts.Idle {
		g.Idle = p.idle()
	}
	return g
}

// featureSet is the crm_feature_set whose rules the plan follows.
const featureSet = "3.16.1"

func (p *planner) selectAction(a *action) {
	if p.wanted(a) && !a.has(actInGraph) {
		a.flags |= actInGraph
		p.written = append(p.written, a)
	}
}

// wanted reports whether an action belongs in the graph.
func (p *planner) wanted(a *action) bool {
	if !a.runnable() || a.optional() && !a.has(actPrint) {
		return false
	}
	if a.rsc != nil && !a.rsc.managed {
		// Questions may be asked of an unmanaged resource, nothing else.
		if a.task != taskMonitor && a.task != taskCancel && a.interval == 0 {
			return false
		}
	}
	if a.has(actPseudo) || a.rsc == nil || a.task == taskLrmDelete {
		return true
	}
	switch n := a.node; {
	case n == nil:
		return false
	case n.kind == guestNode && !n.remoteReset:
		return true
	case !n.online && n.kind != guestNode && n.kind != remoteNode:
		return false
	default:
		return !n.unclean // who knows what it would make of it
	}
}

// inputs lists the actions that must be complete before a, each once.
func (p *planner) inputs(a *action) []transition.Input {
	var ids []int
	for _, l := range a.before {
		if p.wantedInput(a, l) {
			ids = append(ids, l.first.seq)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	sort.Ints(ids)
	in := make([]transition.Input, 0, len(ids))
	for i, id := range ids {
		if i == 0 || id != ids[i-1] {
			in = append(in, transition.Input{ID: id})
		}
	}
	return in
}

// wantedInput reports whether an edge belongs in the graph.
func (p *planner) wantedInput(a *action, l *link) bool {
	first, kinds := l.first, l.flags
	if kinds == 0 || !first.has(actInGraph) {
		return false
	}
	switch {
	case kinds&ordPreserve == 0 && first.rsc != nil && first.node != nil && first.node.conn != nil &&
		first.node.conn.container != nil && first.node.conn.container == a.rsc:
		return false // what runs on a guest is ordered with the guest by its connection alone
	case kinds&ordNotMigratable != 0 && first.has(actMigratable):
		return false
	case kinds == ordOptional && first.has(actMigratable) && first.task == taskStop:
		return false
	case kinds&ordLoad != 0:
		at := a.node
		if a.rsc != nil && a.task == taskMigrateTo {
			at = a.rsc.assigned
		}
		return !(first.node != nil && at != nil && first.node != at) && !first.optional()
	case kinds&ordAntiColocation != 0:
		return !(first.node != nil && a.node != nil && first.node != a.node) && !first.optional()
	case first.rsc != nil && first.rsc != a.rsc && first.rsc.failed && !first.rsc.managed &&
		first.task == taskStop && a.rsc != nil && a.rsc.variant == clone:
		return false
	}
	return true
}

func (p *planner) writeAction(t *transition.Action, a *action) {
	t.ID = a.seq
	t.Task, t.Key = a.task, a.key
	t.Priority = a.priority
	t.Reason = a.reason
	t.Inputs = p.inputs(a)
	switch {
	case a.has(actPseudo):
		t.Kind = transition.Pseudo
	case a.task == taskFence || a.task == taskShutdown || a.task == taskClearFail || a.task == taskLrmDelete:
		t.Kind = transition.ClusterEvent
	}
	if a.node != nil {
		t.Node, t.NodeID = a.node.name, a.node.id
		if !a.has(actPseudo) && a.rsc != nil {
			p.routeAction(t, a)
		}
	}
	switch a.task {
	case taskStop:
		if a.rsc != nil && a.rsc.isConn && !a.has(actPseudo) && !a.rsc.migrates() {
			t.Downed = []string{a.rsc.id} // without its connection nobody sees to the node
		}
		if a.rsc != nil && a.rsc.lockTime > 0 && p.cfg.shutdownLock && !a.has(actPseudo) {
			t.ShutdownLock = strconv.FormatInt(a.rsc.lockTime, 10) // so that history keeps it
		}
	case taskFence, taskShutdown:
		if a.fenceOp != "on" {
			t.Downed = []string{a.node.id}
		}
	}
	if a.task == taskLrmDelete {
		t.Mode = "cib" // the history is dropped from the CIB, the node is not asked
	}
	t.Attrs = p.attributes(t, a)
	if a.rsc != nil && a.rsc.variant == primitive {
		p.nameResource(t, a)
	}
	if a.has(actPseudo) && a.task != taskFence {
		t.About = t.Node
		t.Node, t.NodeID = "", "" // it happens nowhere; only a pretended fencing has a target
	}
}

// nameResource tells which resource the action is about. An instance that history knows by another name
// goes by that one where its agent is meant, and by its own where the action is.
func (p *planner) nameResource(t *transition.Action, a *action) {
	r := a.rsc
	rsc := transition.Resource{ID: r.id, Class: r.class, Provider: r.provider, Type: r.typ, Orphan: r.orphan}
	if r.name != r.id && r.instanceOf() != nil {
		rsc.ID, rsc.LongID = r.cfg.ID, r.id
		if r.renamed {
			if r.name != rsc.ID {
				rsc.LongID = r.name
			}
			t.LongKey = a.key
			t.Key = p.keyUnder(r.name, a)
		}
	}
	if !a.has(actPseudo) {
		t.Rsc = &rsc // nobody is asked to carry a pseudo action out
	}
}

// migrates reports whether a live migration of the resource is part of the plan.
func (r *resource) migrates() bool {
	return slices.ContainsFunc(r.actions, func(a *action) bool {
		return (a.task == taskMigrateTo || a.task == taskMigrateFrom) && a.has(actInGraph)
	})
}

// keyUnder is an action's key if its resource had that name.
func (p *planner) keyUnder(name string, a *action) string {
	switch {
	case a.notify != nil || a.task == taskNotify:
		return name + a.key[len(a.rsc.id):]
	case a.task == taskCancel:
		return opKey(name, a.cancels, a.interval)
	}
	return opKey(name, a.task, a.interval)
}

// attributes are the action's meta attributes and, for a resource, its parameters on that node.
func (p *planner) attributes(t *transition.Action, a *action) []cib.Attr {
	out := make([]cib.Attr, 0, len(a.meta)+4)
	out = append(out, a.meta...)
	if a.has(actPseudo) && a.rsc == nil {
		return out
	}
	if a.rsc != nil {
		if a.rsc.variant != primitive {
			p.opMeta(a)
			out = append(out[:0], a.meta...)
		}
		out = p.instanceMeta(out, a)
		if !a.has(actPseudo) {
			out = hostMeta(containerMeta(out, a.rsc), a)
		}
	} else if a.task == taskFence && a.node != nil {
		out = nodeMeta(out, a.node)
	}
	if a.node != nil && a.rsc != nil && !a.has(actPseudo) {
		out = append(out, cib.Attr{Name: "CRM_meta_on_node", Value: a.node.name}, cib.Attr{Name: "CRM_meta_on_node_uuid", Value: a.node.id})
	}
	if a.targetRC >= 0 {
		out = append(out, cib.Attr{Name: "CRM_meta_op_target_rc", Value: strconv.Itoa(a.targetRC)})
	}
	if a.rsc != nil && a.rsc.variant == primitive {
		params := p.params(a.rsc, a.node)
		if own := p.ownOpParams(a); len(own) > 0 {
			params = maps.Clone(params)
			maps.Copy(params, own)
		}
		for _, k := range sortedKeys(params) {
			out = append(out, cib.Attr{Name: k, Value: params[k]})
		}
		if ip := externalIP(a); ip != "" {
			out = append(out, cib.Attr{Name: "pcmk_external_ip", Value: ip})
		}
	}
	out = append(out, a.notifyExtra...)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// instanceMeta tells an agent what kind of clone it is an instance of.
func (p *planner) instanceMeta(out []cib.Attr, a *action) []cib.Attr {
	c := a.rsc
	if c.variant != clone {
		c = a.rsc.instanceOf()
	}
	if c == nil {
		return out
	}
	add := func(name, value string) { out = append(out, cib.Attr{Name: "CRM_meta_" + name, Value: value}) }
	if a.rsc.variant == primitive {
		i := a.rsc
		for i.parent != c {
			i = i.parent
		}
		add("clone", strconv.Itoa(i.instance))
	}
	add("clone_max", strconv.Itoa(c.cloneMax))
	add("clone_node_max", strconv.Itoa(c.cloneNodeMax))
	add("globally_unique", strconv.FormatBool(c.unique))
	add("notify", strconv.FormatBool(c.notify))
	if c.promotable {
		add("promoted_max", strconv.Itoa(c.promotedMax))
		add("promoted_node_max", strconv.Itoa(c.promotedNodeMax))
		add("master_max", strconv.Itoa(c.promotedMax))
		add("master_node_max", strconv.Itoa(c.promotedNodeMax))
	}
	return out
}

// routeAction names the node that carries an action out on a remote node.
func (p *planner) routeAction(t *transition.Action, a *action) {
	if n := p.router(a); n != nil {
		t.Router = n.name
	}
}
