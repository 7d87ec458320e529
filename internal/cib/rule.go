package cib

import "time"

// Rule is one <rule>: a boolean combination of expressions, with the score it gives where it holds.
type Rule struct {
	ID             string
	Or             bool   // boolean-op="or"; "and" is the default
	Score          string // empty when absent
	ScoreAttribute string
	Role           string
	Exprs          []Expr // a *Rule for nested rules
	El             *Element
}

// Expr is *Rule, *AttrExpr, *DateExpr, *RscExpr or *OpExpr.
type Expr interface {
	// eval decides the expression; unless next is nil it moves next forward to when that may change by time alone
	eval(in *RuleInput, next *time.Time) bool
}

// RuleInput is what a rule may look at. A nil field makes expressions about it false. Nothing here
// writes to it.
type RuleInput struct {
	Now      time.Time
	NodeAttr func(name string) (string, bool) // node attributes
	Params   map[string]string                // value-source="param": resource parameters
	Meta     map[string]string                // value-source="meta": resource meta attributes
	Role     string                           // "Started", "Promoted", ... ; empty: any
	Rsc      *RscMatch
	Op       *OpMatch
	Match    []string // submatches of a location's rsc-pattern, %0 first: replaced in attribute names
}

// RscMatch is the agent that an <rsc_expression> is held against.
type RscMatch struct{ Class, Provider, Type string }

// OpMatch is the operation that an <op_expression> is held against.
type OpMatch struct {
	Name       string
	IntervalMS int64
}

// Holds reports whether the rule holds. A rule without expressions holds if it is an "and".
func (r *Rule) Holds(in *RuleInput) bool { return r.eval(in, nil) }

// NextChange returns when, after in.Now, the rule may change its mind by time alone; zero: never. Only what
// was looked at to decide now counts, and a date_spec is not foreseen: look again now and then.
func (r *Rule) NextChange(in *RuleInput) time.Time {
	var next time.Time
	r.eval(in, &next)
	return next
}

func (r *Rule) eval(in *RuleInput, next *time.Time) bool {
	for _, x := range r.Exprs {
		if x.eval(in, next) == r.Or {
			return r.Or
		}
	}
	return !r.Or
}

// HoldsAny reports whether one of the rules holds, or there is none: that is when a set of name/value
// pairs counts and a lifetime runs.
func HoldsAny(rules []*Rule, in *RuleInput) bool {
	holds, _ := HoldsAnyUntil(rules, in)
	return holds
}

// HoldsAnyUntil is HoldsAny that also returns when the answer may change by time alone (zero: never).
func HoldsAnyUntil(rules []*Rule, in *RuleInput) (bool, time.Time) {
	var next time.Time
	for _, r := range rules {
		if r.eval(in, &next) {
			return true, next
		}
	}
	return len(rules) == 0, next
}
