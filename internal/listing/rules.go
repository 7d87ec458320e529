package listing

import (
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// RuleOptions say how rules are shown.
type RuleOptions struct {
	// Full shows ids.
	Full bool
	// All shows what has expired, too, and marks it.
	All bool
	// Now decides what has expired; zero: nothing is looked at.
	Now time.Time
}

// ruleText is how one listing shows rules.
type ruleText struct {
	RuleOptions
	// quoted puts values with blanks in quotes and writes "to" even where a range has no beginning, as
	// listings of defaults do.
	quoted bool
	typed  bool // as a user would have to type it: names with blanks in quotes, too
	// mark returns what is said of a rule: " (expired)" or nothing.
	mark string
}

// lines shows a rule with everything in it.
func (t ruleText) lines(rule *cib.Element) Lines {
	head := "Rule" + t.mark + ":"
	for _, p := range otherAttrs(rule, "id", "id-ref") {
		if p.name == "role" {
			p.value = role(p.value)
		}
		head += " " + p.name + "=" + p.value
	}
	out := Lines{t.withID(head, rule)}
	for e := range rule.Elements() {
		switch e.Name {
		case "rule":
			inner := t
			if t.quoted {
				inner.mark = ""
			}
			out = append(out, inner.lines(e).In(2)...)
		default:
			out = append(out, t.expression(e).In(2)...)
		}
	}
	return out
}

func (t ruleText) withID(line string, e *cib.Element) string {
	if t.Full {
		return line + " (id:" + e.ID() + ")"
	}
	return line
}

// expression shows an expression that is no rule; a date_spec or duration inside has a line of its own.
func (t ruleText) expression(e *cib.Element) Lines {
	text := t.words(e)
	if text != "" {
		text = " " + text
	}
	out := Lines{t.withID("Expression:"+text, e)}
	for _, part := range []struct{ name, title string }{{"date_spec", "Date Spec:"}, {"duration", "Duration:"}} {
		if c := e.Child(part.name); c != nil {
			out = append(out, t.withID("  "+part.title+" "+fields(c), c))
		}
	}
	return out
}

func fields(e *cib.Element) string {
	return strings.Join(words(otherAttrs(e, "id")), " ")
}

// words is an expression in the language in which rules are typed, without what has a line of its own.
func (t ruleText) words(e *cib.Element) string {
	switch e.Name {
	case "expression":
		return t.comparison(e)
	case "date_expression":
		return t.date(e)
	case "rsc_expression":
		return "resource " + strings.Join([]string{e.Attr("class"), e.Attr("provider"), e.Attr("type")}, ":")
	case "op_expression":
		text := "op " + e.Attr("name")
		if interval, ok := e.Lookup("interval"); ok {
			text += " interval=" + interval
		}
		return text
	}
	return e.Name
}

func (t ruleText) comparison(e *cib.Element) string {
	operation := e.Attr("operation")
	value, ok := e.Lookup("value")
	if !ok {
		return operation + " " + t.name(e)
	}
	parts := []string{t.name(e), operation}
	if kind := e.Attr("type"); kind != "" {
		parts = append(parts, kind)
	}
	if t.quoted {
		value = quote(value)
	}
	return strings.Join(append(parts, value), " ")
}

// name is the attribute of a comparison.
func (t ruleText) name(e *cib.Element) string {
	if t.typed {
		return quote(e.Attr("attribute"))
	}
	return e.Attr("attribute")
}

func (t ruleText) date(e *cib.Element) string {
	operation := e.Attr("operation")
	if operation == "date_spec" {
		return ""
	}
	parts := []string{"date", operation}
	start, hasStart := e.Lookup("start")
	end, hasEnd := e.Lookup("end")
	if hasStart {
		parts = append(parts, start)
	}
	switch {
	case operation == "in_range" && hasEnd && (hasStart || t.quoted):
		parts = append(parts, "to", end)
	case operation == "in_range" && e.Child("duration") != nil:
		parts = append(parts, "to", "duration")
	case hasEnd:
		parts = append(parts, end)
	}
	return strings.Join(parts, " ")
}

// RuleString is a rule in one line, in the language in which rules are typed.
func RuleString(rule *cib.Element) string {
	var parts []string
	for e := range rule.Elements() {
		if e.Name == "rule" {
			parts = append(parts, "("+RuleString(e)+")")
		} else {
			parts = append(parts, exprString(e))
		}
	}
	operator := rule.Attr("boolean-op")
	if operator == "" {
		operator = "and"
	}
	return strings.Join(parts, " "+operator+" ")
}

func exprString(e *cib.Element) string {
	if spec := e.Child("date_spec"); spec != nil && e.Attr("operation") == "date_spec" {
		return "date-spec " + fields(spec)
	}
	text := ruleText{quoted: true, typed: true}.words(e)
	if d := e.Child("duration"); d != nil {
		text += " " + fields(d)
	}
	return text
}

// effects tells of each rule whether time alone has decided it.
type effects map[*cib.Element]cib.Effect

// effectsOf looks at all rules of constraints and defaults; without a time at none.
func effectsOf(c *cib.CIB, now time.Time) effects {
	known := make(effects)
	if now.IsZero() {
		return known
	}
	add := func(rules []*cib.Rule) {
		for _, r := range rules {
			known[r.El] = r.Effect(now)
		}
	}
	for _, l := range c.Locations {
		add(l.Rules)
	}
	for _, sets := range [][]*cib.NVSet{c.RscDefaults, c.OpDefaults} {
		for _, s := range sets {
			add(s.Rules)
		}
	}
	return known
}

func mark(e cib.Effect) string {
	switch e {
	case cib.Expired:
		return " (expired)"
	case cib.NotYet:
		return " (not yet in effect)"
	}
	return ""
}
