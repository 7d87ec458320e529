package declare

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
)

// constraintKind says how constraints of one kind are written.
type constraintKind struct {
	tag, key string
	attrs    []string // under their own names
}

func constraintKinds() []constraintKind {
	return []constraintKind{
		{"rsc_location", "location", []string{"node", "score", "role", "resource-discovery"}},
		{"rsc_order", "order", []string{"kind", "score", "symmetrical", "require-all"}},
		{"rsc_colocation", "colocation", []string{"score", "influence", "node-attribute"}},
		{"rsc_ticket", "ticket", []string{"ticket", "rsc-role", "loss-policy"}},
	}
}

// constraint reads what stands under the id of a constraint. Its first key tells what it is.
func (r *reader) constraint(e entry) (*cib.Element, error) {
	what := "constraint " + e.key
	tags := []string{}
	for _, k := range constraintKinds() {
		tags = append(tags, k.tag)
	}
	if isXML(e.value) {
		return r.xml(e.value, what, e.key, tags...)
	}
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	var kind *constraintKind
	for _, k := range constraintKinds() {
		for _, x := range list {
			// The key ticket is an attribute, too: it is what a constraint by ticket names.
			if x.key == k.key && kind == nil {
				kind = &k
			}
		}
	}
	if kind == nil {
		return nil, r.at(e.at, "%s: what is it? It needs one of the keys location, order, colocation, ticket", what)
	}
	b := newBody(e.key)
	for _, x := range list {
		switch {
		case x.key == kind.key && kind.key == "ticket":
			err = r.attr(b, "ticket", x.value, what)
		case x.key == kind.key, x.key == "resource" && kind.key == "ticket":
			err = r.about(b, kind, x.value, what)
		case x.key == "rules" && kind.key == "location":
			err = r.rules(b, x.value, what)
		case slices.Contains(kind.attrs, x.key):
			err = r.attr(b, x.key, x.value, what)
		default:
			err = r.unknown(x, what, append([]string{kind.key, "rules", "resource"}, kind.attrs...))
		}
		if err != nil {
			return nil, err
		}
	}
	return b.element(kind.tag), nil
}

// about reads what a constraint is about: in words, or as a list of sets.
func (r *reader) about(b *body, kind *constraintKind, n *yaml.Node, what string) error {
	if n.Kind == yaml.SequenceNode {
		items, err := r.list(n, what)
		if err != nil {
			return err
		}
		for i, item := range items {
			id := setID(b.attrs[0].Value, i)
			set, err := r.resourceSet(item, id, what)
			if err != nil {
				return err
			}
			b.add(set)
		}
		return nil
	}
	text, err := r.text(n, what)
	if err != nil {
		return err
	}
	switch pattern, is := strings.CutPrefix(text, byPattern); {
	case is && kind.key == "location":
		b.set("rsc-pattern", pattern)
		return nil
	case kind.key == "location", kind.key == "ticket":
		return r.attr(b, "rsc", n, what)
	}
	link := map[string]string{"order": " then ", "colocation": " with "}[kind.key]
	left, right, ok := strings.Cut(text, link)
	first, then := strings.Fields(left), strings.Fields(right)
	if !ok || len(first) < 1 || len(first) > 2 || len(then) < 1 || len(then) > 2 {
		return r.at(n, "%s: '%s' is not understood: write %s", what, text, map[string]string{
			"order": "order: start A then promote B", "colocation": "colocation: A with Promoted B"}[kind.key])
	}
	names := map[string][4]string{"order": {"first", "first-action", "then", "then-action"}, "colocation": {"rsc", "rsc-role", "with-rsc", "with-rsc-role"}}[kind.key]
	for i, part := range [][]string{first, then} {
		b.set(names[2*i], part[len(part)-1])
		if len(part) == 2 {
			b.set(names[2*i+1], part[0])
		}
	}
	return nil
}

// byPattern begins the name of resources that are meant by a regular expression, as pcs has it.
const byPattern = "regexp%"

// setID is the id of the resource set at place i.
func setID(constraint string, i int) string {
	if i == 0 {
		return constraint + "_set"
	}
	return fmt.Sprintf("%s_set-%d", constraint, i)
}

