package cib

import (
	"fmt"
	"slices"
	"strings"
)

// CheckSchema returns what a change makes of a configuration that its schema does not allow, whatever it is meant to be: no tool
// of the field would write it. Unlike Check it goes by the letter of the schema: a time-out is any text there, and "on" is no
// boolean.
func CheckSchema(before, after *CIB) []Problem {
	found := conforms(after)
	if len(found) == 0 {
		return nil
	}
	had := conforms(before)
	return slices.DeleteFunc(found, func(p Problem) bool {
		return slices.ContainsFunc(had, func(q Problem) bool { return q.ID == p.ID && q.What == p.What })
	})
}

// schemaGroups are attributes of which an element has one at the most or, after "!", exactly one; those joined by "+" go
// together.
const schemaGroups = `
op start-delay|interval-origin
rsc_colocation score|score-attribute|score-attribute-mangle
rsc_order score|kind
resource_set score|kind
rule score|score-attribute|score-attribute-mangle
docker masters|promoted-max
podman masters|promoted-max
rkt masters|promoted-max
port-mapping !port|range
port-mapping internal-port|range
storage-mapping !source-dir|source-dir-root
primitive !class+type|template
primitive provider|template
rsc_location rsc|rsc-pattern
fencing-level !target|target-pattern|target-attribute+target-value
acl_permission !xpath|reference|object-type
`

// schemaChildren says of which children an element has one at the most or, after "!", exactly one, and after "+" one at least.
const schemaChildren = `
group +primitive
clone !primitive|group
master !primitive|group
bundle !docker|podman|rkt
bundle primitive
bundle network
bundle storage
resource_set +resource_ref
tag +obj_ref
rule +expression|date_expression|rsc_expression|op_expression|rule
meta_attributes rule
primitive operations
`

// schemaReferences are the attributes that name an id of the document, besides id-ref.
func schemaReferences() map[string][]string {
	return map[string][]string{
		"rsc_location": {"rsc"}, "rsc_colocation": {"rsc", "with-rsc"}, "rsc_order": {"first", "then"}, "rsc_ticket": {"rsc"},
		"resource_ref": {"id"}, "primitive": {"template"}, "role": {"id"}, "acl_permission": {"reference"},
	}
}

// conformReferences notes references to nothing, and ids that are given twice.
func (k *checker) conformReferences(configuration *Element) {
	ids := map[string]bool{}
	for e := range configuration.All() {
		if s := k.shapes[e.Name]; s != nil && s.attr("id").kind == "id" && e.ID() != "" {
			if ids[e.ID()] {
				k.errorAt(e, "give one of them another id", "the id %q of <%s> is taken", e.ID(), e.Name)
			}
			ids[e.ID()] = true
		}
	}
	references := schemaReferences()
	for e := range configuration.All() {
		for _, name := range append(references[e.Name], "id-ref") {
			if to, ok := e.Lookup(name); ok && !ids[to] {
				k.errorAt(e, "", "%s=%q of <%s> names nothing that is there", name, to, e.Name)
			}
		}
	}
}

// conforms lists what a configuration has that its schema does not allow.
func conforms(c *CIB) []Problem {
	k := &checker{c: c, shapes: parseShapes(shapeTable)}
	configuration := c.Root.Child("configuration")
	if configuration == nil {
		return nil
	}
	k.conform(configuration, newSchemaRules(c.Root), "")
	k.conformReferences(configuration)
	return k.problems
}

// schemaRules are the rules of the schema of one document.
type schemaRules struct {
	groups, children map[string][]string
	oldRoles         bool // Promoted and Unpromoted are not known yet
}

func newSchemaRules(root *Element) *schemaRules {
	version, _ := strings.CutPrefix(root.Attr("validate-with"), "pacemaker-")
	return &schemaRules{groups: linesByWord(schemaGroups), children: linesByWord(schemaChildren), oldRoles: version != "" && CompareVersions(version, "3.7") < 0}
}

func linesByWord(table string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(table)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = append(all[name], rest)
	}
	return all
}

