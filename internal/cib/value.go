package cib

import (
	"strconv"
	"strings"
)

// Infinity is the score that no finite score reaches.
const Infinity = 1000000

// ParseScore reads a score: an integer, "INFINITY", "+INFINITY", "-INFINITY" (and red, yellow, green as
// plain words are NOT scores here). It saturates at ±Infinity. ok is false for anything else; the score is
// then what the leading digits say, 0 if there are none, as Pacemaker takes it.
func ParseScore(s string) (score int, ok bool) {
	switch s {
	case "INFINITY", "+INFINITY":
		return Infinity, true
	case "-INFINITY":
		return -Infinity, true
	}
	n, rest, ok := leadingInt(s)
	return int(max(-Infinity, min(Infinity, n))), ok && rest == ""
}

// leadingInt reads the integer that s begins with, after blanks; ok tells whether there is one. It
// saturates far outside of every range in use.
func leadingInt(s string) (n int64, rest string, ok bool) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	negative := i < len(s) && s[i] == '-'
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	start := i
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if n < 1<<58 {
			n = n*10 + int64(s[i]-'0')
		}
	}
	if negative {
		n = -n
	}
	if i == start {
		return 0, s, false
	}
	return n, s[i:], true
}

// parseInt reads an integer, fallback if s does not begin with one.
func parseInt(s string, fallback int) int {
	n, _, ok := leadingInt(s)
	if !ok {
		return fallback
	}
	return int(n)
}

// AddScores adds with saturation; -Infinity wins over +Infinity.
func AddScores(a, b int) int {
	switch {
	case a <= -Infinity || b <= -Infinity:
		return -Infinity
	case a >= Infinity || b >= Infinity:
		return Infinity
	}
	return max(-Infinity, min(Infinity, a+b))
}

// FormatScore writes a score as ParseScore reads it.
func FormatScore(score int) string {
	switch {
	case score >= Infinity:
		return "INFINITY"
	case score <= -Infinity:
		return "-INFINITY"
	}
	return strconv.Itoa(score)
}

// ParseDuration reads a time specification ("10", "10s", "500ms", "5min", "2h", "PT5M") as milliseconds. As in
// Pacemaker the beginning of a unit is enough, so that "5minutes" is five minutes, and a fraction does not count.
// What is longer than a century is a century, so that every time.Duration can hold what comes of it.
func ParseDuration(s string) (ms int64, ok bool) {
	s = strings.TrimLeft(s, " \t\r\n")
	if strings.HasPrefix(s, "P") {
		return isoDurationMS(s)
	}
	if !startsWithDigit(s) {
		return 0, false
	}
	n, unit, _ := leadingInt(s)
	if fraction, ok := strings.CutPrefix(unit, "."); ok {
		unit = strings.TrimLeft(fraction, "0123456789")
	}
	unit = strings.ToLower(strings.TrimSpace(unit))
	switch {
	case unit == "" || unit[0] == 's':
		return min(n, century/1000) * 1000, true
	case strings.HasPrefix(unit, "ms"):
		return min(n, century), true
	case strings.HasPrefix(unit, "us"):
		return min(n/1000, century), true
	case unit[0] == 'm':
		return min(n, century/60_000) * 60_000, true
	case unit[0] == 'h':
		return min(n, century/3600_000) * 3600_000, true
	}
	return 0, false
}

// century is a hundred years in milliseconds, the longest duration there is.
const century = 100 * 365 * 24 * 3600 * 1000

// isoDurationMS reads an ISO 8601 duration; years count 365 days and months 30.
func isoDurationMS(s string) (int64, bool) {
	d, ok := parseISODuration(s)
	if !ok {
		return 0, false
	}
	days := d.years*365 + d.months*30 + d.weeks*7 + d.days
	seconds := days*86400 + d.hours*3600 + d.minutes*60 + d.seconds
	return max(-century/1000, min(century/1000, seconds)) * 1000, true
}

// isoDuration is an ISO 8601 duration by its fields.
type isoDuration struct{ years, months, weeks, days, hours, minutes, seconds int64 }

// parseISODuration reads "P1Y2M3DT4H5M6S" or "P2W". Only M needs the T to tell minutes from months.
func parseISODuration(s string) (d isoDuration, ok bool) {
	s, ok = strings.CutPrefix(strings.TrimRight(s, " "), "P")
	if !ok || s == "" {
		return d, false
	}
	inTime := false
	for s != "" {
		if s[0] == 'T' && !inTime {
			inTime, s = true, s[1:]
			continue
		}
		n, rest, ok := leadingInt(s)
		if !ok || rest == "" || n > maxDuration || n < -maxDuration {
			return d, false
		}
		field := d.field(rest[0], inTime)
		if field == nil {
			return d, false
		}
		*field, s = n, rest[1:]
	}
	return d, true
}

func (d *isoDuration) field(unit byte, inTime bool) *int64 {
	switch unit {
	case 'Y':
		return &d.years
	case 'M':
		if inTime {
			return &d.minutes
		}
		return &d.months
	case 'W':
		return &d.weeks
	case 'D':
		return &d.days
	case 'H':
		return &d.hours
	case 'S':
		return &d.seconds
	}
	return nil
}

// ParseBool reads "true", "on", "yes", "y", "1" and their opposites, in any case.
func ParseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "on", "yes", "y", "1":
		return true, true
	case "false", "off", "no", "n", "0":
		return false, true
	}
	return false, false
}

// boolOr is ParseBool with a default.
func boolOr(s string, fallback bool) bool {
	if v, ok := ParseBool(s); ok {
		return v
	}
	return fallback
}
