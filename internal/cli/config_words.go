package cli

import (
	"fmt"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// constraint tells of a constraint in a sentence.
func (f *facts) constraint(k any) {
	switch k := k.(type) {
	case *cib.Location:
		f.add("location "+k.ID, "", locationWords(k))
	case *cib.Colocation:
		f.add("colocation "+k.ID, "", colocationWords(k))
	case *cib.Order:
		f.add("order "+k.ID, "", orderWords(k))
	case *cib.TicketConstraint:
		what := words(k.Rsc, setWords(k.Sets))
		if k.RscRole != "" {
			what += " as " + k.RscRole
		}
		what += " needs ticket " + k.Ticket
		if k.LossPolicy != "" {
			what += "; if it is lost: " + k.LossPolicy
		}
		f.add("ticket constraint "+k.ID, "", what)
	}
}

func locationWords(l *cib.Location) string {
	who := words(l.Rsc, setWords(l.Sets))
	if l.RscPattern != "" {
		who = "everything like " + when(l.Negate, "!") + l.RscPattern
	}
	if l.Role != "" {
		who += " as " + l.Role
	}
	var parts []string
	if l.Node != "" {
		parts = append(parts, likes(l.Score)+" "+l.Node+" ("+l.Score+")")
	}
	for _, r := range l.Rules {
		score := r.Score
		if r.ScoreAttribute != "" {
			score = "by attribute " + r.ScoreAttribute
		}
		parts = append(parts, likes(score)+" nodes where "+ruleWords(r)+" ("+score+")")
	}
	if l.Discovery != "" && l.Discovery != "always" {
		parts = append(parts, "resource discovery "+l.Discovery)
	}
	return who + " " + strings.Join(parts, ", ")
}

func likes(score string) string {
	if n, ok := cib.ParseScore(score); ok && n < 0 {
		return "avoids"
	}
	return "prefers"
}

func colocationWords(c *cib.Colocation) string {
	var s string
	if len(c.Sets) > 0 {
		s = "together: " + setWords(c.Sets)
	} else {
		s = words(c.Rsc, when(c.RscRole != "", "as "+c.RscRole)) + " "
		if n, ok := cib.ParseScore(c.Score); ok && n < 0 {
			s += "apart from "
		} else {
			s += "together with "
		}
		s += words(c.With, when(c.WithRole != "", "as "+c.WithRole))
	}
	if c.Score != "" {
		s += " (" + c.Score + ")"
	}
	if c.NodeAttribute != "" && c.NodeAttribute != "#uname" {
		s += ", by node attribute " + c.NodeAttribute
	}
	if c.Influence != "" {
		s += ", influence " + c.Influence
	}
	return s
}

func orderWords(o *cib.Order) string {
	var s string
	if len(o.Sets) > 0 {
		s = setWords(o.Sets)
	} else {
		s = words(orDefault(o.FirstAction, "start"), o.First, "then", orDefault(o.ThenAction, orDefault(o.FirstAction, "start")), o.Then)
	}
	kind := o.Kind
	if kind == "" && o.Score != "" {
		kind = "score " + o.Score
	}
	var notes []string
	if kind != "" {
		notes = append(notes, kind)
	}
	if v, ok := cib.ParseBool(o.Symmetrical); ok && !v {
		notes = append(notes, "not the other way round for stops")
	}
	if v, ok := cib.ParseBool(o.RequireAll); ok && !v {
		notes = append(notes, "one instance is enough")
	}
	if len(notes) > 0 {
		s += " (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// setWords writes resource sets: "(a b) then-set (c d, in any order)".
func setWords(sets []*cib.ResourceSet) string {
	var parts []string
	for _, s := range sets {
		inside := strings.Join(s.Refs, " ")
		for _, note := range []string{when(!s.Sequential, "independent"), when(!s.RequireAll, "one is enough"), s.Action, s.Role, s.Score} {
			if note != "" {
				inside += ", " + note
			}
		}
		parts = append(parts, "("+inside+")")
	}
	return strings.Join(parts, " ")
}

// ruleWords writes a rule the way a person would note it down.
func ruleWords(r *cib.Rule) string {
	var parts []string
	for _, x := range r.Exprs {
		switch x := x.(type) {
		case *cib.Rule:
			parts = append(parts, "("+ruleWords(x)+")")
		case *cib.AttrExpr:
			parts = append(parts, words(x.Attribute, x.Operation, x.Value))
		case *cib.DateExpr:
			parts = append(parts, dateWords(x))
		case *cib.RscExpr:
			parts = append(parts, "agent "+agent(orDefault(x.Class, "*"), orDefault(x.Provider, "*"), orDefault(x.Type, "*")))
		case *cib.OpExpr:
			parts = append(parts, words("operation", x.Name, when(x.Interval != "", "every "+x.Interval)))
		}
	}
	if r.Or {
		return strings.Join(parts, " or ")
	}
	return strings.Join(parts, " and ")
}

func dateWords(x *cib.DateExpr) string {
	const layout = "2006-01-02 15:04:05"
	switch x.Operation {
	case "gt":
		return "after " + x.Start.UTC().Format(layout)
	case "lt":
		return "before " + x.End.UTC().Format(layout)
	case "date_spec":
		return fmt.Sprintf("the time fits date_spec %s", x.ID)
	}
	return "from " + x.Start.UTC().Format(layout) + " to " + x.End.UTC().Format(layout)
}