func (r *reader) resourceSet(n *yaml.Node, id, what string) (*cib.Element, error) {
	b := newBody(id)
	if isXML(n) {
		return r.xml(n, what, "", "resource_set")
	}
	members := n
	if n.Kind == yaml.MappingNode {
		list, err := r.entries(n, what)
		if err != nil {
			return nil, err
		}
		members = nil
		for _, k := range list {
			known := []string{"id", "resources", "sequential", "require-all", "ordering", "action", "role", "kind", "score"}
			switch {
			case k.key == "resources":
				members = k.value
			case k.key == "id":
				b.attrs = nil
				err = r.attr(b, "id", k.value, what)
			case contains(known, k.key):
				err = r.attr(b, k.key, k.value, what)
			default:
				err = r.unknown(k, what, known)
			}
			if err != nil {
				return nil, err
			}
		}
		if members == nil {
			return nil, r.at(n, "%s: the set has no resources: {resources: [A, B]}", what)
		}
	}
	refs, err := r.words(members, what)
	if err != nil {
		return nil, err
	}
	for _, id := range refs {
		b.add(newBody(id).element("resource_ref"))
	}
	return b.element("resource_set"), nil
}

func (r *reader) rules(b *body, n *yaml.Node, what string) error {
	items, err := r.list(n, what+": rules")
	if err != nil {
		return err
	}
	for i, item := range items {
		rule, err := r.rule(item, ruleID(b.attrs[0].Value, i), ofConstraints(), what)
		if err != nil {
			return err
		}
		b.add(rule)
	}
	return nil
}

// ruleID is the id of the rule at place i.
func ruleID(constraint string, i int) string {
	if i == 0 {
		return constraint + "-rule"
	}
	return fmt.Sprintf("%s-rule-%d", constraint, i)
}

// writeConstraint is how a constraint is written: in words if they say it all, else as XML.
func writeConstraint(e *cib.Element) *yaml.Node {
	m := mapping()
	i := slices.IndexFunc(constraintKinds(), func(k constraintKind) bool { return k.tag == e.Name })
	if i < 0 {
		return xmlNode(e)
	}
	kind := constraintKinds()[i]
	about := scalar(e.Attr("rsc"))
	switch pattern, is := e.Lookup("rsc-pattern"); {
	case is:
		about = scalar(byPattern + pattern)
	case e.Child("resource_set") != nil:
		about = writeResourceSets(e)
	case kind.key == "order":
		about = scalar(strings.Join(compact(e.Attr("first-action"), e.Attr("first"), "then", e.Attr("then-action"), e.Attr("then")), " "))
	case kind.key == "colocation":
		about = scalar(strings.Join(compact(e.Attr("rsc-role"), e.Attr("rsc"), "with", e.Attr("with-rsc-role"), e.Attr("with-rsc")), " "))
	}
	if kind.key == "ticket" {
		put(m, "ticket", e.Attr("ticket"))
		putNode(m, "resource", about)
	} else {
		putNode(m, kind.key, about)
	}
	for _, name := range kind.attrs {
		if v, ok := e.Lookup(name); ok && name != "ticket" {
			put(m, name, v)
		}
	}
	m.Style = yaml.FlowStyle
	rules := &yaml.Node{Kind: yaml.SequenceNode}
	for c := range e.Elements() {
		if c.Name == "rule" {
			rules.Content = append(rules.Content, writeRule(c, ruleID(e.ID(), len(rules.Content)), ofConstraints()))
		}
	}
	if len(rules.Content) > 0 {
		m.Style = 0
		putNode(m, "rules", rules)
	}
	if got, err := (&reader{}).constraint(entry{e.ID(), scalar(e.ID()), m}); err != nil || !same(got, e) {
		return xmlNode(e)
	}
	return m
}

func writeResourceSets(e *cib.Element) *yaml.Node {
	seq := &yaml.Node{Kind: yaml.SequenceNode}
	i := 0
	for set := range e.Elements() {
		if set.Name != "resource_set" {
			continue
		}
		var refs []string
		for ref := range set.Elements() {
			refs = append(refs, ref.ID())
		}
		n := words(refs)
		if set.ID() != setID(e.ID(), i) || len(set.AttrList()) > 1 {
			m := flow(mapping())
			putNode(m, "resources", n)
			if set.ID() != setID(e.ID(), i) {
				put(m, "id", set.ID())
			}
			putAttrs(m, set, "id")
			n = m
		}
		if got, err := (&reader{}).resourceSet(n, setID(e.ID(), i), ""); err != nil || !same(got, set) {
			n = xmlNode(set)
		}
		seq.Content = append(seq.Content, n)
		i++
	}
	return seq
}

func contains(list []string, word string) bool { return slices.Contains(list, word) }
