package simulate

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Injections are events to put into a state before planning. They happen in the order of the fields.
type Injections struct {
	Quorum          string // value of have-quorum; empty: leave it
	Watchdog        string // value of have-watchdog; empty: leave it
	NodesUp         []string
	NodesDown       []string
	NodesFail       []string
	TicketsGrant    []string
	TicketsRevoke   []string
	TicketsStandby  []string
	TicketsActivate []string
	Ops             []string // operation results, RESOURCE_TASK_INTERVAL@NODE=RC
}

// Empty reports whether there is nothing to inject.
func (i *Injections) Empty() bool {
	return i.Quorum == "" && i.Watchdog == "" &&
		len(i.NodesUp)+len(i.NodesDown)+len(i.NodesFail)+len(i.TicketsGrant)+len(i.TicketsRevoke)+
			len(i.TicketsStandby)+len(i.TicketsActivate)+len(i.Ops) == 0
}

// QuorumAlone reports whether nothing but quorum is injected.
func (i *Injections) QuorumAlone() bool {
	rest := *i
	rest.Quorum = ""
	return i.Quorum != "" && rest.Empty()
}

// ModKind tells what a Modification is.
type ModKind uint8

const (
	ModQuorum ModKind = iota
	ModWatchdog
	ModNodeUp
	ModNodeDown
	ModNodeFail
	ModTicketGrant
	ModTicketRevoke
	ModTicketStandby
	ModTicketActivate
	ModOp
	ModAttr // a node attribute was set, as part of ModOp
)

// Modification is one change that Inject made, in order.
type Modification struct {
	Kind   ModKind
	Name   string // value of quorum and watchdog, node, ticket, operation or attribute
	Value  string // of ModAttr
	NodeID string // of ModAttr
}

// injection is the state of one Inject.
type injection struct {
	in       *cib.CIB
	status   *cib.StatusEdit
	stamp    time.Time
	newNodes []string // nodes to be added to the configuration
	mods     []Modification
	errs     []error
}

// Inject applies events to a copy of the CIB. Events that cannot be applied are left out, each with an
// error that says why; the rest still happens. find tells the class, provider and type of a resource or
// instance by its name; it is needed for operations only.
func Inject(in *cib.CIB, ev *Injections, stamp time.Time, find func(rsc string) (ResourceType, bool)) (*cib.CIB, []Modification, []error) {
	j := &injection{in: in, status: editStatus(in), stamp: stamp}
	if ev.Quorum != "" {
		j.note(ModQuorum, ev.Quorum)
	}
	if ev.Watchdog != "" {
		j.note(ModWatchdog, ev.Watchdog)
	}
	for _, name := range ev.NodesUp {
		j.note(ModNodeUp, name)
		j.member(name, memberAttrs("true", "online", "member", "member", origin), false)
	}
	for _, name := range ev.NodesDown {
		j.note(ModNodeDown, name)
		j.member(name, memberAttrs("false", "offline", "down", "down", origin), true)
	}
	for _, name := range ev.NodesFail {
		j.note(ModNodeFail, name)
		j.member(name, memberAttrs("false", "online", "member", "member", origin), false)
	}
	for _, t := range []struct {
		kind        ModKind
		ids         []string
		attr, value string
	}{
		{ModTicketGrant, ev.TicketsGrant, "granted", "true"},
		{ModTicketRevoke, ev.TicketsRevoke, "granted", "false"},
		{ModTicketStandby, ev.TicketsStandby, "standby", "true"},
		{ModTicketActivate, ev.TicketsActivate, "standby", "false"},
	} {
		for _, id := range t.ids {
			j.note(t.kind, id)
			j.status.SetTicket(id, t.attr, t.value)
		}
	}
	for _, spec := range ev.Ops {
		j.note(ModOp, spec)
		j.operation(spec, find)
	}
	out, err := j.build(ev)
	if err != nil {
		return in, j.mods, append(j.errs, err)
	}
	return out, j.mods, j.errs
}

func (j *injection) note(kind ModKind, name string) {
	j.mods = append(j.mods, Modification{Kind: kind, Name: name})
}