// conform checks an element and what is under it. around is the nearest id above.
func (k *checker) conform(e *Element, rules *schemaRules, around string) {
	s := k.shapes[e.Name]
	if s == nil {
		return // complained of where it stands
	}
	at := len(k.problems)
	k.conformAttributes(e, s, rules)
	for _, group := range rules.groups[e.Name] {
		k.conformGroup(e, group)
	}
	for _, rule := range rules.children[e.Name] {
		k.conformChildren(e, rule)
	}
	if id := e.Attr("id"); id != "" {
		around = id
	}
	for i := range k.problems[at:] {
		k.problems[at+i].ID = around
	}
	for c := range e.Elements() {
		if !slices.Contains(s.children, c.Name) {
			k.errorAt(c, didYouMean(c.Name, s.children), "<%s> cannot be in <%s>", c.Name, e.Name)
			continue
		}
		k.conform(c, rules, around)
	}
}

func (k *checker) conformAttributes(e *Element, s *shape, rules *schemaRules) {
	_, reference := e.Lookup("id-ref")
	for name, value := range e.Attrs() {
		a := s.attr(name)
		if a.name == "" {
			k.errorAt(e, didYouMean(name, s.names()), "<%s> has no attribute %s", e.Name, name)
		} else if allowed := rules.allow(e, a, value); allowed != "" {
			k.errorAt(e, "write "+allowed, "%s=%q of <%s> is not allowed", name, value, e.Name)
		}
	}
	for _, a := range s.attrs {
		if _, ok := e.Lookup(a.name); !ok && a.required && !reference {
			k.errorAt(e, "add it", "<%s> has no %s", e.Name, a.name)
		}
	}
	if e.Attr("class") == "ocf" && e.Attr("provider") == "" && (e.Name == "primitive" || e.Name == "template") {
		if _, ok := e.Lookup("provider"); !ok {
			k.errorAt(e, "add it", "<%s> of class ocf has no provider", e.Name)
		}
	}
}

// allow says what an attribute may be, empty if it is that.
func (rules *schemaRules) allow(e *Element, a attrShape, value string) string {
	switch a.kind {
	case "", "text", "ref", "duration", "interval", "time", "range":
		return ""
	case "id":
		if what, _ := badID(value); what != "" {
			return "an id: letters, digits, '-', '_' and '.', a letter first"
		}
		return ""
	case "boolean":
		return oneOf(value, "true", "false", "1", "0")
	case "score":
		if value == "INFINITY" || value == "+INFINITY" || value == "-INFINITY" || isWhole(value) {
			return ""
		}
		return "an integer, INFINITY or -INFINITY"
	case "integer", "natural", "positive":
		if !isWhole(value) || a.kind == "positive" && e.Name == "fencing-level" && strings.Trim(value, "+-0") == "" {
			return "an integer"
		}
		return ""
	case "role":
		switch {
		case e.Name == "rule":
			return ""
		case rules.oldRoles:
			return oneOf(value, "Stopped", "Started", "Master", "Slave")
		}
		return oneOf(value, "Stopped", "Started", "Promoted", "Unpromoted", "Master", "Slave")
	}
	return oneOf(value, strings.Split(a.kind, "|")...)
}

func oneOf(value string, values ...string) string {
	if slices.Contains(values, value) {
		return ""
	}
	return "one of " + strings.Join(values, ", ")
}

// isWhole reports whether a text is an integer of XML Schema: of any length, with or without a sign.
func isWhole(s string) bool {
	if s = strings.TrimSpace(s); s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func (k *checker) conformGroup(e *Element, group string) {
	if _, reference := e.Lookup("id-ref"); reference {
		return
	}
	group, one := strings.CutPrefix(group, "!")
	n := 0
	for name := range strings.SplitSeq(group, "|") {
		all := true
		for part := range strings.SplitSeq(name, "+") {
			_, ok := e.Lookup(part)
			all = all && ok
		}
		if all {
			n++
		}
	}
	if n > 1 || one && n == 0 {
		k.errorAt(e, "", "<%s> has %s of %s", e.Name, howMany(n), strings.ReplaceAll(group, "|", ", "))
	}
}

func (k *checker) conformChildren(e *Element, rule string) {
	if _, reference := e.Lookup("id-ref"); reference {
		return
	}
	names, one := strings.CutPrefix(rule, "!")
	names, least := strings.CutPrefix(names, "+")
	n := 0
	for c := range e.Elements() {
		if slices.Contains(strings.Split(names, "|"), c.Name) {
			n++
		}
	}
	if n > 1 && !least || n == 0 && (one || least) {
		k.errorAt(e, "", "<%s> has %s of <%s>", e.Name, howMany(n), strings.ReplaceAll(names, "|", ">, <"))
	}
}

func howMany(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}
