package cib

import (
	"strings"
	"time"
)

// DateExpr is a <date_expression>. Times are zero when absent or unreadable.
type DateExpr struct {
	ID        string
	Operation string // gt, lt, in_range (or empty), date_spec
	Start     time.Time
	End       time.Time // from the start and the <duration> when there is no end
	Spec      dateSpec
}

// eval holds the expression against the time. What a date_spec will do next is not foreseen: the cluster
// looks again at its recheck interval.
func (x *DateExpr) eval(in *RuleInput, next *time.Time) bool {
	if in.Now.IsZero() {
		return false
	}
	switch strings.ToLower(x.Operation) {
	case "date_spec":
		return x.Spec.holds(in.Now.UTC())
	case "gt":
		if x.Start.IsZero() || in.Now.After(x.Start) {
			return !x.Start.IsZero()
		}
		noteChange(next, x.Start.Add(time.Second))
	case "lt":
		if in.Now.Before(x.End) {
			noteChange(next, x.End)
			return true
		}
	case "in_range", "":
		return x.inRange(in.Now, next)
	}
	return false
}

// inRange holds from the start to the second of the end; one of them may be open.
func (x *DateExpr) inRange(now time.Time, next *time.Time) bool {
	switch {
	case x.Start.IsZero() && x.End.IsZero():
		return false
	case now.Before(x.Start):
		noteChange(next, x.Start)
		return false
	case x.End.IsZero():
		return true
	case now.After(x.End):
		return false
	}
	noteChange(next, x.End.Add(time.Second))
	return true
}

func noteChange(next *time.Time, t time.Time) {
	if next != nil {
		*next = earliest(*next, t)
	}
}

// addDuration adds what the attributes of a <duration> say. Years keep the day of the year, months the day
// of the month as far as the month has it.
func addDuration(t time.Time, attrs []Attr) time.Time {
	var d isoDuration
	for _, a := range attrs {
		n := int64(parseInt(a.Value, 0))
		if n < -maxDuration || n > maxDuration {
			continue
		}
		switch a.Name {
		case "years":
			d.years = n
		case "months":
			d.months = n
		case "weeks":
			d.weeks = n
		case "days":
			d.days = n
		case "hours":
			d.hours = n
		case "minutes":
			d.minutes = n
		case "seconds":
			d.seconds = n
		}
	}
	return d.addTo(t)
}

// maxDuration limits each field of a duration.
const maxDuration = 1 << 31

func (d *isoDuration) addTo(t time.Time) time.Time {
	clock := t.Sub(t.Truncate(24 * time.Hour))
	year := min(t.Year()+int(d.years), 1<<20)
	yearDay := min(t.YearDay(), daysIn(year))
	if t.YearDay() == 366 {
		yearDay = 366
	}
	t = time.Date(year, 1, yearDay, 0, 0, 0, 0, time.UTC)

	first := time.Date(t.Year(), t.Month()+time.Month(d.months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	t = first.AddDate(0, 0, min(t.Day(), last)-1)

	seconds := (d.hours*60+d.minutes)*60 + d.seconds + int64(clock/time.Second)
	days := d.weeks*7 + d.days + seconds/86400
	return t.AddDate(0, 0, int(days)).Add(time.Duration(seconds%86400) * time.Second)
}
