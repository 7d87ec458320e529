package listing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// location is a location constraint as it is listed.
type location struct {
	el    *cib.Element
	rules []*cib.Element
	mark  string // " (expired)" when all its rules are
}

// placed is what a location constraint is about: a resource, a pattern, or a list of resources.
func (l location) placed() string {
	if pattern, ok := l.el.Lookup("rsc-pattern"); ok {
		return "Resource pattern: " + pattern
	}
	if sets := children(l.el, "resource_set"); len(sets) > 0 {
		var parts []string
		for _, set := range sets {
			for _, ref := range children(set, "resource_ref") {
				parts = append(parts, ref.ID())
			}
		}
		return "Resources: " + strings.Join(parts, " ")
	}
	return "Resource: " + l.el.Attr("rsc")
}

// forbids reports whether a resource is kept away from the node.
func (l location) forbids() bool { return strings.HasPrefix(l.el.Attr("score"), "-") }

// locationsOf reads the location constraints that are to be shown.
func locationsOf(c *cib.CIB, o RuleOptions, known effects) []location {
	var list []location
	for _, e := range children(section(c, "constraints"), "rsc_location") {
		l := location{el: e, rules: children(e, "rule")}
		if len(l.rules) > 0 && !slices.ContainsFunc(l.rules, func(r *cib.Element) bool { return known[r] != cib.Expired }) {
			if !o.All {
				continue
			}
			l.mark = mark(cib.Expired)
		}
		list = append(list, l)
	}
	return list
}

// Locations shows the location constraints, resource by resource. It shows those whose rules have all expired
// only when asked for All. Of resources and patterns ("regexp%PATTERN") that are named, if any, it shows only those.
func Locations(c *cib.CIB, o RuleOptions, of ...string) Lines {
	known := effectsOf(c, o.Now)
	list := locationsOf(c, o, known)
	out := Lines{"Location Constraints:"}
	for _, title := range titles(list) {
		if len(of) > 0 && !slices.Contains(of, nameOf(title)) {
			continue
		}
		mine := slices.DeleteFunc(slices.Clone(list), func(l location) bool { return l.placed() != title })
		out = append(out, "  "+title)
		out = append(out, enabledOn("Enabled on:", mine, false, o).In(4)...)
		out = append(out, enabledOn("Disabled on:", mine, true, o).In(4)...)
		out = append(out, ruled(mine, o, known).In(4)...)
	}
	return out
}

// titles returns what the constraints are about, patterns first.
func titles(list []location) []string {
	var all []string
	for _, l := range list {
		all = append(all, l.placed())
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return slices.Compact(all)
}

func rank(title string) int {
	if strings.HasPrefix(title, "Resource pattern: ") {
		return 0
	}
	return 1
}

// nameOf is how a user names what a title is about.
func nameOf(title string) string {
	if pattern, ok := strings.CutPrefix(title, "Resource pattern: "); ok {
		return "regexp%" + pattern
	}
	return strings.TrimPrefix(title, "Resource: ")
}

func enabledOn(title string, list []location, forbidden bool, o RuleOptions) Lines {
	var out Lines
	for _, l := range list {
		if len(l.rules) == 0 && l.forbids() == forbidden {
			out = append(out, "  Node: "+l.el.Attr("node")+l.options("0", o))
		}
	}
	if len(out) > 0 {
		out = append(Lines{title}, out...)
	}
	return out
}

// options are the score and what else a constraint says.
func (l location) options(score string, o RuleOptions) string {
	if s, ok := l.el.Lookup("score"); ok {
		score = s
	}
	text := " (score:" + score + ")"
	if r := l.el.Attr("role"); r != "" {
		text += " (role:" + role(r) + ")"
	}
	return withID(text+l.discovery(), l.el, o.Full)
}

func (l location) discovery() string {
	if d := l.el.Attr("resource-discovery"); d != "" {
		return " (resource-discovery=" + d + ")"
	}
	return ""
}

// ruled shows the constraints that have rules, sorted by id.
func ruled(list []location, o RuleOptions, known effects) Lines {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b location) int { return cmp.Compare(a.el.ID(), b.el.ID()) })
	var out Lines
	for _, l := range list {
		if len(l.rules) == 0 {
			continue
		}
		out = append(out, "Constraint"+l.mark+": "+l.el.ID()+l.discovery())
		for _, r := range l.rules {
			t := ruleText{RuleOptions: o}
			if o.All && known[r] == cib.Expired {
				t.mark = mark(cib.Expired)
			}
			out = append(out, t.lines(r).In(2)...)
		}
	}
	return out
}

// LocationsByNode shows the location constraints node by node, and the rules after that. Of nodes that are named, if
// any, it shows only those.
func LocationsByNode(c *cib.CIB, o RuleOptions, of ...string) Lines {
	known := effectsOf(c, o.Now)
	every := o
	every.All = true
	list, shown := locationsOf(c, every, known), locationsOf(c, o, known)
	var nodes []string
	for _, l := range list {
		if node := l.el.Attr("node"); len(of) == 0 || slices.Contains(of, node) {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	out := Lines{"Location Constraints:"}
	for _, node := range slices.Compact(nodes) {
		out = append(out, "  Node: "+node)
		out = append(out, allowed("Allowed to run:", list, node, false, o).In(4)...)
		out = append(out, allowed("Not allowed to run:", list, node, true, o).In(4)...)
	}
	withRules := slices.DeleteFunc(slices.Clone(list), func(l location) bool { return len(l.rules) == 0 })
	for _, title := range titles(withRules) {
		out = append(out, "  "+title)
		mine := slices.DeleteFunc(slices.Clone(shown), func(l location) bool { return l.placed() != title })
		out = append(out, ruled(mine, o, known).In(4)...)
	}
	return out
}

func allowed(title string, list []location, node string, forbidden bool, o RuleOptions) Lines {
	var out Lines
	for _, l := range list {
		if l.el.Attr("node") == node && l.forbids() == forbidden {
			out = append(out, "  "+l.placed()+l.options("0", o))
		}
	}
	if len(out) > 0 {
		out = append(Lines{title}, out...)
	}
	return out
}

// References shows the ids of the constraints that name a resource: directly first, then in sets, each sorted.
func References(c *cib.CIB, resource string) Lines {
	var direct, inSets Lines
	for e := range section(c, "constraints").Elements() {
		for _, name := range []string{"rsc", "with-rsc", "first", "then"} {
			if e.Attr(name) == resource {
				direct = append(direct, "  "+e.ID())
				break
			}
		}
		for _, set := range children(e, "resource_set") {
			if set.Find("resource_ref", resource) != nil {
				inSets = append(inSets, "  "+e.ID())
				break
			}
		}
	}
	slices.Sort(direct)
	slices.Sort(inSets)
	out := slices.Concat(Lines{"Resource: " + resource}, direct, inSets)
	if len(out) == 1 {
		out = append(out, "  No Matches.")
	}
	return out
}
