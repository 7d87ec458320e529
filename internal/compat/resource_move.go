package compat

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// role is the role that a constraint is limited to.
func (r *resourceCall) role() string {
	if r.promoted {
		return "Promoted"
	}
	return "Started"
}

// until is the end of a constraint's life, and whether it has one.
func (r *resourceCall) until() (time.Time, bool, int) {
	if r.lifetime == "" {
		return time.Time{}, false, exitOK
	}
	ms, ok := cib.ParseDuration(r.lifetime)
	end := r.Now().UTC().Add(time.Duration(ms) * time.Millisecond)
	if !ok || !strings.HasPrefix(r.lifetime, "P") {
		r.errorf(0, "Error performing operation: Invalid argument")
		return time.Time{}, false, r.plainErrorf(exitUsage, "Invalid duration specified: %s\nPlease refer to https://en.wikipedia.org/wiki/ISO_8601#Durations for examples of valid durations", r.lifetime)
	}
	r.printf("Migration will take effect until: %s\n", end.Format("2006-01-02 15:04:05Z"))
	return end, true, exitOK
}

// location makes a location constraint for a node. One that ends has a rule.
func (r *resourceCall) location(id, node, score string, end time.Time, ends bool, ruleID, exprID, endID string) *cib.Element {
	el := cib.NewElement("rsc_location", attrs("id", id, "rsc", r.resource, "role", r.role()))
	if !ends {
		return el.With("node", node).With("score", score)
	}
	return el.WithChild(cib.NewElement("rule", attrs("id", ruleID, "score", score, "boolean-op", "and"),
		cib.NewElement("expression", attrs("id", exprID, "attribute", "#uname", "operation", "eq", "value", node, "type", "string")),
		cib.NewElement("date_expression", attrs("id", endID, "operation", "lt", "end", end.Format("2006-01-02 15:04:05Z")))))
}

// replaceConstraint puts a constraint in the place of the one with its id, if there is one.
func replaceConstraint(doc *cib.CIB, el *cib.Element) cib.Edit {
	if findConstraint(doc, el.ID()) {
		return cib.Edit{Op: "replace", XML: el.String()}
	}
	return cib.Edit{Op: "create", Parent: "constraints", XML: el.String()}
}

func findConstraint(doc *cib.CIB, id string) bool {
	return slices.ContainsFunc(doc.Locations, func(l *cib.Location) bool { return l.ID == id })
}

// banOn keeps the resource off a node.
func (r *resourceCall) banOn(node string, before ...cib.Edit) int {
	end, ends, code := r.until()
	if code != exitOK {
		return code
	}
	id := "cli-ban-" + r.resource + "-on-" + node
	if r.outputAs != "xml" && !r.quiet {
		what := "running"
		if r.promoted {
			what = "being promoted"
		}
		r.printf("WARNING: Creating rsc_location constraint '%s' with a score of -INFINITY for resource %s on %s.\n"+
			"\tThis will prevent %s from %s on %s until the constraint is removed using the clear option or by editing the CIB with an appropriate tool\n"+
			"\tThis will be the case even if %s is the last node in the cluster\n", id, r.resource, node, r.resource, what, node, node)
	}
	el := r.location(id, node, "-INFINITY", end, ends, id+"-rule", id+"-expr", id+"-lifetime")
	return r.done(r.open().edit(append(before, replaceConstraint(r.doc, el))...))
}

func (r *resourceCall) ban(v *scheduler.ResourceView) int {
	if r.node != "" {
		return r.banOn(r.nodeView(r.node).Name)
	}
	node, code := r.current(v)
	if code != exitOK {
		return code
	}
	return r.banOn(node)
}

// current is the one node that a ban without a node is about: where the resource is, or where it is promoted.
func (r *resourceCall) current(v *scheduler.ResourceView) (string, int) {
	list := r.places(v)
	if len(list) == 1 {
		return list[0].node, exitOK
	}
	if v.Kind == "clone" && v.Promotable {
		promoted := slices.DeleteFunc(slices.Clone(list), func(p place) bool { return p.role == "" })
		if len(promoted) == 1 {
			return promoted[0].node, exitOK
		}
		return "", r.usage("Resource '" + r.resource + "' not moved: active in " + strconv.Itoa(len(list)) + " locations" + " (promoted in " + strconv.Itoa(len(promoted)) + ").\n" +
			"To prevent '" + r.resource + "' from running on a specific location, specify a node." +
			"To prevent '" + r.resource + "' from being promoted at a specific location, specify a node and the --promoted option.")
	}
	return "", r.usage("Resource '" + r.resource + "' not moved: active in " + strconv.Itoa(len(list)) + " locations.\n" +
		"To prevent '" + r.resource + "' from running on a specific location, specify a node.")
}

