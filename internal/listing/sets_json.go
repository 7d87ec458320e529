package listing

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// setJSON is a set of pairs with what it depends on.
type setJSON struct {
	ID      string       `json:"id"`
	Options object       `json:"options"`
	Rule    *ruleJSON    `json:"rule"`
	Pairs   []nvpairJSON `json:"nvpairs"`
}

type nvpairJSON struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// ruleJSON is a rule or an expression in one.
type ruleJSON struct {
	ID          string     `json:"id"`
	Type        string     `json:"type"`
	InEffect    string     `json:"in_effect"`
	Options     object     `json:"options"`
	DateSpec    *partJSON  `json:"date_spec"`
	Duration    *partJSON  `json:"duration"`
	Expressions []ruleJSON `json:"expressions"`
	AsString    string     `json:"as_string"`
}

type partJSON struct {
	ID      string `json:"id"`
	Options object `json:"options"`
}

// object is a JSON object whose keys keep their order.
type object []pair

func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, p := range o {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, encode(p.name)...), ':'), encode(p.value)...)
	}
	return append(out, '}'), nil
}

// attributesBut are the attributes of an element, as they were written, without those named.
func attributesBut(e *cib.Element, but ...string) object {
	o := object{}
	for name, value := range e.Attrs() {
		if !slices.Contains(but, name) {
			o = append(o, pair{name: name, value: value})
		}
	}
	return o
}

// setsOf reads the sets of a kind of an element.
func setsOf(e *cib.Element, kind string) []setJSON {
	list := []setJSON{}
	for _, set := range children(e, kind) {
		s := setJSON{ID: set.ID(), Options: attributesBut(set, "id"), Pairs: pairsJSON(byID(pairsOf(set)))}
		if rule := set.Child("rule"); rule != nil {
			r := ruleOf(rule)
			s.Rule = &r
		}
		list = append(list, s)
	}
	return list
}

func pairsJSON(pairs []pair) []nvpairJSON {
	list := []nvpairJSON{}
	for _, p := range pairs {
		list = append(list, nvpairJSON{p.id, p.name, p.value})
	}
	return list
}

// ruleType is what rules and expressions are called in JSON.
func ruleType(e *cib.Element) string {
	switch e.Name {
	case "rule":
		return "RULE"
	case "date_expression":
		return "DATE_EXPRESSION"
	case "rsc_expression":
		return "RSC_EXPRESSION"
	case "op_expression":
		return "OP_EXPRESSION"
	}
	return "EXPRESSION"
}

// ruleOf reads a rule. Whether it is in effect is not looked at.
func ruleOf(e *cib.Element) ruleJSON {
	r := ruleJSON{ID: e.ID(), Type: ruleType(e), InEffect: "UNKNOWN", Options: attributesBut(e, "id"),
		DateSpec: partOf(e, "date_spec"), Duration: partOf(e, "duration"), Expressions: []ruleJSON{}}
	if e.Name != "rule" {
		r.AsString = exprString(e)
		return r
	}
	r.AsString = RuleString(e)
	for x := range e.Elements() {
		r.Expressions = append(r.Expressions, ruleOf(x))
	}
	return r
}

func partOf(e *cib.Element, name string) *partJSON {
	p := e.Child(name)
	if p == nil {
		return nil
	}
	return &partJSON{p.ID(), attributesBut(p, "id")}
}
