package scheduler

import (
	"sort"

	"github.com/cerco-ha/cerco/internal/cib"
)

// View is the cluster as the scheduler sees it: status with configuration applied. It is a snapshot
// taken before anything is decided, and shares nothing with the plan.
type View struct {
	Nodes     []*NodeView     // by name
	Resources []*ResourceView // top level, in the order they are dealt with, orphans last

	Maintenance bool // the whole cluster is in maintenance
	StopAll     bool // stop-all-resources
	Quorate     bool
	DC          string // name of the designated controller, empty if there is none
	Total       int    // resource instances: configured ones and active orphans
	Disabled    int    // of them, those that are to be stopped by target-role
	Blocked     int    // of them, those that nothing is done about after a failure
	Failures    []FailureView
}

// NodeView is a node in a View.
type NodeView struct {
	ID, Name string
	Kind     string // "member", "remote", "guest" or "ping"

	Online, Pending, Unclean, Unseen           bool
	Standby, StandbyOnFail, Maintenance        bool
	Shutdown, ExpectedUp, DC, DiscoveryEnabled bool
	Health                                     string // "", "yellow" or "red"
	FeatureSet                                 string
	Container                                  string // guests: id of the resource it lives in
	Running                                    int    // resources that are active on it
	FencedReason                               string // why it must be fenced
	Attrs                                      map[string]string
}

// ResourceView is a resource or instance in a View.
type ResourceView struct {
	ID                    string // with the instance number
	Name                  string // what agents and users call it
	Kind                  string // "primitive", "group", "clone" or "bundle"
	Class, Provider, Type string
	ChildID               string // clones: id of what is cloned

	Role    string      // "Stopped", "Started", "Unpromoted" or "Promoted"
	On      []*NodeView // where it is active, in the order found
	Pending string      // "start", "stop", ... in progress; empty if none
	Where   *NodeView   // the first of On, else where something is in progress, else where it is locked to
	Target  string      // target-role as written
	Locked  *NodeView   // node that it is locked to since that was shut down

	Orphaned, Failed, FailureIgnored, Blocked, Managed, Maintenance bool
	Unique, Promotable, Disabled                                    bool
	InPromotable                                                    bool
	Internal                                                        bool // connection to a guest, implied by its container
	CloneMax                                                        int
	MigrationThreshold                                              int

	Children    []*ResourceView
	Replicas    []ReplicaView
	Image       string         // bundles
	Engine      string         // bundles: "docker", "podman" or "rkt"
	Candidates  []*NodeView    // clones: nodes that could host an instance, by name
	ProbeFailed []ProbeFailure // probes that found that it cannot work there
}

// ReplicaView is one replica of a bundle. IP, Remote and Child may be nil.
type ReplicaView struct {
	ID        int
	Address   string
	IP        *ResourceView
	Container *ResourceView
	Remote    *ResourceView
	Child     *ResourceView
}

// ProbeFailure is the exit code of a probe that says that a resource cannot work on a node.
type ProbeFailure struct {
	Node string
	RC   int
}

// FailureView is one failed operation that history remembers.
type FailureView struct {
	Node, Resource, Task string
	IntervalMS           int64
	RC, Status, CallID   int
	ExitReason           string
	LastRCChange         int64
	Key                  string // operation_key
	Queued, Exec         string // how long it waited and took, in milliseconds; empty if not recorded
}

// viewer builds a View.
type viewer struct {
	p     *planner
	nodes []*NodeView // by node idx
}

// view takes the snapshot.
func (p *planner) view() *View {
	w := viewer{p: p}
	v := &View{Maintenance: p.cfg.maintenance, StopAll: p.cfg.stopAll, Quorate: p.cfg.quorate}
	for _, n := range p.nodes {
		w.nodes = append(w.nodes, w.node(n))
	}
	v.Nodes = w.sorted(func(int) bool { return true })
	if p.dc != nil {
		v.DC = p.dc.name
	}
	for _, r := range p.resources {
		v.Resources = append(v.Resources, w.resource(r))
		p.count(r, v)
	}
	for _, f := range p.failedOps {
		v.Failures = append(v.Failures, FailureView{Node: f.node.name, Resource: f.rsc.id, Task: f.op.Operation,
			IntervalMS: f.op.IntervalMS, RC: f.op.RC, Status: f.op.Status, CallID: f.op.CallID,
			ExitReason: f.op.El.Attr("exit-reason"), LastRCChange: f.op.LastRCChange,
			Key: operationKey(f.op.El), Queued: f.op.El.Attr("queue-time"), Exec: f.op.El.Attr("exec-time")})
	}
	return v
}

// operationKey is the key of a history entry; old entries have it as their id alone.
func operationKey(e *cib.Element) string {
	if key, ok := e.Lookup("operation_key"); ok {
		return key
	}
	return e.ID()
}

// count adds r's instances to the totals.
func (p *planner) count(r *resource, v *View) {
	if r.variant == primitive {
		if r.orphan && r.role <= roleStopped {
			return
		}
		v.Total++
		if p.disabled(r) {
			v.Disabled++
		}
		if r.blocked {
			v.Blocked++
		}
		return
	}
	for _, c := range r.children {
		p.count(c, v)
	}
}