// move has the resource prefer a node or, without one, leave the node that it is on.
func (r *resourceCall) move(v *scheduler.ResourceView) int {
	if r.node == "" {
		return r.ban(v)
	}
	node := r.nodeView(r.node).Name
	here := r.places(v)
	if r.promoted && v.Kind == "clone" {
		here = slices.DeleteFunc(slices.Clone(here), func(p place) bool { return p.role == "" })
	}
	there := slices.ContainsFunc(here, func(p place) bool { return p.node == node })
	if there && !r.force && len(here) == 1 {
		return r.sayError(exitExists, "Error performing operation: "+exitWords(exitExists))
	}
	end, ends, code := r.until()
	if code != exitOK {
		return code
	}
	prefer := "cli-prefer-" + r.resource
	var edits []cib.Edit
	for _, id := range []string{prefer, "cli-ban-" + r.resource + "-on-" + node} {
		if findConstraint(r.doc, id) {
			edits = append(edits, cib.Edit{Op: "delete", XPath: "//rsc_location[@id='" + id + "']"})
		}
	}
	el := r.location(prefer, node, "INFINITY", end, ends, "cli-prefer-rule-"+r.resource, "cli-prefer-expr-"+r.resource, "cli-prefer-lifetime-end-"+r.resource)
	edits = append(edits, cib.Edit{Op: "create", Parent: "constraints", XML: el.String()})
	if r.force && len(here) == 1 && !there {
		r.lifetime = ""
		return r.banOn(here[0].node, edits...)
	}
	return r.done(r.open().edit(edits...))
}

func (r *resourceCall) sayError(code int, text string) int {
	if r.outputAs == "xml" {
		return r.result(code, r.call.name+": "+text)
	}
	return r.errorf(code, "%s", text)
}

// clear takes away what moves and bans have made.
func (r *resourceCall) clear() int {
	var gone []string
	for _, l := range r.doc.Locations {
		if l.Rsc != r.resource || !r.made(l) || r.expired && !r.over(l) {
			continue
		}
		gone = append(gone, l.ID)
	}
	slices.Sort(gone)
	if len(gone) == 0 {
		return r.done(nil)
	}
	var edits []cib.Edit
	for _, id := range gone {
		edits = append(edits, cib.Edit{Op: "delete", XPath: "//rsc_location[@id='" + id + "']"})
	}
	err := r.open().edit(edits...)
	if err == nil && r.outputAs != "xml" {
		for _, id := range gone {
			r.printf("Removing constraint: %s\n", id)
		}
	}
	return r.done(err)
}

// made reports whether a constraint was made by a move or a ban, for the node that is meant if one is.
func (r *resourceCall) made(l *cib.Location) bool {
	node, banned := strings.CutPrefix(l.ID, "cli-ban-"+r.resource+"-on-")
	prefers := l.ID == "cli-prefer-"+r.resource
	if r.promoted && !strings.EqualFold(l.Role, "Promoted") && !strings.EqualFold(l.Role, "Master") {
		return false
	}
	switch {
	case r.node == "":
		return banned || prefers
	case banned:
		return node == r.node
	}
	return prefers && (r.force || cmp.Or(l.Node, ruleNode(l)) == r.node)
}

// ruleNode is the node that the rule of such a constraint is about.
func ruleNode(l *cib.Location) string {
	for e := range l.El.All() {
		if e.Name == "expression" && e.Attr("attribute") == "#uname" {
			return e.Attr("value")
		}
	}
	return ""
}

// over reports whether the life of a constraint has ended.
func (r *resourceCall) over(l *cib.Location) bool {
	for e := range l.El.All() {
		if e.Name != "date_expression" {
			continue
		}
		end, ok := cib.ParseTime(e.Attr("end"))
		return ok && end.Before(r.Now())
	}
	return false
}
