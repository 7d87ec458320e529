package configure

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// date reads date gt|lt|in_range.
func (p *ruleParser) date() (*Rule, error) {
	operation := strings.ToLower(p.tokens[p.at+1])
	p.at += 2
	if operation == "in_range" {
		return p.inRange()
	}
	value, err := p.dateValue()
	if err != nil {
		return nil, err
	}
	name := map[string]string{"gt": "start", "lt": "end"}[operation]
	return &Rule{tag: "date_expression", attrs: []cib.Attr{{Name: "operation", Value: operation}, {Name: name, Value: value}}}, nil
}

func (p *ruleParser) dateValue() (string, error) {
	value, err := p.next("a date")
	if err != nil {
		return "", err
	}
	if _, ok := cib.ParseTime(value); !ok {
		return "", fmt.Errorf("'%s' is not an ISO 8601 date, such as 2026-11-30 or 2026-11-30T12:00", value)
	}
	return value, nil
}

// inRange reads what follows date in_range.
func (p *ruleParser) inRange() (*Rule, error) {
	rule := &Rule{tag: "date_expression", attrs: []cib.Attr{{Name: "operation", Value: "in_range"}}}
	start := ""
	if !strings.EqualFold(p.peek(0), "to") {
		value, err := p.dateValue()
		if err != nil {
			return nil, err
		}
		start = value
		rule.attrs = append(rule.attrs, cib.Attr{Name: "start", Value: start})
	} else if p.about == LocationRule {
		return nil, fmt.Errorf("unexpected 'to' where a date should be")
	}
	if word, err := p.next("'to'"); err != nil || !strings.EqualFold(word, "to") {
		return nil, fmt.Errorf("'to' is missing after '%s'", strings.Join(p.tokens[:min(p.at, len(p.tokens))], " "))
	}
	if start != "" && strings.EqualFold(p.peek(0), "duration") {
		p.at++
		spec, err := p.fields("duration")
		rule.inner, rule.spec = "duration", spec
		return rule, err
	}
	end, err := p.dateValue()
	if err != nil {
		return nil, err
	}
	from, _ := cib.ParseTime(start)
	if to, _ := cib.ParseTime(end); p.about != LocationRule && start != "" && !from.Before(to) {
		return nil, fmt.Errorf("'%s' is not sooner than '%s'", start, end)
	}
	rule.attrs = append(rule.attrs, cib.Attr{Name: "end", Value: end})
	return rule, nil
}

func (p *ruleParser) dateSpec() (*Rule, error) {
	p.at++
	spec, err := p.fields("date-spec")
	return &Rule{tag: "date_expression", attrs: []cib.Attr{{Name: "operation", Value: "date_spec"}}, inner: "date_spec", spec: spec}, err
}

// fields reads the NAME=VALUE of a date-spec or a duration, at least one.
func (p *ruleParser) fields(what string) ([]cib.Attr, error) {
	var attrs []cib.Attr
	for {
		name, value, ok := strings.Cut(p.peek(0), "=")
		if !ok {
			break
		}
		p.at++
		low, high, known := fieldLimits(name)
		switch {
		case !known:
			return nil, fmt.Errorf("unexpected '%s=%s' in %s: it knows hours, monthdays, weekdays, yeardays, months, weeks, years, weekyears, moon", name, value, what)
		case value == "":
			return nil, fmt.Errorf("missing value after '%s=' in %s", name, what)
		case what == "duration" && !isNumber(value, 0, maxField), what == "date-spec" && !isRange(value, low, high):
			return nil, fmt.Errorf("invalid %s '%s' in '%s'", name, value, what)
		}
		attrs = cib.SetAttr(attrs, name, value)
	}
	if len(attrs) == 0 {
		return nil, fmt.Errorf("NAME=VALUE is missing after '%s'", what)
	}
	return attrs, nil
}

// maxField limits fields that have no limit of their own.
const maxField = 1 << 30

// fieldLimits are the least and the greatest value of a field of a date.
func fieldLimits(name string) (low, high int, known bool) {
	switch name {
	case "hours":
		return 0, 23, true
	case "monthdays":
		return 1, 31, true
	case "weekdays":
		return 1, 7, true
	case "yeardays", "yearsdays":
		return 1, 366, true
	case "months":
		return 1, 12, true
	case "weeks":
		return 1, 53, true
	case "years", "weekyears":
		return 0, maxField, true
	case "moon":
		return 0, 7, true
	}
	return 0, 0, false
}

func isNumber(s string, low, high int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && strings.Trim(s, "0123456789") == "" && n >= low && n <= high
}

// isRange reports whether a text is a number, or two of them with the lower one first.
func isRange(s string, low, high int) bool {
	from, to, two := strings.Cut(s, "-")
	if !isNumber(from, low, high) {
		return false
	}
	if !two {
		return true
	}
	first, _ := strconv.Atoi(from)
	return isNumber(to, first+1, high)
}
