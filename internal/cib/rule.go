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
	holds(in *RuleInput) bool
}

// RuleInput is what a rule may look at. A nil field makes expressions about it false.
type RuleInput struct {
	Now      time.Time
	NodeAttr func(name string) (string, bool) // node attributes
	Params   map[string]string                // value-source="param": resource parameters
	Meta     map[string]string                // value-source="meta": resource meta attributes
	Role     string                           // "Started", "Promoted", ... ; empty: any
	Rsc      *RscMatch
	Op       *OpMatch
	Match    []string // submatches of a location's rsc-pattern, %0 first: replaced in attribute names and values
}

// RscMatch is the agent that an <rsc_expression> is held against.
type RscMatch struct{ Class, Provider, Type string }

// OpMatch is the operation that an <op_expression> is held against.
type OpMatch struct {
	Name       string
	IntervalMS int64
}

func (r *Rule) holds(in *RuleInput) bool { return r.Holds(in) }

// Holds reports whether the rule holds.
func (r *Rule) Holds(in *RuleInput) bool { panic("to be written") }

// NextChange returns when, after in.Now, the rule may change its mind by time alone; zero: never.
func (r *Rule) NextChange(in *RuleInput) time.Time { panic("to be written") }

// Evaluate merges sets into one map: sets whose rules hold, by descending score, the first value of a
// name wins. first names a set id that goes before all others whatever its score (empty: none).
// It also returns when the outcome may change by time alone (zero: never).
func Evaluate(sets []*NVSet, in *RuleInput, first string) (map[string]string, time.Time) {
	panic("to be written")
}
