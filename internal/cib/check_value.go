package cib

import (
	"fmt"
	"strings"
)

// complain notes what is wrong with a value; of says where it stands, like " of <op>".
func (k *checker) complain(e *Element, kind, name, value, of string) {
	what, fix := badValue(kind, value)
	if what == "" {
		return
	}
	subject := fmt.Sprintf("%s=%q%s", name, value, of)
	severity := Error
	switch kind {
	case "time":
		if _, ok := ParseTime(value); ok {
			severity = Warning
		}
	case "score", "integer", "natural", "positive":
		if _, _, ok := leadingInt(value); ok && what == notAScore || what == notAnInteger && ok {
			severity, what = Warning, what+": only the digits it begins with count"
		}
	}
	k.note(severity, e, fix, "%s is %s", subject, what)
}

const (
	notAScore    = "not a score"
	notAnInteger = "not an integer"
)

// badValue says what is wrong with a value of a kind, and what to do; empty if nothing is.
func badValue(kind, value string) (what, fix string) {
	switch kind {
	case "", "text", "ref":
		return "", ""
	case "id":
		return badID(value)
	case "boolean":
		if _, ok := ParseBool(value); !ok {
			return "neither true nor false", "write true or false"
		}
	case "score":
		if _, ok := ParseScore(value); !ok {
			return notAScore, scoreFix(value)
		}
	case "integer", "natural", "positive":
		return badInteger(kind, value)
	case "duration", "interval", "timeout":
		return badDuration(value)
	case "time":
		return badTime(value)
	case "range":
		if _, _, ok := parseRange(value); !ok {
			return "not a number or range of numbers", `write it like "9" or "9-17"`
		}
	case "role":
		return badChoice("Started|Stopped|Promoted|Unpromoted|Master|Slave", value)
	default:
		return badChoice(kind, value)
	}
	return "", ""
}

func badID(value string) (what, fix string) {
	if value == "" {
		return "empty", "give it a name"
	}
	if i := strings.IndexFunc(value, func(r rune) bool { return r < 0x80 && !nameBytes[r] || r == ':' }); i >= 0 {
		return fmt.Sprintf("not an id: %q cannot be in one", value[i:i+1]), "use letters, digits, '-', '_' and '.'"
	}
	if c := value[0]; c == '-' || c == '.' || c >= '0' && c <= '9' {
		return "not an id: it does not begin with a letter", "begin it with a letter"
	}
	return "", ""
}

func scoreFix(value string) string {
	if strings.Contains(strings.ToLower(value), "inf") {
		return `write "INFINITY" or "-INFINITY"`
	}
	return "write an integer, INFINITY or -INFINITY"
}

func badInteger(kind, value string) (what, fix string) {
	n, rest, ok := leadingInt(value)
	switch {
	case !ok || rest != "":
		return notAnInteger, "write a number"
	case kind == "natural" && n < 0:
		return "negative", "write 0 or more"
	case kind == "positive" && n < 1:
		return "too small", "write 1 or more"
	}
	return "", ""
}

func badDuration(value string) (what, fix string) {
	if ms, ok := ParseDuration(value); !ok || ms < 0 {
		return "not a duration", `write it like "30s", "5min" or "PT5M"`
	}
	return "", ""
}

func badTime(value string) (what, fix string) {
	if _, ok := ParseTime(value); !ok {
		return "not a date", `write it like "2026-01-31 12:30:00Z"`
	}
	if i := strings.IndexAny(value, "T "); i >= 0 {
		clock := value[i+1:]
		if at := strings.IndexAny(clock, "+-"); at > 0 && clock[at-1] != ' ' {
			return "taken as UTC: without a blank before it the offset is not seen", fmt.Sprintf("write %q", value[:i+1]+clock[:at]+" "+clock[at:])
		}
	}
	return "", ""
}

func badChoice(choices, value string) (what, fix string) {
	list := strings.Split(choices, "|")
	for _, c := range list {
		if strings.EqualFold(c, value) {
			return "", ""
		}
	}
	if fix = didYouMean(value, list); fix == "" {
		fix = "write one of " + strings.Join(list, ", ")
	}
	return "unknown", fix
}

// Nearest is the known name that a misspelt one is nearest to, empty if none is near.
func Nearest(name string, known []string) string {
	best, distance := "", max(1, len(name)/3)+1
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// didYouMean proposes the nearest name, empty if none is near.
func didYouMean(name string, known []string) string {
	if best := Nearest(name, known); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return ""
}

// editDistance is how many letters to insert, drop, change or swap with their neighbour make b of a; limit or
// more if it is at least limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
