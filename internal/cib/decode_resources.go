package cib

import "strings"

func (d *decoder) resources(section *Element) {
	for e := range section.Elements() { // templates first: resources may come before the one they use
		if e.Name == "template" {
			t := &Template{ID: e.Attr("id"), Class: e.Attr("class"), Provider: e.Attr("provider"), Type: e.Attr("type"), El: e}
			if d.cib.Templates[t.ID] == nil {
				d.cib.Templates[t.ID] = t
			}
		}
	}
	for e := range section.Elements() {
		if r := d.resource(e, nil); r != nil && (r.Kind != Group || len(r.Children) > 0 || d.everything) {
			d.cib.Resources = append(d.cib.Resources, r)
		}
	}
}

// resource reads one resource element with what is inside; nil if the element is none, or cannot be used.
func (d *decoder) resource(e *Element, parent *Resource) *Resource {
	r := &Resource{ID: e.Attr("id"), Parent: parent, El: e}
	switch e.Name {
	case "primitive":
		r.Kind = Primitive
	case "group":
		r.Kind = Group
	case "clone":
		r.Kind = Clone
	case "master":
		r.Kind, r.Master = Clone, true
	case "bundle":
		r.Kind = Bundle
		r.Bundle = bundleSpec(e)
	default:
		return nil
	}
	if r.Kind == Primitive {
		d.primitive(r)
	} else {
		d.collective(r)
	}
	if !d.everything && !d.usable(r) {
		return nil
	}
	return r
}

// collective reads what a resource with others inside has. A clone or bundle takes the first of them.
func (d *decoder) collective(r *Resource) {
	r.Meta = d.sets(r.El, "meta_attributes")
	r.Params = d.sets(r.El, "instance_attributes")
	r.Utilization = d.sets(r.El, "utilization")
	for c := range r.El.Elements() {
		if c.Name != "primitive" && (c.Name != "group" || r.Kind != Clone) {
			continue
		}
		child := d.resource(c, r)
		if child != nil {
			r.Children = append(r.Children, child)
		}
		if r.Kind != Group && !d.everything {
			return
		}
	}
}

// usable reports whether a resource can be planned with. Pacemaker leaves out the same: what has no id, a
// primitive whose template is missing, a clone of nothing, a bundle without containers or one whose primitive
// cannot be had or reached.
func (d *decoder) usable(r *Resource) bool {
	if r.ID == "" {
		return false
	}
	switch r.Kind {
	case Primitive:
		_, wants := r.El.Lookup("template")
		return !wants || d.cib.Templates[r.Template] != nil
	case Clone:
		return len(r.Children) > 0
	case Bundle:
		if r.Bundle.El == nil {
			return false
		}
		if r.El.Child("primitive") == nil {
			return true
		}
		return len(r.Children) > 0 && (r.Bundle.IPRangeStart != "" || r.Bundle.ControlPort != "")
	}
	return true
}

func (d *decoder) primitive(r *Resource) {
	e := r.El
	r.Class, r.Provider, r.Type = e.Attr("class"), e.Attr("provider"), e.Attr("type")
	r.Template = e.Attr("template")
	var from *Element
	if t := d.cib.Templates[r.Template]; r.Template != "" && t != nil {
		r.Class, r.Provider, r.Type = t.Class, t.Provider, t.Type
		from = t.El
	}
	r.Meta = d.mergedSets(from, e, "meta_attributes")
	r.Params = d.mergedSets(from, e, "instance_attributes")
	r.Utilization = d.mergedSets(from, e, "utilization")
	r.Ops = d.ops(e)
	if from != nil {
		r.Ops = mergeOps(r.Ops, d.ops(from))
	}
}

// mergedSets reads the blocks of a template (nil: none) and of the element that uses it: the element's
// own stand as if written after the template's.
func (d *decoder) mergedSets(template, e *Element, name string) []*NVSet {
	if template == nil {
		return d.sets(e, name)
	}
	return byPrecedence(append(d.setsInOrder(template, name), d.setsInOrder(e, name)...))
}

// ops reads the operations of a primitive or template.
func (d *decoder) ops(e *Element) []*Op {
	var ops []*Op
	for c := range e.Elements() {
		if c.Name != "operations" {
			continue
		}
		if c = d.resolve(c); c == nil {
			continue
		}
		for o := range c.Elements() {
			if o.Name != "op" {
				continue
			}
			if o = d.resolve(o); o != nil {
				ops = append(ops, d.op(o))
			}
		}
	}
	return ops
}

func (d *decoder) op(e *Element) *Op {
	op := &Op{El: e, Attrs: e.AttrList()}
	for _, a := range op.Attrs {
		switch a.Name {
		case "id":
			op.ID = a.Value
		case "name":
			op.Name = a.Value
		case "interval":
			op.Interval = a.Value
		}
	}
	op.IntervalMS, _ = ParseDuration(op.Interval)
	op.IntervalMS = max(0, min(op.IntervalMS, maxInterval))
	op.Meta = d.sets(e, "meta_attributes")
	op.Params = d.sets(e, "instance_attributes")
	if d.old {
		upgradeOp(op)
	}
	return op
}

// maxInterval is the longest interval in milliseconds, some seven weeks: Pacemaker counts them in 32 bits.
const maxInterval = 1<<32 - 1

// mergeOps appends the template's operations that the resource does not define itself: of the same name for
// the same role, whatever the interval.
func mergeOps(own, template []*Op) []*Op {
	n := len(own)
	for _, t := range template {
		replaced := false
		for _, o := range own[:n] {
			replaced = replaced || o.Name == t.Name && o.activeRole() == t.activeRole()
		}
		if !replaced {
			own = append(own, t)
		}
	}
	return own
}

// activeRole is the role that the operation is for, empty for that of a plain running resource.
func (op *Op) activeRole() string {
	role := op.El.Attr("role")
	switch strings.ToLower(role) {
	case "started", "slave", "unpromoted":
		return ""
	case "master":
		return "Promoted"
	}
	return role
}