// disabled reports whether r's target-role keeps it from what it could be.
func (p *planner) disabled(r *resource) bool {
	want, known := parseRole(r.meta["target-role"])
	return known && (want == roleStopped || want == roleUnpromoted && r.collective().promotable)
}

func (w *viewer) node(n *node) *NodeView {
	kind := [...]string{memberNode: "member", remoteNode: "remote", guestNode: "guest", pingNode: "ping"}[n.kind]
	v := &NodeView{ID: n.id, Name: n.name, Kind: kind,
		Online: n.online, Pending: n.pending, Unclean: n.unclean, Unseen: n.unseen,
		Standby: n.standby, StandbyOnFail: n.standbyOnFail, Maintenance: n.maintenance,
		Shutdown: n.shutdown, ExpectedUp: n.expectedUp, DC: n == w.p.dc, DiscoveryEnabled: n.discovery,
		Health: n.health, FeatureSet: n.attrs["#feature-set"], Running: len(n.running),
		FencedReason: n.fencedReason, Attrs: n.attrs}
	if n.conn != nil && n.conn.container != nil {
		v.Container = n.conn.container.id
	}
	return v
}

// sorted are the nodes that keep says yes to, by name.
func (w *viewer) sorted(keep func(idx int) bool) []*NodeView {
	var list []*NodeView
	for i, n := range w.nodes {
		if keep(i) {
			list = append(list, n)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return compareNumeric(list[i].Name, list[j].Name) < 0 })
	return list
}

func (w *viewer) resource(r *resource) *ResourceView {
	kind := [...]string{primitive: "primitive", group: "group", clone: "clone", bundle: "bundle"}[r.variant]
	v := &ResourceView{ID: r.id, Name: r.id, Kind: kind, Class: r.class, Provider: r.provider, Type: r.typ,
		Role: r.role.String(), Pending: r.pendingTask, Target: r.meta["target-role"],
		Orphaned: r.orphan, Failed: r.failed, FailureIgnored: r.failureIgnored, Blocked: r.blocked,
		Managed: r.managed, Maintenance: r.maintenance, Unique: r.unique, Promotable: r.promotable,
		Disabled: w.p.disabled(r), InPromotable: r.collective().promotable,
		Internal: r.meta["internal"] == "true", CloneMax: r.cloneMax, MigrationThreshold: r.migrationThreshold}
	if r.variant == primitive && !r.unique {
		v.Name = r.cfg.ID
	}
	for _, n := range r.runningOn {
		v.On = append(v.On, w.nodes[n.idx])
	}
	if r.lockNode != nil {
		v.Locked = w.nodes[r.lockNode.idx]
		v.Where = v.Locked
	}
	if r.pendingNode != nil {
		v.Where = w.nodes[r.pendingNode.idx]
	}
	if len(v.On) > 0 {
		v.Where = v.On[0]
	}
	switch r.variant {
	case primitive, group:
		v.ProbeFailed = w.p.failedProbes(r)
	case clone:
		v.ChildID = r.cfg.Children[0].ID
		v.ProbeFailed = w.p.failedProbes(r)
		v.Candidates = w.candidates(r)
		if v.Target == "" {
			v.Target = r.children[0].meta["target-role"]
		}
	case bundle:
		w.bundle(r, v)
		return v
	}
	for _, c := range r.children {
		v.Children = append(v.Children, w.resource(c))
	}
	return v
}

func (w *viewer) bundle(r *resource, v *ResourceView) {
	v.Engine, v.Image = r.spec.Engine, r.spec.Image
	part := func(r *resource) *ResourceView {
		if r == nil {
			return nil
		}
		return w.resource(r)
	}
	for _, rep := range r.replicas {
		v.Replicas = append(v.Replicas, ReplicaView{ID: rep.offset, Address: rep.ipaddr, IP: part(rep.ip),
			Container: part(rep.container), Remote: part(rep.remote), Child: part(rep.child)})
	}
}

// candidates are the nodes that could host an instance of a clone; where none is known to, as in an
// opt-in cluster, those that were asked about it.
func (w *viewer) candidates(r *resource) []*NodeView {
	list := w.sorted(func(i int) bool { return i < len(r.allowed) && r.allowed[i].in })
	if list == nil {
		list = w.sorted(func(i int) bool { return r.knownOn.has(w.p.nodes[i]) })
	}
	return list
}

// failedProbes are the probes that found r, or anything like it in its clone, unable to work somewhere.
func (p *planner) failedProbes(r *resource) []ProbeFailure {
	var list []ProbeFailure
	for _, f := range p.failedOps {
		if f.op.El.Attr("on_node") != f.node.name || !cannotWork(f.op) {
			continue
		}
		if f.rsc == r || r.sharesFailures(f.rsc) {
			list = append(list, ProbeFailure{Node: f.node.name, RC: f.op.RC})
		}
	}
	return list
}

// sharesFailures reports whether other's failures concern r: it is in r, or an instance of the same
// anonymous clone.
func (r *resource) sharesFailures(other *resource) bool {
	for at := other; at != nil; at = at.parent {
		if at == r {
			return true
		}
	}
	return false
}

// CompareNames is the order in which nodes are listed: without case, runs of digits as numbers.
func CompareNames(a, b string) int { return compareNumeric(a, b) }
