package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// fact is one thing that a configuration says: about what, which aspect, and what it says. The fact with
// an empty aspect is that the owner exists; its value describes it.
type fact struct{ owner, aspect, value string }

// facts collects what a configuration says, in its order.
type facts struct{ list []fact }

func (f *facts) add(owner, aspect, value string) {
	f.list = append(f.list, fact{owner, aspect, value})
}

// factsOf takes a configuration apart. The status section is none of it.
func factsOf(c *cib.CIB) []fact {
	f := &facts{}
	f.pairs("cluster", "property", c.Properties)
	f.pairs("resource defaults", "meta", c.RscDefaults)
	f.pairs("operation defaults", "meta", c.OpDefaults)
	for _, n := range c.Nodes {
		owner := "node " + n.Name
		f.add(owner, "", when(n.Kind == cib.NodeRemote, "remote"))
		f.pairs(owner, "attribute", n.Attrs)
		f.pairs(owner, "utilization", n.Utilization)
	}
	f.templates(c)
	for _, r := range c.Resources {
		f.resource(r)
	}
	for _, k := range c.Constraints {
		f.constraint(k)
	}
	for _, t := range c.Tags {
		f.add("tag "+t.ID, "", strings.Join(t.Refs, " "))
	}
	f.levels(c)
	f.others(c)
	return f.list
}

// pairs are the name/value pairs of an owner. A block under rules says so, since its values hold only then.
func (f *facts) pairs(owner, kind string, sets []*cib.NVSet) {
	for _, s := range sets {
		cond := ""
		for _, r := range s.Rules {
			cond += ", when " + ruleWords(r)
		}
		for _, p := range s.Pairs {
			f.add(owner, kind+" "+p.Name+cond, p.Value)
		}
	}
}

func (f *facts) templates(c *cib.CIB) {
	section := c.Root.Child("configuration").Child("resources")
	for e := range section.Elements() {
		if t := c.Templates[e.ID()]; e.Name == "template" && t != nil {
			owner := "template " + t.ID
			f.add(owner, "", agent(t.Class, t.Provider, t.Type))
			f.subtree(owner, e)
		}
	}
}

// subtree tells of every element below one that has an id, in the words of its XML: for what has no words of its own.
func (f *facts) subtree(owner string, e *cib.Element) {
	for c := range e.Elements() {
		name := words(c.Name, c.ID())
		if c.Name == "nvpair" {
			f.add(owner, c.Attr("name"), c.Attr("value"))
			continue
		}
		var attrs []string
		for n, v := range c.Attrs() {
			if n != "id" {
				attrs = append(attrs, n+"="+v)
			}
		}
		if len(attrs) > 0 {
			f.add(owner, name, strings.Join(attrs, " "))
		}
		f.subtree(owner, c)
	}
}

func agent(class, provider, typ string) string {
	if provider != "" {
		class += ":" + provider
	}
	return class + ":" + typ
}

func (f *facts) resource(r *cib.Resource) {
	kind := [...]string{cib.Primitive: "primitive", cib.Group: "group", cib.Clone: "clone", cib.Bundle: "bundle"}[r.Kind]
	owner := kind + " " + r.ID
	var what []string
	switch {
	case r.Kind == cib.Primitive && r.Template != "":
		what = append(what, "like template "+r.Template)
	case r.Kind == cib.Primitive:
		what = append(what, agent(r.Class, r.Provider, r.Type))
	case len(r.Children) > 0:
		var names []string
		for _, c := range r.Children {
			names = append(names, c.ID)
		}
		what = append(what, "of "+strings.Join(names, ", "))
	}
	if r.Master {
		what = append(what, "promotable")
	}
	if b := r.Bundle; b != nil {
		what = append(what, fmt.Sprintf("%s %s, %d replicas", b.Engine, b.Image, b.Replicas))
	}
	f.add(owner, "", strings.Join(what, ", "))
	f.pairs(owner, "meta", r.Meta)
	f.pairs(owner, "parameter", r.Params)
	f.pairs(owner, "utilization", r.Utilization)
	for _, op := range r.Ops {
		f.operation(owner, op)
	}
	if r.Bundle != nil {
		f.subtree(owner, r.Bundle.El)
	}
	for _, c := range r.Children {
		f.resource(c)
	}
}

func (f *facts) operation(owner string, op *cib.Op) {
	name := "operation " + op.Name
	if op.IntervalMS > 0 {
		name += " every " + op.Interval
	}
	var role string
	var settings []string
	for _, a := range op.Attrs {
		switch a.Name {
		case "id", "name", "interval":
		case "role":
			role = " as " + a.Value
		default:
			settings = append(settings, a.Name+"="+a.Value)
		}
	}
	f.add(owner, name+role, strings.Join(settings, " "))
	f.pairs(owner, name+role+":", op.Meta)
}

func (f *facts) levels(c *cib.CIB) {
	for _, l := range c.Levels {
		target := l.Target
		switch {
		case l.TargetPattern != "":
			target = "nodes like " + l.TargetPattern
		case l.TargetAttribute != "":
			target = "nodes with " + l.TargetAttribute + "=" + l.TargetValue
		}
		f.add("fencing level "+strconv.Itoa(l.Index)+" of "+target, "", strings.Join(l.Devices, " and "))
	}
}

// others are the sections that are told of by their XML.
func (f *facts) others(c *cib.CIB) {
	configuration := c.Root.Child("configuration")
	for _, name := range []string{"alerts", "acls"} {
		for e := range configuration.Child(name).Elements() {
			owner := words(e.Name, e.ID())
			var attrs []string
			for n, v := range e.Attrs() {
				if n != "id" {
					attrs = append(attrs, n+"="+v)
				}
			}
			f.add(owner, "", strings.Join(attrs, " "))
			f.subtree(owner, e)
		}
	}
}
