package cib

import "strings"

// rules reads the rules directly under e.
func (d *decoder) rules(e *Element) []*Rule {
	var rules []*Rule
	for c := range e.Elements() {
		if c.Name == "rule" {
			if r := d.rule(c); r != nil {
				rules = append(rules, r)
			}
		}
	}
	return rules
}

func (d *decoder) rule(e *Element) *Rule {
	if e = d.resolve(e); e == nil {
		return nil
	}
	if r, ok := d.ruled[e]; ok {
		return r
	}
	if d.ruled == nil {
		d.ruled = make(map[*Element]*Rule)
	}
	d.ruled[e] = nil
	r := &Rule{ID: e.Attr("id"), Or: strings.EqualFold(e.Attr("boolean-op"), "or"), Score: e.Attr("score"),
		ScoreAttribute: e.Attr("score-attribute"), Role: e.Attr("role"), El: e}
	for c := range e.Elements() {
		if x := d.expr(c); x != nil {
			r.Exprs = append(r.Exprs, x)
		}
	}
	d.ruled[e] = r
	return r
}

// expr reads one expression of a rule; nil if the element is none.
func (d *decoder) expr(e *Element) Expr {
	switch e.Name {
	case "rule":
		if r := d.rule(e); r != nil {
			return r
		}
	case "expression":
		return &AttrExpr{ID: e.Attr("id"), Attribute: e.Attr("attribute"), Operation: e.Attr("operation"),
			Value: e.Attr("value"), Type: e.Attr("type"), Source: e.Attr("value-source")}
	case "date_expression":
		return dateExpr(e)
	case "rsc_expression":
		return &RscExpr{ID: e.Attr("id"), Class: e.Attr("class"), Provider: e.Attr("provider"), Type: e.Attr("type")}
	case "op_expression":
		x := &OpExpr{ID: e.Attr("id"), Name: e.Attr("name")}
		if s, ok := e.Lookup("interval"); ok {
			x.IntervalMS, x.Interval = durationOrZero(s), s
		}
		return x
	}
	return nil
}

func durationOrZero(s string) int64 {
	ms, _ := ParseDuration(s)
	return ms
}

func dateExpr(e *Element) *DateExpr {
	x := &DateExpr{ID: e.Attr("id"), Operation: e.Attr("operation")}
	x.Start, _ = ParseTime(e.Attr("start"))
	x.End, _ = ParseTime(e.Attr("end"))
	for c := range e.Elements() {
		switch c.Name {
		case "duration":
			if !x.Start.IsZero() && x.End.IsZero() {
				x.End = addDuration(x.Start, c.AttrList())
			}
		case "date_spec":
			x.Spec = newDateSpec(c.AttrList())
		}
	}
	return x
}
