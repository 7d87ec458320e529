package cib

import "time"

// DateExpr is a <date_expression>.
type DateExpr struct {
	ID         string
	Operation  string // gt, lt, in_range, date_spec
	Start, End string
	Duration   []Attr // of the <duration>, nil if none
	Spec       []Attr // of the <date_spec>, nil if none
}

func (x *DateExpr) holds(in *RuleInput) bool {
	start, hasStart := ParseTime(x.Start)
	end, hasEnd := ParseTime(x.End)
	switch x.Operation {
	case "gt":
		return hasStart && in.Now.After(start)
	case "lt":
		return hasEnd && in.Now.Before(end)
	}
	return (!hasStart || !in.Now.Before(start)) && (!hasEnd || !in.Now.After(end))
}

// NextChange returns when, after in.Now, the rule may change its mind by time alone; zero: never.
func (r *Rule) NextChange(in *RuleInput) time.Time {
	return time.Time{}
}

// ParseTime reads a date.
func ParseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// executionDate reads seconds since the epoch.
func executionDate(s string) time.Time {
	n, _, ok := leadingInt(s)
	if !ok || n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
