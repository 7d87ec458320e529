package cib

import (
	"strings"
	"time"
)

// dateSpec is a <date_spec>: every field that is given must contain the time.
type dateSpec []dateField

// dateField is one attribute of a date_spec as a range; open ends are noLimit.
type dateField struct {
	name      string
	of        func(time.Time) int
	low, high int
}

// noLimit marks the open end of a range.
const noLimit = -1

func (s dateSpec) holds(now time.Time) bool {
	for _, f := range s {
		v := f.of(now)
		if f.low != noLimit && v < f.low || f.high != noLimit && v > f.high {
			return false
		}
	}
	return true
}

// newDateSpec reads the attributes of a date_spec. A range that cannot be read restricts nothing, nor does
// an attribute that is unknown.
func newDateSpec(attrs []Attr) dateSpec {
	var s dateSpec
	for _, a := range attrs {
		of := dateFieldOf(a.Name)
		low, high, ok := parseRange(a.Value)
		if of != nil && ok {
			s = append(s, dateField{a.Name, of, low, high})
		}
	}
	return s
}

// dateFieldOf returns what a date_spec attribute is about. The schemas' older name of yeardays, yearsdays, is
// not among them: Pacemaker 2.1 does not read it.
func dateFieldOf(name string) func(time.Time) int {
	switch name {
	case "seconds":
		return time.Time.Second
	case "minutes":
		return time.Time.Minute
	case "hours":
		return time.Time.Hour
	case "monthdays":
		return time.Time.Day
	case "weekdays":
		return isoWeekday
	case "yeardays":
		return time.Time.YearDay
	case "months":
		return func(t time.Time) int { return int(t.Month()) }
	case "weeks":
		return func(t time.Time) int { _, w := t.ISOWeek(); return w }
	case "years":
		return time.Time.Year
	case "weekyears":
		return func(t time.Time) int { y, _ := t.ISOWeek(); return y }
	case "moon":
		return moonPhase
	}
	return nil
}

// parseRange reads "9", "9-17", "9-" or "-17".
func parseRange(s string) (low, high int, ok bool) {
	from, to, isRange := strings.Cut(s, "-")
	low, ok = parseLimit(from)
	if !ok {
		return 0, 0, false
	}
	if !isRange {
		return low, low, low != noLimit
	}
	high, ok = parseLimit(to)
	return low, high, ok && (low != noLimit || high != noLimit)
}

func parseLimit(s string) (int, bool) {
	if s == "" {
		return noLimit, true
	}
	v, n := digits(s, 9)
	return v, n == len(s)
}

// moonPhase is the phase of the moon, 0 new to 4 full to 7, from the year's golden number and epact.
func moonPhase(t time.Time) int {
	golden := t.Year()%19 + 1
	epact := (11*golden + 18) % 30
	if epact == 25 && golden > 11 || epact == 24 {
		epact++
	}
	return ((t.YearDay()+epact)*6 + 11) % 177 / 22 & 7
}
