package cib

import (
	"strings"
	"time"
)

// ParseTime reads a date and time in the forms of ISO 8601 that Pacemaker takes: "2005-01-20", "20050120",
// "2005-020" (day of the year), "2005-W03-4" (week date), each with a time of day after a blank or a T:
// "12", "12:30", "12:30:45", "123045", and behind that Z, or a blank and an offset like "+02:00". "epoch" is
// 1970-01-01. Without an offset it is UTC.
//
// As in Pacemaker 2.1 an offset that follows the time without a blank is not seen, nor is anything else
// that follows; Check warns of it.
func ParseTime(s string) (time.Time, bool) {
	if word, _, _ := strings.Cut(s, " "); strings.EqualFold(word, "epoch") {
		return time.Unix(0, 0).UTC(), true
	}
	day, rest, ok := parseDay(s)
	if !ok {
		return time.Time{}, false
	}
	if rest == "" || rest[0] != ' ' && rest[0] != 'T' || len(rest) > 1 && rest[1] == ' ' || len(rest) == 1 {
		return day, true
	}
	seconds, rest, ok := parseTimeOfDay(strings.TrimPrefix(rest[1:], "+"))
	offset, okOffset := parseOffset(rest)
	if !ok || !okOffset {
		return time.Time{}, false
	}
	return day.Add(time.Duration(seconds-offset) * time.Second), true
}

// parseDay reads a calendar, ordinal or week date at the beginning of s.
func parseDay(s string) (day time.Time, rest string, ok bool) {
	year, n := digits(s, 8)
	switch {
	case n == 0:
		return day, s, false
	case n == 8: // 20050120
		return calendarDay(year/10000, year/100%100, year%100, s[n:])
	case n == len(s) || s[n] != '-' || year == 0:
		return day, s, false
	}
	s = s[n+1:]
	if week, isWeek := strings.CutPrefix(s, "W"); isWeek {
		return weekDay(year, week)
	}
	second, n := digits(s, 9)
	if n == 0 {
		return day, s, false
	}
	if n < len(s) && s[n] == '-' {
		third, n3 := digits(s[n+1:], 2)
		day, rest, ok = calendarDay(year, second, third, s[n+1+n3:])
		return day, rest, ok && !startsWithDigit(rest)
	}
	if second < 1 || second > daysIn(year) {
		return day, s, false
	}
	return time.Date(year, 1, second, 0, 0, 0, 0, time.UTC), s[n:], true
}

func calendarDay(year, month, dayOfMonth int, rest string) (time.Time, string, bool) {
	t := time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC)
	ok := year > 0 && month >= 1 && month <= 12 && dayOfMonth >= 1 && t.Day() == dayOfMonth
	return t, rest, ok
}

// weekDay reads "03-4" of the year's weeks: week 1 is the one with the year's first Thursday.
func weekDay(year int, s string) (time.Time, string, bool) {
	week, n := digits(s, 2)
	if n == 0 || n+1 >= len(s) || s[n] != '-' {
		return time.Time{}, s, false
	}
	day, n2 := digits(s[n+1:], 1)
	if n2 == 0 || day < 1 || day > 7 || week < 1 {
		return time.Time{}, s, false
	}
	inFirst := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	t := inFirst.AddDate(0, 0, (week-1)*7+day-isoWeekday(inFirst))
	y, w := t.ISOWeek()
	rest := s[n+1+n2:]
	return t, rest, y == year && w == week && !startsWithDigit(rest)
}

// isoWeekday is 1 on Mondays and 7 on Sundays.
func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func daysIn(year int) int { return time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() }

// parseTimeOfDay reads "12", "12:30:45" or "123045" as seconds; 24:00:00 is the end of the day.
func parseTimeOfDay(s string) (seconds int, rest string, ok bool) {
	var part [3]int
	for i := range part {
		v, n := digits(s, 2)
		if n == 0 {
			if i == 0 {
				return 0, s, false
			}
			break
		}
		part[i], s = v, s[n:]
		if i < 2 && len(s) > 1 && s[0] == ':' && s[1] >= '0' && s[1] <= '9' {
			s = s[1:]
		}
	}
	seconds = part[0]*3600 + part[1]*60 + part[2]
	return seconds, s, seconds <= 86400 && part[1] < 60 && part[2] < 60
}

// parseOffset reads what follows the time of day as seconds to the east of Greenwich: after a blank, a sign
// that may be missing and hours with or without minutes. What does not begin like that is no offset.
func parseOffset(s string) (seconds int, ok bool) {
	s, ok = strings.CutPrefix(s, " ")
	if !ok {
		return 0, true
	}
	s = strings.TrimLeft(s, " ")
	sign := 1
	if s != "" && (s[0] == '+' || s[0] == '-') {
		if s[0] == '-' {
			sign = -1
		}
		s = strings.TrimLeft(s[1:], " ")
	}
	if !startsWithDigit(s) {
		return 0, true
	}
	seconds, _, ok = parseTimeOfDay(s)
	return sign * seconds, ok
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// digits reads up to most digits: their value and number.
func digits(s string, most int) (value, n int) {
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		value = value*10 + int(s[n]-'0')
		n++
	}
	return value, n
}

// executionDate reads seconds since the epoch.
func executionDate(s string) time.Time {
	n, _, ok := leadingInt(s)
	if !ok || n <= 0 || n > maxUnix {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799
