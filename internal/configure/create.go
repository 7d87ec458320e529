package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Create is a resource or a fence device that is to be made.
type Create struct {
	ID    string
	Agent string // class:provider:type, class:type or a type; a fence device's is the type alone
	Options
	NoDefaultOps bool
	Disabled     bool

	Clone                *CloneOptions // made a clone at once
	Group, Before, After string        // put into a group, before or after another member
	Bundle               string        // put into a bundle
}

// Options are what a resource is made of.
type Options struct {
	Params, Meta []Pair
	Ops          []Op
	Validator    Validator // nil: the agent is not asked what it thinks of the parameters
}

// Op is an operation as somebody typed it: its name, and its options in order.
type Op struct {
	Name  string
	Pairs []Pair
}

// CloneOptions are what a clone is made with.
type CloneOptions struct {
	ID         string // empty: the resource's with -clone behind it
	Meta       []Pair
	Promotable bool
}

// CreateResource makes a resource.
func CreateResource(d *Draft, agents Agents, spec *Create) error {
	d.NewID(spec.ID, "resource name")
	if err := d.Refused(); err != nil {
		return err
	}
	name, ok := ResolveAgent(d, agents, spec.Agent)
	if !ok {
		return d.Refused()
	}
	if name.Class == "stonith" {
		d.Deprecate("Ability of this command to accept fence agent is deprecated and will be removed in a future release. Use 'pcs stonith create' command instead.")
	}
	return d.create(agents, spec, name)
}

// CreateStonith makes a fence device.
func CreateStonith(d *Draft, agents Agents, spec *Create) error {
	d.NewID(spec.ID, "stonith name")
	if err := d.Refused(); err != nil {
		return err
	}
	name, ok := d.fenceAgent(spec.Agent)
	if !ok {
		return d.Refused()
	}
	if spec.Group != "" {
		d.Deprecate("Option to group stonith resource is deprecated and will be removed in a future release.")
	}
	return d.create(agents, spec, name)
}

func (d *Draft) create(agents Agents, spec *Create, name AgentName) error {
	agent := d.metadata(agents, name)
	if name.Class == "stonith" {
		spec.Params = d.oldAction(spec.Params)
	}
	d.checkNewPlace(spec)
	d.checkNewClone(spec.Clone, name, agent)
	d.checkRemote(name, spec.Params, spec.Meta, spec.ID)
	ops := d.operations(spec, name, agent)
	d.checkParams(name, agent, spec.Params, nil, "")
	d.validate(spec.Validator, name, spec.ID, Sorted(spec.Params), nil)
	if err := d.Refused(); err != nil {
		return err
	}
	meta := spec.Meta
	if provides(agent, name) {
		meta = append(slices.Clip(meta), Pair{"provides", "unfencing"})
	}
	d.place(spec, d.primitive(spec, name, Sorted(meta), ops))
	if spec.Disabled && spec.Clone == nil {
		d.setMetaFirst(spec.ID, Pair{"target-role", "Stopped"})
	}
	return d.Refused()
}

// stopped are meta attributes with the target role Stopped, in the place of another one or at the end.
func stopped(meta []Pair) []Pair {
	meta = slices.Clone(meta)
	for i, p := range meta {
		if p.Name == "target-role" {
			meta[i].Value = "Stopped"
			return meta
		}
	}
	return append(meta, Pair{"target-role", "Stopped"})
}

// provides reports whether a fence agent gives unfenced nodes their rights back: then it is known by its metadata.
func provides(agent *Agent, name AgentName) bool {
	if agent == nil || name.Class != "stonith" {
		return false
	}
	return slices.ContainsFunc(agent.Actions, func(a []cib.Attr) bool {
		return attr(a, "name") == "on" && isTrue(attr(a, "on_target")) && isTrue(attr(a, "automatic"))
	})
}

func isTrue(s string) bool {
	value, ok := cib.ParseBool(s)
	return ok && value
}

