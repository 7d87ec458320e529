package cib

import (
	"strings"
	"time"
)

// Evaluate merges sets, in order of precedence as Decode leaves them, into one map: of the sets that
// count, the first value of a name wins. first names a set id that goes before all others whatever its
// score (empty: none). The value "#default" takes away what sets before it gave. It also returns when the outcome may
// change by time alone (zero: never).
func Evaluate(sets []*NVSet, in *RuleInput, first string) (map[string]string, time.Time) {
	if len(sets) == 0 {
		return nil, time.Time{}
	}
	var next time.Time
	size := 0
	for _, s := range sets {
		size += len(s.Pairs)
	}
	values := make(map[string]string, size)
	if first != "" {
		for _, s := range sets {
			if s.ID == first {
				s.mergeInto(values, in, &next)
			}
		}
	}
	for _, s := range sets {
		if first == "" || s.ID != first {
			s.mergeInto(values, in, &next)
		}
	}
	return values, next
}

func (s *NVSet) mergeInto(values map[string]string, in *RuleInput, next *time.Time) {
	if len(s.Rules) > 0 {
		holds, change := HoldsAnyUntil(s.Rules, in)
		if *next = earliest(*next, change); !holds {
			return
		}
	}
	for _, nv := range s.Pairs {
		if strings.EqualFold(nv.Value, "#default") {
			delete(values, nv.Name)
		} else if _, have := values[nv.Name]; !have {
			values[nv.Name] = nv.Value
		}
	}
}

// Value is what Evaluate gives for one name, and whether it gives anything, without making a map.
func Value(sets []*NVSet, in *RuleInput, name string) (value string, ok bool) {
	for _, s := range sets {
		if len(s.Rules) > 0 && !HoldsAny(s.Rules, in) {
			continue
		}
		for _, nv := range s.Pairs {
			if nv.Name != name {
				continue
			}
			if strings.EqualFold(nv.Value, "#default") {
				value, ok = "", false
			} else if !ok {
				value, ok = nv.Value, true
			}
		}
	}
	return value, ok
}

// earliest returns the earlier of two times of which the zero one means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
