package listing

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// ConstraintKinds are the elements that are constraints, in the order in which they are listed.
func ConstraintKinds() []string {
	return []string{"rsc_location", "rsc_order", "rsc_colocation", "rsc_ticket"}
}

// ConstraintCommands shows constraints of those kinds as the commands of a shell that make them again. It returns the ids
// of those that no command makes, too.
func ConstraintCommands(c *cib.CIB, kinds ...string) (commands Lines, skipped []string) {
	var list []Lines
	for _, kind := range kinds {
		for _, e := range children(section(c, "constraints"), kind) {
			made := constraintCommands(e)
			if made == nil {
				skipped = append(skipped, e.ID())
			}
			list = append(list, made...)
		}
	}
	return joinCommands(list), skipped
}

// constraintCommands are the commands that make a constraint, nil if none do.
func constraintCommands(e *cib.Element) []Lines {
	noun := map[string]string{"rsc_location": "location", "rsc_order": "order", "rsc_colocation": "colocation", "rsc_ticket": "ticket"}[e.Name]
	if len(children(e, "resource_set")) > 0 {
		if noun == "location" {
			return nil
		}
		return []Lines{setsCommand(e, "pcs -- constraint "+noun)}
	}
	switch noun {
	case "location":
		return locationCommands(e)
	case "order":
		options := slices.Concat(attrs(e, "id", "kind"), otherAttrs(e, "id", "kind", "first", "then", "first-action", "then-action"))
		return []Lines{{"pcs -- constraint order " + end(e.Attr("first-action"), e.Attr("first")) + " then " + end(e.Attr("then-action"), e.Attr("then")), "  " + shellPairs(options)}}
	case "colocation":
		score := e.Attr("score")
		if score == "" {
			score = "INFINITY"
		}
		options := slices.Concat([]pair{{name: "score", value: score}}, attrs(e, "id"), otherAttrs(e, "id", "score", "rsc", "with-rsc", "rsc-role", "with-rsc-role"))
		return []Lines{{"pcs -- constraint colocation add " + end(role(e.Attr("rsc-role")), e.Attr("rsc")) + " with " + end(role(e.Attr("with-rsc-role")), e.Attr("with-rsc")), "  " + shellPairs(options)}}
	}
	options := attrs(e, "id", "loss-policy")
	return []Lines{{"pcs -- constraint ticket add " + shell(e.Attr("ticket")) + " " + end(role(e.Attr("rsc-role")), e.Attr("rsc")), "  " + shellPairs(options)}}
}

// end is a resource with the action or role before it, if there is one.
func end(what, resource string) string {
	if what == "" {
		return shell(resource)
	}
	return shell(what) + " " + shell(resource)
}

func locationCommands(e *cib.Element) []Lines {
	resource := "resource%" + e.Attr("rsc")
	if pattern, ok := e.Lookup("rsc-pattern"); ok {
		resource = "regexp%" + pattern
	}
	rules := children(e, "rule")
	switch {
	case len(rules) == 0 && e.Attr("role") != "", e.Child("lifetime") != nil, len(rules) == 0 && e.Attr("node") == "":
		return nil
	case len(rules) == 0:
		command := Lines{"pcs -- constraint location add " + shell(e.ID()) + " " + shell(resource) + " " + shell(e.Attr("node")) + " " + shell(e.Attr("score"))}
		if options := attrs(e, "resource-discovery"); len(options) > 0 {
			command = append(command, "  "+shellPairs(options))
		}
		return []Lines{command}
	}
	var list []Lines
	for i, r := range rules {
		options := append(attrs(r, "id", "score", "score-attribute"), renamedRole(r)...)
		head := "pcs -- constraint rule add " + shell(e.ID())
		if i == 0 {
			head = "pcs -- constraint location " + shell(resource) + " rule"
			options = slices.Concat([]pair{{name: "constraint-id", value: e.ID()}}, attrs(e, "resource-discovery"), options)
		}
		list = append(list, Lines{head, "  " + shellPairs(options), "  " + shell(RuleString(r))})
	}
	return list
}

func renamedRole(rule *cib.Element) []pair {
	if r := rule.Attr("role"); r != "" {
		return []pair{{name: "role", value: role(r)}}
	}
	return nil
}

func setsCommand(e *cib.Element, head string) Lines {
	command := Lines{head}
	for _, set := range children(e, "resource_set") {
		line := "  set " + shellIDs(children(set, "resource_ref"))
		options := otherAttrs(set, "id")
		for i := range options {
			options[i].value = ofRole(options[i])
		}
		if len(options) > 0 {
			line += " " + shellPairs(options)
		}
		command = append(command, line)
	}
	return append(command, "  setoptions "+shellPairs(slices.Concat(attrs(e, "id"), otherAttrs(e, "id"))))
}
