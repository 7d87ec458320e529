package cib

import (
	"strings"
	"time"
)

// AttrExpr is an <expression>: a node attribute compared with a value.
type AttrExpr struct {
	ID        string
	Attribute string
	Operation string // lt, gt, lte, gte, eq, ne, defined, not_defined
	Value     string
	Type      string // string, integer, number, version; empty: by the operation and the values
	Source    string // literal (or empty), param, meta
}

// RscExpr is an <rsc_expression>; what is empty matches everything.
type RscExpr struct{ ID, Class, Provider, Type string }

func (x *RscExpr) eval(in *RuleInput, _ *time.Time) bool {
	return in.Rsc != nil && (x.Class == "" || x.Class == in.Rsc.Class) &&
		(x.Provider == "" || x.Provider == in.Rsc.Provider) && (x.Type == "" || x.Type == in.Rsc.Type)
}

// OpExpr is an <op_expression>; Interval is empty when any will do.
type OpExpr struct {
	ID, Name, Interval string
	IntervalMS         int64
}

func (x *OpExpr) eval(in *RuleInput, _ *time.Time) bool {
	return in.Op != nil && x.Name == in.Op.Name && (x.Interval == "" || x.IntervalMS == in.Op.IntervalMS)
}

// eval follows Pacemaker 2.1 where the documentation is silent: an empty value is no value, "eq" holds when
// both sides are missing and "ne" when one is.
func (x *AttrExpr) eval(in *RuleInput, _ *time.Time) bool {
	if in.NodeAttr == nil || x.Attribute == "" {
		return false
	}
	have, defined := in.NodeAttr(substitute(x.Attribute, in.Match))
	op := strings.ToLower(x.Operation)
	switch op {
	case "defined":
		return defined
	case "not_defined":
		return !defined
	}
	want, given := x.value(in)
	if !defined || !given {
		return op == "eq" && defined == given || op == "ne" && defined != given
	}
	c := compareAttr(have, want, x.kind(op, have, want))
	switch op {
	case "eq":
		return c == 0
	case "ne":
		return c != 0
	case "lt":
		return c < 0
	case "lte":
		return c <= 0
	case "gt":
		return c > 0
	case "gte":
		return c >= 0
	}
	return false
}

// value returns what the attribute is compared with.
func (x *AttrExpr) value(in *RuleInput) (string, bool) {
	value := x.Value
	switch x.Source {
	case "param":
		value = in.Params[value]
	case "meta":
		value = in.Meta[value]
	}
	return value, value != ""
}

// substitute replaces %0 to %9 by the submatches of a resource pattern.
func substitute(s string, match []string) string {
	if len(match) == 0 || !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
			if n := int(s[i+1] - '0'); n < len(match) {
				b.WriteString(match[n])
			}
			i++
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// kind is the type that the values are compared as.
func (x *AttrExpr) kind(op, have, want string) string {
	switch {
	case x.Type != "":
		return strings.ToLower(x.Type)
	case op == "eq" || op == "ne":
		return "string"
	case strings.Contains(have, ".") || strings.Contains(want, "."):
		return "number"
	}
	return "integer"
}
