package controller

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// withPending lays the operations in flight over the CIB, as history entries that are pending, so that a plan
// made in their midst knows of them.
func (c *Controller) withPending() *cib.CIB {
	byNode := map[string][]*flight{}
	for f := range c.flights.all() {
		if !f.noWait && showsAsPending(f.op.Name) {
			byNode[subject(&f.op)] = append(byNode[subject(&f.op)], f)
		}
	}
	root := c.state.CIB.Root
	status := root.Child("status")
	if len(byNode) == 0 || status == nil {
		return c.state.CIB
	}
	children := append([]*cib.Element(nil), status.Children...)
	for i, e := range children {
		if e.Kind != cib.KindElement || e.Name != "node_state" {
			continue
		}
		for _, f := range byNode[e.Attr("uname")] {
			children[i] = withEntry(children[i], f)
		}
	}
	root = root.Swap(status, status.WithChildren(children))
	in, err := c.state.CIB.Update(root)
	if err != nil {
		panic(fmt.Sprintf("controller: a CIB with pending operations is none any more: %v", err))
	}
	return in
}

// showsAsPending tells for which operations a plan must know that they are under way. Others do not change
// what runs where, or are done again without harm.
func showsAsPending(name string) bool {
	switch name {
	case "start", "stop", "promote", "demote", "migrate_to", "migrate_from":
		return true
	}
	return false
}

// withEntry adds the entry of an operation in flight to a node's history. What was known stays there: a stop
// that is pending does not mean that nothing runs.
func withEntry(node *cib.Element, f *flight) *cib.Element {
	op := &f.op
	lrm := node.Child("lrm")
	if lrm == nil {
		lrm = cib.NewElement("lrm", []cib.Attr{{Name: "id", Value: node.ID()}})
		node = node.WithChildren(append(append([]*cib.Element(nil), node.Children...), lrm))
	}
	list := lrm.Child("lrm_resources")
	if list == nil {
		with := lrm.WithChildren(append(append([]*cib.Element(nil), lrm.Children...), cib.NewElement("lrm_resources", nil)))
		node, lrm = node.Swap(lrm, with), with
		list = lrm.Child("lrm_resources")
	}
	rsc := list.Find("lrm_resource", op.Resource)
	var with *cib.Element
	if rsc == nil {
		attrs := []cib.Attr{{Name: "id", Value: op.Resource}, {Name: "class", Value: op.Class}}
		if op.Provider != "" {
			attrs = append(attrs, cib.Attr{Name: "provider", Value: op.Provider})
		}
		rsc = cib.NewElement("lrm_resource", append(attrs, cib.Attr{Name: "type", Value: op.Type}), f.entry())
		with = list.WithChildren(append(append([]*cib.Element(nil), list.Children...), rsc))
	} else {
		with = list.Swap(rsc, addEntry(rsc, f.entry()))
	}
	return node.Swap(lrm, lrm.Swap(list, with))
}

// addEntry adds an entry; one of the same id gives way to it.
func addEntry(rsc, entry *cib.Element) *cib.Element {
	var ops []*cib.Element
	for _, e := range rsc.Children {
		if e.Kind != cib.KindElement || e.ID() != entry.ID() {
			ops = append(ops, e)
		}
	}
	return rsc.WithChildren(append(ops, entry))
}

// entry is what history would say of an operation that is pending.
func (f *flight) entry() *cib.Element {
	op := &f.op
	name := op.Resource + "_" + op.Name + "_" + strconv.FormatInt(op.IntervalMS, 10)
	attrs := []cib.Attr{
		{Name: "id", Value: name}, {Name: "operation_key", Value: name}, {Name: "operation", Value: op.Name},
		{Name: "crm-debug-origin", Value: byController}, {Name: "crm_feature_set", Value: attrOf(op.Attrs, "crm_feature_set")},
		{Name: "transition-key", Value: op.Key}, {Name: "transition-magic", Value: "-1:193;" + op.Key}, {Name: "exit-reason", Value: ""},
		{Name: "on_node", Value: subject(op)}, {Name: "call-id", Value: "-1"}, {Name: "rc-code", Value: "193"},
		{Name: "op-status", Value: "-1"}, {Name: "interval", Value: strconv.FormatInt(op.IntervalMS, 10)},
		{Name: "last-rc-change", Value: strconv.FormatInt(f.since.Unix(), 10)}, {Name: "exec-time", Value: "0"}, {Name: "queue-time", Value: "0"},
	}
	for _, at := range []struct{ meta, name string }{{"CRM_meta_migrate_source", "migrate_source"}, {"CRM_meta_migrate_target", "migrate_target"}} {
		if v := attrOf(op.Attrs, at.meta); v != "" {
			attrs = append(attrs, cib.Attr{Name: at.name, Value: v})
		}
	}
	if len(op.Attrs) > 0 {
		attrs = append(attrs, cib.Attr{Name: "op-digest", Value: digest(op)})
	}
	return cib.NewElement("lrm_rsc_op", attrs)
}

// digest is that of an operation's parameters, by which a plan sees that it is as configured.
func digest(op *cib.Operation) string {
	params := make(map[string]string, len(op.Attrs))
	for _, a := range op.Attrs {
		params[a.Name] = a.Value
	}
	return cib.Digest(params, func(name string) bool {
		switch name {
		case "crm_feature_set", "id", "op-digest", "pcmk_external_ip":
			return true
		}
		return strings.HasPrefix(name, "CRM_meta_")
	})
}

func attrOf(list []cib.Attr, name string) string {
	for _, a := range list {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}
