package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Constraints shows all constraints, kind by kind.
func Constraints(c *cib.CIB, o RuleOptions) Lines {
	out := Locations(c, o)
	out = append(out, Orders(c, o.Full)...)
	out = append(out, Colocations(c, o.Full)...)
	return append(out, Tickets(c, o.Full)...)
}

// Orders shows the ordering constraints.
func Orders(c *cib.CIB, full bool) Lines {
	return plainAndSets("Ordering Constraints:", c, "rsc_order", full, orderText)
}

// Colocations shows the colocation constraints.
func Colocations(c *cib.CIB, full bool) Lines {
	return plainAndSets("Colocation Constraints:", c, "rsc_colocation", full, colocationText)
}

// Tickets shows the ticket constraints.
func Tickets(c *cib.CIB, full bool) Lines {
	return plainAndSets("Ticket Constraints:", c, "rsc_ticket", full, ticketText)
}

// plainAndSets shows the constraints of a kind: those between resources first, then those on sets.
func plainAndSets(title string, c *cib.CIB, kind string, full bool, plain func(*cib.Element) string) Lines {
	out := Lines{title}
	var sets Lines
	for _, e := range children(section(c, "constraints"), kind) {
		if e.Child("resource_set") != nil {
			sets = append(sets, "    "+withID(setsText(e, full), e, full))
		} else {
			out = append(out, "  "+withID(plain(e), e, full))
		}
	}
	if len(sets) > 0 {
		out = append(append(out, "  Resource Sets:"), sets...)
	}
	return out
}

func withID(line string, e *cib.Element, full bool) string {
	if full {
		return line + " (id:" + e.ID() + ")"
	}
	return line
}

func orderText(e *cib.Element) string {
	text := strings.TrimSpace(e.Attr("first-action")+" "+e.Attr("first")) + " then " +
		strings.TrimSpace(e.Attr("then-action")+" "+e.Attr("then"))
	switch {
	case e.Attr("kind") != "":
		text += " (kind:" + e.Attr("kind") + ")"
	case e.Attr("score") != "":
		text += " (score:" + e.Attr("score") + ")"
	default:
		text += " (kind:Mandatory)"
	}
	if yes, ok := cib.ParseBool(e.Attr("symmetrical")); ok && !yes {
		text += " (non-symmetrical)"
	}
	if more := otherAttrs(e, "id", "first", "then", "first-action", "then-action", "kind", "score", "symmetrical"); len(more) > 0 {
		text += " (Options: " + joined(more) + ")"
	}
	return text
}

func colocationText(e *cib.Element) string {
	text := e.Attr("rsc") + " with " + e.Attr("with-rsc") + " (score:" + e.Attr("score") + ")"
	for _, p := range otherAttrs(e, "id", "rsc", "with-rsc", "score") {
		text += " (" + p.name + ":" + ofRole(p) + ")"
	}
	return text
}

func ticketText(e *cib.Element) string {
	return strings.TrimSpace(role(e.Attr("rsc-role"))+" "+e.Attr("rsc")) + " " + joined(otherAttrs(e, "id", "rsc", "rsc-role"))
}

// setsText is a constraint on sets, in the language in which it is typed.
func setsText(e *cib.Element, full bool) string {
	var parts []string
	for _, set := range children(e, "resource_set") {
		words := []string{"set"}
		for _, ref := range children(set, "resource_ref") {
			words = append(words, ref.ID())
		}
		if options := joined(otherAttrs(set, "id")); options != "" {
			words = append(words, options)
		}
		parts = append(parts, withID(strings.Join(words, " "), set, full))
	}
	if options := joined(otherAttrs(e, "id")); options != "" {
		parts = append(parts, "setoptions "+options)
	}
	return strings.Join(parts, " ")
}

// joined is a list of name=value, without quotes, roles by their new names.
func joined(pairs []pair) string {
	var list []string
	for _, p := range pairs {
		list = append(list, p.name+"="+ofRole(p))
	}
	return strings.Join(list, " ")
}

func ofRole(p pair) string {
	switch p.name {
	case "role", "rsc-role", "with-rsc-role":
		return role(p.value)
	}
	return p.value
}
