package cib

import (
	"slices"
	"strings"
)

// references checks id-ref, tags, roles of access rules and rules without expressions.
func (k *checker) references() {
	configuration := k.c.Root.Child("configuration")
	for e := range configuration.All() {
		if ref, ok := e.Lookup("id-ref"); ok {
			k.idRef(e, ref)
		} else if e.Name == "rule" {
			k.rule(e)
		} else if e.Name == "nvpair" {
			if _, ok := e.Lookup("name"); !ok {
				k.errorAt(e, "add it", "<nvpair> has no name")
			} else if _, ok := e.Lookup("value"); !ok {
				k.warnAt(e, "add it", "<nvpair> has no value: it is ignored")
			}
		}
	}
	for _, t := range k.c.Tags {
		for ref := range t.El.Elements() {
			if id := ref.Attr("id"); ref.Name == "obj_ref" && id != "" && k.ids[id] == nil && !k.isNode(id) {
				k.errorAt(ref, didYouMean(id, k.knownIDs()), "the tag %s names %q, which does not exist", t.ID, id)
			}
		}
		if len(t.Refs) == 0 {
			k.warnAt(t.El, "add obj_ref", "the tag %s is empty", t.ID)
		}
	}
	for e := range configuration.Child("acls").All() {
		if e.Name != "role" && e.Name != "role_ref" {
			continue
		}
		if id := e.Attr("id"); id != "" && (k.ids[id] == nil || k.ids[id].Name != "acl_role") {
			k.errorAt(e, didYouMean(id, k.idsOf("acl_role")), "there is no acl_role %q", id)
		}
	}
}

func (k *checker) isNode(id string) bool {
	return slices.ContainsFunc(k.c.Nodes, func(n *Node) bool { return n.ID == id || n.Name == id })
}

func (k *checker) idRef(e *Element, ref string) {
	target := k.ids[ref]
	switch {
	case target == nil:
		k.errorAt(e, didYouMean(ref, k.idsOf(e.Name)), "id-ref=%q of <%s> leads nowhere", ref, e.Name)
	case target.Name != e.Name:
		k.errorAt(e, didYouMean(ref, k.idsOf(e.Name)), "id-ref=%q of <%s> leads to a <%s>", ref, e.Name, target.Name)
	case (&decoder{cib: k.c, byID: k.ids}).resolve(e) == nil:
		k.errorAt(e, "let one of them say what it is", "id-ref=%q of <%s> leads round in a circle", ref, e.Name)
	}
}

// knownIDs are all ids, in order.
func (k *checker) knownIDs() []string { return k.idsOf("") }

// idsOf are the ids of elements of one name (empty: any), in order.
func (k *checker) idsOf(name string) []string {
	var list []string
	for id, e := range k.ids {
		if name == "" || e.Name == name {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// rule checks what is inside a rule.
func (k *checker) rule(e *Element) {
	expressions := 0
	for c := range e.Elements() {
		expressions++
		switch c.Name {
		case "expression":
			k.expression(c)
		case "date_expression":
			k.dateExpression(c)
		}
	}
	if expressions == 0 {
		k.errorAt(e, "add an expression", "the rule %s has no expression", e.Attr("id"))
	}
	if e.Attr("score") != "" && e.Attr("score-attribute") != "" {
		k.errorAt(e, "take one of them out", "the rule %s has both a score and a score-attribute", e.Attr("id"))
	}
}

func (k *checker) expression(e *Element) {
	op := strings.ToLower(e.Attr("operation"))
	_, hasValue := e.Lookup("value")
	switch {
	case strings.HasSuffix(op, "defined") && hasValue:
		k.warnAt(e, "take it out", "operation=%q does not look at the value", op)
	case op != "" && !strings.HasSuffix(op, "defined") && e.Attr("value") == "":
		k.errorAt(e, "add a value, or use defined or not_defined", "operation=%q has nothing to compare with", op)
	}
}

func (k *checker) dateExpression(e *Element) {
	_, start := e.Lookup("start")
	_, end := e.Lookup("end")
	duration, spec := e.Child("duration") != nil, e.Child("date_spec")
	switch op := strings.ToLower(e.Attr("operation")); op {
	case "gt":
		if !start {
			k.errorAt(e, "add it", "operation=%q has no start", op)
		}
	case "lt":
		if !end {
			k.errorAt(e, "add it", "operation=%q has no end", op)
		}
	case "date_spec":
		if spec == nil {
			k.errorAt(e, "add it", "operation=%q has no <date_spec>", op)
		}
	case "", "in_range":
		if !start && !end {
			k.errorAt(e, "add one of them", "a range of time has neither start nor end")
		} else if duration && !start {
			k.errorAt(e, "add it", "a range of time has a duration but no start")
		}
		from, okFrom := ParseTime(e.Attr("start"))
		if to, ok := ParseTime(e.Attr("end")); ok && okFrom && to.Before(from) {
			k.errorAt(e, "swap them", "the range of time ends before it starts")
		}
	}
	if _, old := spec.Lookup("yearsdays"); old {
		k.warnAt(e, "write yeardays", "yearsdays is not looked at")
	}
}