// ResourceType identifies the agent of a resource.
type ResourceType struct{ Class, Provider, Type string }

// member sets the membership of a node; unknown nodes join the configuration.
func (j *injection) member(name string, attrs []cib.Attr, forget bool) {
	n := j.status.Node(name, j.nodeID(name))
	n.Set(attrs...)
	if forget {
		n.Empty()
	}
}

// nodeID is the id of a configured node, or of a new one.
func (j *injection) nodeID(name string) string {
	for _, n := range j.in.Nodes {
		if n.Name == name {
			return n.ID
		}
	}
	if n := j.status.Known(name); n != nil {
		return n.ID()
	}
	j.newNodes = append(j.newNodes, name)
	return name
}

// operation records the result of an operation that no plan asked for.
func (j *injection) operation(spec string, find func(string) (ResourceType, bool)) {
	o, err := ParseOpSpec(spec)
	if err != nil {
		j.errs = append(j.errs, err)
		return
	}
	rt, ok := find(o.Resource)
	if !ok {
		j.errs = append(j.errs, fmt.Errorf("operation %q: no resource or instance is called %q", spec, o.Resource))
		return
	}
	n := j.status.Node(o.Node, j.nodeID(o.Node))
	e := cib.Entry{Resource: o.Resource, Task: o.Task, IntervalMS: o.IntervalMS, Origin: origin, RC: o.RC,
		Reason: "Simulated action result", Changed: j.stamp.Unix()}
	for _, s := range countFailure(n, e) {
		j.mods = append(j.mods, Modification{Kind: ModAttr, Name: s.Attr, Value: s.Value, NodeID: s.NodeID})
	}
	record(n.History(o.Resource, o.Resource, rt.Class, rt.Provider, rt.Type), e)
}

// build makes the CIB: the status, and what the injections change outside of it.
func (j *injection) build(ev *Injections) (*cib.CIB, error) {
	root := root(j.in, j.status)
	epoch := j.in.Version.Epoch
	conf := root.Child("configuration")
	changed := conf
	if ev.Watchdog != "" {
		changed = setProperty(changed, "have-watchdog", ev.Watchdog)
		epoch++
	}
	if len(j.newNodes) > 0 {
		changed = addNodes(changed, j.newNodes)
		epoch += len(j.newNodes)
	}
	if conf != nil && changed != conf {
		root = root.Swap(conf, changed).With("epoch", strconv.Itoa(epoch))
	}
	if ev.Quorum != "" {
		root = root.With("have-quorum", ev.Quorum)
	}
	return cib.DecodeRoot(j.in.File, root)
}

// setProperty sets a cluster property in the first block of the usual name, which is made if it is missing.
func setProperty(conf *cib.Element, name, value string) *cib.Element {
	const id = "cib-bootstrap-options"
	section := conf.Child("crm_config")
	if section == nil {
		section = cib.NewElement("crm_config", nil)
		conf = conf.WithChildren(append([]*cib.Element{section}, conf.Children...))
	}
	children := append([]*cib.Element(nil), section.Children...)
	for i, c := range children {
		if c.Kind == cib.KindElement && c.ID() == id {
			children[i] = cib.WithPair(c, name, value)
			return conf.Swap(section, section.WithChildren(children))
		}
	}
	set := cib.WithPair(cib.NewElement("cluster_property_set", []cib.Attr{{Name: "id", Value: id}}), name, value)
	return conf.Swap(section, section.WithChildren(append(children, set)))
}

func addNodes(conf *cib.Element, names []string) *cib.Element {
	section := conf.Child("nodes")
	if section == nil {
		section = cib.NewElement("nodes", nil)
		conf = conf.WithChildren(append([]*cib.Element{section}, conf.Children...))
	}
	children := append([]*cib.Element(nil), section.Children...)
	for _, name := range names {
		children = append(children, cib.NewElement("node", []cib.Attr{{Name: "id", Value: name}, {Name: "uname", Value: name}}))
	}
	return conf.Swap(section, section.WithChildren(children))
}
