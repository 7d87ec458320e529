package status

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// XML gives the nodes and the resources as crm_simulate's XML has them, pending operations too if asked for.
func XML(v *scheduler.View, pending bool) []*cib.Element {
	var nodes, resources []*cib.Element
	for _, n := range v.Nodes {
		nodes = append(nodes, nodeXML(n))
	}
	x := xmlStatus{pending: pending}
	for _, r := range v.Resources {
		if !r.Orphaned || isActive(r, false) {
			resources = append(resources, x.resource(r))
		}
	}
	return []*cib.Element{cib.NewElement("nodes", nil, nodes...), cib.NewElement("resources", nil, resources...)}
}

type xmlStatus struct{ pending bool }

// attrs collects attributes from pairs of name and value; those without a value are left out.
func attrs(pairs ...string) []cib.Attr {
	var list []cib.Attr
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, cib.Attr{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return list
}

func yes(b bool) string { return strconv.FormatBool(b) }

func nodeXML(n *scheduler.NodeView) *cib.Element {
	health, kind := n.Health, n.Kind
	if health == "" {
		health = "green"
	}
	if kind == "guest" {
		kind = "remote"
	}
	feature := ""
	if n.Online && n.Kind == "member" {
		feature = n.FeatureSet
		if feature == "" {
			feature = "<3.15.1"
		}
	}
	return cib.NewElement("node", attrs("name", n.Name, "id", n.ID, "online", yes(n.Online), "standby", yes(n.Standby),
		"standby_onfail", yes(n.StandbyOnFail), "maintenance", yes(n.Maintenance), "pending", yes(n.Pending),
		"unclean", yes(n.Unclean), "health", health, "feature_set", feature, "shutdown", yes(n.Shutdown),
		"expected_up", yes(n.ExpectedUp && !n.Shutdown), "is_dc", yes(n.DC), "resources_running", strconv.Itoa(n.Running),
		"type", kind, "id_as_resource", n.Container))
}

func (x *xmlStatus) resource(r *scheduler.ResourceView) *cib.Element {
	switch r.Kind {
	case "group":
		return x.group(r)
	case "clone":
		e := cib.NewElement("clone", attrs("id", r.ID, "multi_state", yes(r.Promotable), "unique", yes(r.Unique),
			"managed", yes(r.Managed), "disabled", yes(r.Disabled), "failed", yes(r.Failed),
			"failure_ignored", yes(r.FailureIgnored), "target_role", r.Target))
		return e.WithChildren(x.children(r))
	case "bundle":
		return x.bundle(r)
	}
	return x.primitive(r)
}

func (x *xmlStatus) children(r *scheduler.ResourceView) []*cib.Element {
	var list []*cib.Element
	for _, c := range r.Children {
		list = append(list, x.resource(c))
	}
	return list
}

func (x *xmlStatus) group(r *scheduler.ResourceView) *cib.Element {
	e := cib.NewElement("group", attrs("id", r.ID, "number_resources", strconv.Itoa(len(r.Children)),
		"managed", yes(r.Managed), "disabled", yes(r.Disabled)))
	return e.WithChildren(x.children(r))
}

func (x *xmlStatus) bundle(r *scheduler.ResourceView) *cib.Element {
	var list []*cib.Element
	for _, rep := range r.Replicas {
		var parts []*cib.Element
		for _, part := range []*scheduler.ResourceView{rep.IP, rep.Child, rep.Container, rep.Remote} {
			if part != nil {
				parts = append(parts, x.primitive(part))
			}
		}
		list = append(list, cib.NewElement("replica", attrs("id", strconv.Itoa(rep.ID)), parts...))
	}
	return cib.NewElement("bundle", attrs("id", r.ID, "type", r.Engine, "image", r.Image, "unique", yes(r.Unique),
		"managed", yes(r.Managed), "failed", yes(r.Failed)), list...)
}

func (x *xmlStatus) primitive(r *scheduler.ResourceView) *cib.Element {
	agent := r.Class + ":" + r.Type
	if r.Provider != "" {
		agent = r.Class + ":" + r.Provider + ":" + r.Type
	}
	role := shownRole(r)
	if x.pending {
		role = State(r)
	}
	locked, doing := "", ""
	if r.Locked != nil {
		locked = r.Locked.Name
	}
	if x.pending && r.Pending == "monitor" {
		doing = "Monitoring"
	}
	var on []*cib.Element
	for _, n := range r.On {
		on = append(on, cib.NewElement("node", attrs("name", n.Name, "id", n.ID, "cached", yes(n.Online))))
	}
	return cib.NewElement("resource", attrs("id", r.Name, "resource_agent", agent, "role", role, "target_role", r.Target,
		"active", yes(isActive(r, false)), "orphaned", yes(r.Orphaned), "blocked", yes(r.Blocked),
		"managed", yes(r.Managed), "failed", yes(r.Failed), "failure_ignored", yes(r.FailureIgnored),
		"nodes_running_on", strconv.Itoa(len(r.On)), "pending", doing, "locked_to", locked), on...)
}

// ResourceXML gives one resource as the XML of the list of resources has it.
func ResourceXML(r *scheduler.ResourceView) *cib.Element { return (&xmlStatus{}).resource(r) }
