package compat

import (
	"cmp"
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
)

// kind is the name of the sets that are meant.
func (r *resourceCall) kind() string {
	switch {
	case r.meta:
		return "meta_attributes"
	case r.utilization:
		return "utilization"
	}
	return "instance_attributes"
}

// sets are a resource's sets of the kind that is meant.
func (r *resourceCall) sets(conf *cib.Resource) []*cib.NVSet {
	switch {
	case r.meta:
		return conf.Meta
	case r.utilization:
		return conf.Utilization
	}
	return conf.Params
}

// getParameter prints the value that is in force now.
func (r *resourceCall) getParameter() int {
	conf := r.doc.Resource(plainName(r.resource))
	if conf == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	in := &cib.RuleInput{Now: r.Now()}
	value, ok := cib.Value(r.sets(conf), in, r.param)
	for at := conf.Parent; !ok && r.meta && at != nil; at = at.Parent {
		value, ok = cib.Value(r.sets(at), in, r.param)
	}
	if !ok {
		if r.outputAs == "xml" {
			return r.result(exitOK, "")
		}
		return r.plainErrorf(exitOK, "Attribute '%s' not found for '%s'", r.param, r.resource)
	}
	if r.outputAs == "xml" {
		item := cib.NewElement("item", attrs("name", r.param), cib.NewText(value))
		return r.result(exitOK, "", cib.NewElement("list", attrs("name", "attributes", "count", "1"), item))
	}
	r.printf("%s\n", value)
	return exitOK
}

// pairs lists the pairs of that name in the resource's own sets of the kind.
func (r *resourceCall) pairs(conf *cib.Resource) []found {
	var list []found
	for set := range conf.El.Elements() {
		if set.Name != r.kind() || r.set != "" && set.ID() != r.set {
			continue
		}
		for p := range set.Elements() {
			if p.Name == "nvpair" && p.Attr("name") == r.param && (r.pair == "" || p.ID() == r.pair) {
				list = append(list, found{set.ID(), p.ID(), r.param, p.Attr("value")})
			}
		}
	}
	return list
}

// owner is the resource whose setting is changed: for the contents of a clone the clone, unless they have the setting
// themselves or force says otherwise.
func (r *resourceCall) owner() *cib.Resource {
	conf := r.doc.Resource(plainName(r.resource))
	if conf == nil || r.force || conf.Parent == nil || len(r.pairs(conf)) > 0 {
		return conf
	}
	if conf.Parent.Kind == cib.Clone && (r.meta || r.utilization || len(r.pairs(conf.Parent)) > 0) {
		r.printf("Performing %s of '%s' on '%s', the parent of '%s'\n", map[bool]string{true: "update", false: "deletion"}[r.hasValue],
			r.param, conf.Parent.ID, conf.ID)
		return conf.Parent
	}
	return conf
}

func (r *resourceCall) setParameter() int {
	if !r.hasValue {
		return r.usage("You need to supply a value with the -v option")
	}
	conf := r.owner()
	if conf == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	list := r.pairs(conf)
	if len(list) > 1 {
		return r.ambiguous(list)
	}
	err := r.open().edit(r.settingEdit(conf, list))
	if err == nil && r.outputAs != "xml" {
		set := cmp.Or(r.set, conf.ID+"-"+r.kind())
		switch {
		case len(list) == 1:
			r.printf("Set '%s' option: id=%s name=%s value=%s\n", conf.ID, list[0].id, r.param, r.value)
		default:
			r.printf("Set '%s' option: id=%s set=%s name=%s value=%s\n", conf.ID, cmp.Or(r.pair, set+"-"+r.param), set, r.param, r.value)
		}
	}
	return r.done(err)
}

// settingEdit sets a value: in the pair that has it, in the set that it belongs to, or in a new set.
func (r *resourceCall) settingEdit(conf *cib.Resource, list []found) cib.Edit {
	if len(list) == 1 {
		return cib.Edit{Op: "modify", XPath: "//nvpair[@id='" + list[0].id + "']",
			XML: cib.NewElement("nvpair", []cib.Attr{{Name: "value", Value: r.value}}).String()}
	}
	set := cmp.Or(r.set, conf.ID+"-"+r.kind())
	pair := cib.NewElement("nvpair", []cib.Attr{{Name: "id", Value: cmp.Or(r.pair, set+"-"+r.param)}, {Name: "name", Value: r.param}, {Name: "value", Value: r.value}})
	if conf.El.Find(r.kind(), set) != nil {
		return cib.Edit{Op: "create", Parent: "//" + r.kind() + "[@id='" + set + "']", XML: pair.String()}
	}
	return cib.Edit{Op: "create", Parent: resourcePath(conf), XML: cib.NewElement(r.kind(), []cib.Attr{{Name: "id", Value: set}}, pair).String()}
}

// resourcePath is the XPath of a resource's element.
func resourcePath(conf *cib.Resource) string {
	return fmt.Sprintf("//resources//%s[@id='%s']", conf.El.Name, conf.ID)
}

// ambiguous refuses to choose among several settings of the same name.
func (r *resourceCall) ambiguous(list []found) int {
	r.printf("Multiple attributes match name=%s\n", r.param)
	for _, f := range list {
		r.printf("  Value: %s \t(id=%s)\n", f.value, f.id)
	}
	return r.errorf(exitMultiple, "Error performing operation: %s", exitWords(exitMultiple))
}

func (r *resourceCall) deleteParameter() int {
	conf := r.owner()
	if conf == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	list := r.pairs(conf)
	switch {
	case len(list) == 0:
		return r.done(nil)
	case len(list) > 1:
		return r.ambiguous(list)
	}
	err := r.open().edit(cib.Edit{Op: "delete", XPath: "//nvpair[@id='" + list[0].id + "']"})
	if err == nil && r.outputAs != "xml" {
		r.printf("Deleted '%s' option: id=%s name=%s\n", conf.ID, list[0].id, r.param)
	}
	return r.done(err)
}

func (r *resourceCall) deleteResource() int {
	if r.element == "" {
		return r.noSuch("You need to specify a resource type with -t")
	}
	conf := r.doc.Resource(r.resource)
	if conf == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	if conf.El.Name != r.element {
		return r.done(nil)
	}
	return r.done(r.open().edit(cib.Edit{Op: "delete", XPath: resourcePath(conf)}))
}
