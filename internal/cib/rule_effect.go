package cib

import (
	"strings"
	"time"
)

// Effect says what time alone has decided about a rule.
type Effect uint8

const (
	EffectUnknown Effect = iota // no date in it, several, or one that comes again and again
	InEffect
	Expired
	NotYet
)

// Effect tells whether the rule's time has come or gone, by the single date expression in it, however deep.
// As crm_rule does, it looks at no other expression and does not judge a date_spec without years.
func (r *Rule) Effect(now time.Time) Effect {
	dates := r.dates(nil)
	if len(dates) != 1 {
		return EffectUnknown
	}
	return dates[0].effect(now)
}

func (r *Rule) dates(found []*DateExpr) []*DateExpr {
	for _, x := range r.Exprs {
		switch x := x.(type) {
		case *DateExpr:
			found = append(found, x)
		case *Rule:
			found = x.dates(found)
		}
	}
	return found
}

func (x *DateExpr) effect(now time.Time) Effect {
	switch strings.ToLower(x.Operation) {
	case "gt":
		switch {
		case x.Start.IsZero():
			return EffectUnknown
		case now.After(x.Start):
			return InEffect
		}
		return NotYet
	case "lt":
		switch {
		case x.End.IsZero():
			return EffectUnknown
		case now.Before(x.End):
			return InEffect
		}
		return Expired
	case "in_range", "":
		switch {
		case x.Start.IsZero() && x.End.IsZero():
			return EffectUnknown
		case now.Before(x.Start):
			return NotYet
		case !x.End.IsZero() && now.After(x.End):
			return Expired
		}
		return InEffect
	case "date_spec":
		return x.Spec.effect(now.UTC())
	}
	return EffectUnknown
}

// effect judges by the years.
func (s dateSpec) effect(now time.Time) Effect {
	result := EffectUnknown
	for _, f := range s {
		switch f.name {
		case "moon":
			return EffectUnknown
		case "years":
			switch {
			case f.high != noLimit && now.Year() > f.high:
				result = Expired
			case f.low != noLimit && now.Year() < f.low:
				result = NotYet
			case s.holds(now):
				result = InEffect
			}
		}
	}
	return result
}