func attr(list []cib.Attr, name string) string {
	for _, a := range list {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// primitive makes the element.
func (d *Draft) primitive(spec *Create, name AgentName, meta []Pair, ops []Op) *cib.Element {
	attrs := []cib.Attr{{Name: "id", Value: spec.ID}, {Name: "class", Value: name.Class}, {Name: "type", Value: name.Type}}
	if name.Provider != "" {
		attrs = append(attrs, cib.Attr{Name: "provider", Value: name.Provider})
	}
	e := cib.NewElement("primitive", attrs)
	if len(spec.Params) > 0 {
		e = e.WithChild(d.NewSet("instance_attributes", d.Free(spec.ID+"-instance_attributes"), Sorted(spec.Params)))
	}
	if len(meta) > 0 {
		e = e.WithChild(d.newMeta(d.Free(spec.ID+"-meta_attributes"), meta))
	}
	list := cib.NewElement("operations", nil)
	for _, op := range ops {
		list = list.WithChild(d.newOp(spec.ID, op))
	}
	return e.WithChild(list)
}

// newMeta is NewSet that keeps pairs without a value: that is how they are typed away in advance.
func (d *Draft) newMeta(id string, pairs []Pair) *cib.Element {
	set := cib.NewElement("meta_attributes", []cib.Attr{{Name: "id", Value: id}})
	for _, p := range pairs {
		set = set.WithChild(d.newPair(set, p.Name, p))
	}
	return set
}

// place puts a new primitive where it belongs.
func (d *Draft) place(spec *Create, primitive *cib.Element) {
	switch {
	case spec.Group != "":
		p := d.Find(spec.Group, "group")
		if p == nil {
			d.Add(d.Section("resources"), cib.NewElement("group", []cib.Attr{{Name: "id", Value: spec.Group}}, primitive))
			return
		}
		at := len(p.Last().Children)
		for i, c := range p.Last().Children {
			switch {
			case spec.Before != "" && c.ID() == spec.Before:
				at = i
			case spec.After != "" && c.ID() == spec.After:
				at = i + 1
			}
		}
		d.Put(p, p.Last().Insert(at, primitive))
	case spec.Bundle != "":
		d.Add(d.Find(spec.Bundle, "bundle"), primitive)
	case spec.Clone != nil:
		p := d.Add(d.Section("resources"), primitive)
		id := d.cloned(p, spec.Clone.ID, spec.Clone.Meta, spec.Clone.Promotable)
		if spec.Disabled {
			d.setMetaFirst(id, Pair{"target-role", "Stopped"})
		}
	default:
		d.Add(d.Section("resources"), primitive)
	}
}

// checkNewClone notes what the clone of a new resource is to be that its agent cannot be.
func (d *Draft) checkNewClone(clone *CloneOptions, name AgentName, agent *Agent) {
	if clone == nil {
		return
	}
	wants := func(option string) bool {
		v, _ := Lookup(clone.Meta, option)
		return isTrue(v)
	}
	promotable := clone.Promotable || wants("promotable")
	for _, option := range []string{"globally-unique", "promotable"} {
		if (wants(option) || option == "promotable" && promotable) && name.Class != "ocf" {
			d.Fail("Clone option '%s' is not compatible with '%s' resource agent", option, name)
		}
	}
	if promotable && name.Class == "ocf" && agent != nil && agent.Modern && (!agent.has("promote") || !agent.has("demote")) {
		d.Doubt("Clone option 'promotable' is not compatible with '%s' resource agent", name)
	}
}

// checkNewPlace notes what speaks against the place of a new resource.
func (d *Draft) checkNewPlace(spec *Create) {
	switch {
	case spec.Clone != nil && spec.Clone.ID != "":
		if spec.Clone.ID == spec.ID {
			d.Fail("'%s' cannot be the name of both the resource and its clone", spec.ID)
			return
		}
		d.NewID(spec.Clone.ID, "clone name")
	case spec.Group != "":
		p := d.Find(spec.Group)
		switch {
		case p == nil && spec.Group == spec.ID:
			d.Fail("'%s' cannot be the name of both the resource and its group", spec.ID)
		case p == nil:
			d.CheckID(spec.Group, "group name")
		case p.Last().Name != "group":
			d.Fail("'%s' is not a group: it is a <%s>", spec.Group, p.Last().Name)
			return
		}
		d.checkNeighbour(p, spec.Group, spec.Before+spec.After)
	case spec.Bundle != "":
		d.checkBundle(spec.Bundle, spec.ID)
	}
}

// checkNeighbour notes that a resource that others are to stand beside is no member of the group; group may be nil.
func (d *Draft) checkNeighbour(group cib.Path, name, neighbour string) {
	if neighbour == "" || group != nil && group.Last().Find("primitive", neighbour) != nil {
		return
	}
	if d.Find(neighbour, resourceTags()...) == nil {
		d.Fail("resource '%s' does not exist, so nothing can be put beside it", neighbour)
		return
	}
	d.Fail("there is no resource '%s' in the group '%s'", neighbour, name)
}

func (d *Draft) checkBundle(bundle, resource string) {
	p := d.Find(bundle)
	switch {
	case p == nil:
		d.Fail("bundle '%s' does not exist", bundle)
		return
	case p.Last().Name != "bundle":
		d.Fail("'%s' is not a bundle: it is a <%s>", bundle, p.Last().Name)
		return
	}
	if inside := p.Last().Child("primitive"); inside != nil {
		d.Fail("bundle '%s' already contains resource '%s', a bundle may contain at most one resource", bundle, inside.ID())
		return
	}
	if !reachable(p.Last()) {
		d.Doubt("Resource '%s' will not be accessible by the cluster inside bundle '%s', at least one of bundle options 'control-port' or 'ip-range-start' has to be specified", resource, bundle)
	}
}

// reachable reports whether the cluster can talk to what runs inside a bundle.
func reachable(bundle *cib.Element) bool {
	n := bundle.Child("network")
	return n.Attr("control-port") != "" || n.Attr("ip-range-start") != ""
}
