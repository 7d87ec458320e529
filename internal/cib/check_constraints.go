package cib

import (
	"regexp"
	"slices"
	"strings"
)

// constraints checks what constraints are about.
func (k *checker) constraints() {
	names := k.resourceNames()
	for _, l := range k.c.Locations {
		k.location(l, names)
	}
	for _, c := range k.c.Colocations {
		k.pair(c.El, names, c.Sets, "rsc", "with-rsc")
		if len(c.Sets) == 0 && c.Score == "" {
			k.warnAt(c.El, "add it", "the colocation %s has no score: it does nothing", c.ID)
		}
	}
	for _, o := range k.c.Orders {
		k.pair(o.El, names, o.Sets, "first", "then")
		if o.Kind != "" && o.Score != "" {
			k.warnAt(o.El, "take score out", "the order %s has both a kind and a score: the kind counts", o.ID)
		}
	}
	for _, t := range k.c.Tickets {
		if len(t.Sets) == 0 {
			k.knownResource(t.El, "rsc", names)
		}
		k.sets(t.Sets, names)
	}
}

// resourceNames are the ids that constraints can be about, each with the clone or bundle to name instead
// if it is inside of one: constraints are about the whole.
func (k *checker) resourceNames() map[string]string {
	names := make(map[string]string)
	var add func(list []*Resource, instead string)
	add = func(list []*Resource, instead string) {
		for _, r := range list {
			names[r.ID] = instead
			if r.Kind == Clone {
				add(r.Children, r.ID)
			} else {
				add(r.Children, instead)
			}
		}
	}
	add(k.c.Resources, "")
	for id := range k.c.Templates {
		names[id] = ""
	}
	for _, t := range k.c.Tags {
		names[t.ID] = ""
	}
	return names
}

// knownResource checks that an attribute names something that a constraint can be about.
func (k *checker) knownResource(e *Element, attr string, names map[string]string) {
	id, ok := e.Lookup(attr)
	if !ok || id == "" {
		k.errorAt(e, "add it", "<%s> has no %s", e.Name, attr)
		return
	}
	k.knownID(e, attr+"=", id, names)
}

func (k *checker) knownID(e *Element, what, id string, names map[string]string) {
	instead, ok := names[id]
	if base, _, isInstance := strings.Cut(id, ":"); isInstance && !ok {
		_, ok = names[base]
	}
	if ok {
		if instead != "" {
			k.errorAt(e, "name the clone", "%s%q is inside the clone %s", what, id, instead)
		}
		return
	}
	known := make([]string, 0, len(names))
	for n := range names {
		known = append(known, n)
	}
	slices.Sort(known)
	k.errorAt(e, didYouMean(id, known), "%s%q: there is no resource, template or tag of that name", what, id)
}

func (k *checker) sets(sets []*ResourceSet, names map[string]string) {
	for _, s := range sets {
		if len(s.Refs) == 0 {
			k.errorAt(s.El, "add resource_ref", "the resource set %s is empty", s.ID)
		}
		for ref := range s.El.Elements() {
			if id := ref.Attr("id"); ref.Name == "resource_ref" && id != "" {
				k.knownID(ref, "resource_ref ", id, names)
			}
		}
	}
}

// pair checks a constraint between two resources or among sets.
func (k *checker) pair(e *Element, names map[string]string, sets []*ResourceSet, first, second string) {
	k.sets(sets, names)
	_, hasFirst := e.Lookup(first)
	_, hasSecond := e.Lookup(second)
	if len(sets) > 0 {
		if hasFirst || hasSecond {
			k.warnAt(e, "make it two constraints", "<%s> has both sets and %s or %s: only the sets count", e.Name, first, second)
		}
		return
	}
	k.knownResource(e, first, names)
	k.knownResource(e, second, names)
	if hasFirst && e.Attr(first) == e.Attr(second) {
		k.warnAt(e, "name two resources", "%s and %s are the same, %q", first, second, e.Attr(first))
	}
}

func (k *checker) location(l *Location, names map[string]string) {
	_, hasPattern := l.El.Lookup("rsc-pattern")
	switch {
	case hasPattern:
		if _, err := regexp.CompilePOSIX(l.RscPattern); err != nil {
			k.errorAt(l.El, "mend it", "rsc-pattern %q is not a regular expression", l.RscPattern)
		}
	case len(l.Sets) == 0:
		k.knownResource(l.El, "rsc", names)
	}
	k.sets(l.Sets, names)
	_, hasScore := l.El.Lookup("score")
	setsHaveScore := len(l.Sets) > 0
	for _, s := range l.Sets {
		setsHaveScore = setsHaveScore && s.Score != ""
	}
	switch {
	case len(l.Rules) > 0:
		if l.Node != "" {
			k.warnAt(l.El, "take one of them out", "the location %s has both a node and rules: only the rules count", l.ID)
		}
	case l.Node == "":
		k.errorAt(l.El, "add a node or a rule", "the location %s names no node", l.ID)
	case !hasScore && !setsHaveScore:
		k.errorAt(l.El, "add a score", "the location %s has no score: it is ignored", l.ID)
	default:
		k.knownNode(l.El, l.Node)
	}
	for _, r := range l.Rules {
		if r.Score == "" && r.ScoreAttribute == "" {
			k.errorAt(r.El, "add a score or a score-attribute", "the rule %s has no score", r.ID)
		}
	}
}

// knownNode warns of a node that is neither configured nor a remote or guest node.
func (k *checker) knownNode(e *Element, name string) {
	var known []string
	for _, n := range k.c.Nodes {
		known = append(known, n.Name)
		if n.Name == name || n.ID == name {
			return
		}
	}
	if k.isRemote(name) || len(known) == 0 {
		return
	}
	k.warnAt(e, didYouMean(name, known), "there is no node %q", name)
}

// isRemote reports whether a resource makes a node of that name: a remote connection, a guest or a
// bundle's replica.
func (k *checker) isRemote(name string) bool {
	for e := range k.section("resources").All() {
		switch e.Name {
		case "primitive":
			if e.Attr("id") == name && e.Attr("type") == "remote" {
				return true
			}
		case "nvpair":
			if e.Attr("name") == "remote-node" && e.Attr("value") == name {
				return true
			}
		case "bundle":
			if strings.HasPrefix(name, e.Attr("id")+"-") {
				return true
			}
		}
	}
	return false
}
