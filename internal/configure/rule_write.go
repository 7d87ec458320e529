package configure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// NewRule makes the element of a rule. more are its attributes besides id and boolean-op: score, role and so on.
func (d *Draft) NewRule(id string, rule *Rule, about RuleFor, more ...cib.Attr) *cib.Element {
	id = d.Free(id)
	attrs := []cib.Attr{{Name: "id", Value: id}}
	switch {
	case rule.op != "":
		attrs = append(attrs, cib.Attr{Name: "boolean-op", Value: rule.op})
	case about != LocationRule:
		attrs = append(attrs, cib.Attr{Name: "boolean-op", Value: "and"})
	}
	attrs = append(attrs, more...)
	parts := rule.parts
	if rule.op == "" {
		parts = []*Rule{rule}
	}
	var children []*cib.Element
	for _, part := range parts {
		if part.op != "" {
			children = append(children, d.NewRule(id+"-rule", part, about, cib.Attr{Name: "score", Value: "0"}))
		} else {
			children = append(children, d.newExpression(id, part))
		}
	}
	return cib.NewElement("rule", attrs, children...)
}

func (d *Draft) newExpression(rule string, x *Rule) *cib.Element {
	suffix := "-expr"
	switch x.tag {
	case "rsc_expression":
		suffix = "-rsc-" + strings.Join(values(x.attrs), "-")
	case "op_expression":
		suffix = "-op-" + x.attrs[0].Value
	}
	id := d.Free(rule + suffix)
	var children []*cib.Element
	if x.inner != "" {
		inner := d.Free(id + "-" + strings.ReplaceAll(x.inner, "_", ""))
		children = append(children, cib.NewElement(x.inner, append([]cib.Attr{{Name: "id", Value: inner}}, x.spec...)))
	}
	return cib.NewElement(x.tag, append([]cib.Attr{{Name: "id", Value: id}}, x.attrs...), children...)
}

func values(attrs []cib.Attr) []string {
	var list []string
	for _, a := range attrs {
		list = append(list, a.Value)
	}
	return list
}

// ruleSense is what a rule decides by, without its score, its ids and the order of its expressions: two rules of the same
// sense are the same condition.
func ruleSense(rule *cib.Element) string {
	var parts []string
	for e := range rule.Elements() {
		if e.Name == "rule" {
			parts = append(parts, "("+ruleSense(e)+")")
			continue
		}
		parts = append(parts, expressionSense(e))
	}
	slices.Sort(parts)
	op := ""
	if len(parts) > 1 {
		op = " " + strings.ToLower(cmp.Or(rule.Attr("boolean-op"), "and")) + " "
	}
	return strings.Join(parts, op)
}

func expressionSense(e *cib.Element) string {
	text := e.Name
	attrs := slices.DeleteFunc(e.AttrList(), func(a cib.Attr) bool { return a.Name == "id" || a.Name == "type" })
	slices.SortFunc(attrs, func(a, b cib.Attr) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range attrs {
		text += " " + a.Name + "=" + a.Value
	}
	for inner := range e.Elements() {
		text += " [" + expressionSense(inner) + "]"
	}
	return text
}
