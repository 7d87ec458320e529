package cib

import (
	"slices"
	"strings"
)

// resources checks what the shape of one element cannot tell: what belongs together.
func (k *checker) resources() {
	for _, r := range k.c.Resources {
		k.resource(r)
	}
	for e := range k.section("resources").Elements() {
		if e.Name == "template" {
			k.agent(e)
			k.ops(e.Attr("id"), (&decoder{cib: k.c}).ops(e))
		}
	}
}

// section returns a section of the configuration, nil if there is none.
func (k *checker) section(name string) *Element {
	return k.c.Root.Child("configuration").Child(name)
}

func (k *checker) resource(r *Resource) {
	switch r.Kind {
	case Primitive:
		k.primitive(r)
	case Group:
		if len(r.Children) == 0 {
			k.warnAt(r.El, "add primitives or take the group out", "the group %s has no members", r.ID)
		}
	case Clone:
		switch n := len(r.Children); {
		case n == 0:
			k.errorAt(r.El, "put a primitive or group inside", "the clone %s has nothing to clone", r.ID)
		case n > 1:
			k.errorAt(r.El, "make a group of them", "the clone %s has %d resources inside: only the first is cloned", r.ID, n)
		}
		k.uniqueLSB(r)
	case Bundle:
		k.bundle(r)
	}
	for _, c := range r.Children {
		k.resource(c)
	}
}

func (k *checker) primitive(r *Resource) {
	e := r.El
	template, ok := e.Lookup("template")
	switch {
	case !ok:
		k.agent(e)
	case k.c.Templates[template] == nil:
		fix := didYouMean(template, k.templateNames())
		k.errorAt(e, fix, "there is no template %q: the resource %s is left out", template, r.ID)
	default:
		for _, name := range []string{"class", "provider", "type"} {
			if e.Attr(name) != "" {
				k.warnAt(e, "take it out", "%s of %s is the template's, not the one written here", name, r.ID)
			}
		}
	}
	k.ops(r.ID, r.Ops)
}

// agent checks that an element says which agent operates it.
func (k *checker) agent(e *Element) {
	class, kind := e.Attr("class"), e.Attr("type")
	classes := []string{"ocf", "stonith", "systemd", "lsb", "service", "upstart", "nagios", "heartbeat", "libvirt"}
	switch {
	case class == "" && e.Name == "primitive":
		k.errorAt(e, "add it, or a template", "the primitive %s has no class", e.Attr("id"))
	case class == "ocf" && e.Attr("provider") == "":
		k.errorAt(e, `add it: "heartbeat" has most of them`, "the agent %s of class ocf has no provider", kind)
	case class != "" && class != "ocf" && e.Attr("provider") != "":
		k.warnAt(e, "take it out", "agents of class %s have no provider", class)
	}
	if class != "" && !slices.Contains(classes, class) {
		k.errorAt(e, didYouMean(class, classes), "%q is not a class of agents", class)
	}
	if kind == "" && e.Name == "primitive" {
		k.errorAt(e, "add it", "the primitive %s has no type", e.Attr("id"))
	}
}

func (k *checker) templateNames() []string {
	var names []string
	for e := range k.section("resources").Elements() {
		if e.Name == "template" {
			names = append(names, e.Attr("id"))
		}
	}
	return names
}

// uniqueLSB warns of clones that ask init scripts to tell their instances apart.
func (k *checker) uniqueLSB(r *Resource) {
	unique, _ := Value(r.Meta, &RuleInput{}, "globally-unique")
	if !boolOr(unique, false) {
		return
	}
	for _, c := range r.Children {
		for _, p := range append([]*Resource{c}, c.Children...) {
			if p.Kind == Primitive && p.Class != "ocf" && p.Class != "" {
				k.warnAt(r.El, "take globally-unique out", "instances of %s cannot be told apart: its class is %s", p.ID, p.Class)
			}
		}
	}
}

func (k *checker) bundle(r *Resource) {
	b := r.Bundle
	if b.El == nil {
		k.errorAt(r.El, "add <docker> or <podman>", "the bundle %s says nothing about its containers", r.ID)
	}
	if len(r.Children) > 1 {
		k.errorAt(r.El, "take the others out", "the bundle %s has more than one primitive", r.ID)
	}
	if len(r.Children) > 0 && b.IPRangeStart == "" && b.ControlPort == "" {
		k.errorAt(r.El, "add a <network> with ip-range-start or control-port",
			"%s in the bundle %s cannot be reached: there is neither ip-range-start nor control-port", r.Children[0].ID, r.ID)
	}
	if b.ReplicasPerHost > 1 && b.IPRangeStart == "" && len(b.Ports) > 0 {
		k.errorAt(r.El, "add ip-range-start or set replicas-per-host to 1", "the replicas of %s on one node would share its ports", r.ID)
	}
}

// ops checks the operations of a primitive or template.
func (k *checker) ops(id string, ops []*Op) {
	seen := make(map[opKey]*Op)
	for _, op := range ops {
		key := opKey{op.Name, op.IntervalMS}
		if other := seen[key]; other != nil && op.Name != "" {
			severity := Warning
			if op.IntervalMS > 0 {
				severity = Error
			}
			k.note(severity, op.El, "change the interval of one of them, or take it out", "%s has two operations %s with the interval %q; the other is %s", id, op.Name, op.Interval, other.ID)
		} else {
			seen[key] = op
		}
		if op.IntervalMS > 0 && op.Name != "" && !recurs(op.Name) {
			k.errorAt(op.El, "set interval to 0", "%s of %s cannot be repeated: it is ignored", op.Name, id)
		}
		if op.IntervalMS == 0 && op.Name == "monitor" && op.El.Attr("role") != "" && op.Interval != "" {
			k.warnAt(op.El, "give it an interval", "a monitor of %s for one role does nothing without an interval", id)
		}
		k.onFail(op)
	}
}

type opKey struct {
	name string
	ms   int64
}

// recurs reports whether an operation may be repeated. Names of the agent's own making may.
func recurs(name string) bool {
	return !slices.Contains([]string{"start", "stop", "promote", "demote", "reload", "reload-agent", "migrate_to", "migrate_from", "notify", "cancel"}, name)
}

// onFail checks reactions that only some operations can have.
func (k *checker) onFail(op *Op) {
	value := strings.ToLower(op.El.Attr("on-fail"))
	switch {
	case value == "demote" && op.Name == "monitor" && op.IntervalMS > 0 && !strings.EqualFold(op.El.Attr("role"), "Promoted") && !strings.EqualFold(op.El.Attr("role"), "Master"):
		k.warnAt(op.El, `add role="Promoted"`, "on-fail=demote is for promote and for monitors of the promoted role")
	case value == "demote" && op.Name != "monitor" && op.Name != "promote" && op.Name != "":
		k.warnAt(op.El, "choose another reaction", "on-fail=demote is not for %s", op.Name)
	case op.Name == "stop" && (value == "stop" || value == "restart"):
		k.errorAt(op.El, "use fence or block", "on-fail=%s makes no sense when it is stop that has failed", value)
	}
}
