package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Placed is what a location constraint is about: a resource, or those whose ids fit a pattern.
type Placed struct {
	Name    string
	Pattern bool
}

func (p Placed) attr() cib.Attr {
	if p.Pattern {
		return cib.Attr{Name: "rsc-pattern", Value: p.Name}
	}
	return cib.Attr{Name: "rsc", Value: p.Name}
}

func (d *Draft) checkPlaced(p Placed) bool { return p.Pattern || d.constrainable(p.Name) }

// NodeScore is a node and how much it is preferred.
type NodeScore struct{ Node, Score string }

// Prefer makes a resource prefer nodes, or avoid them. What was said of the same resource and node before is
// replaced.
func Prefer(d *Draft, what Placed, nodes []NodeScore, avoid bool) error {
	ok := d.checkPlaced(what)
	for i, n := range nodes {
		if avoid && strings.HasPrefix(n.Score, "+") {
			ok = d.Fail("invalid score '%s': a score to avoid a node with has no sign", n.Score)
		}
		if n.Score == "" {
			nodes[i].Score = "INFINITY"
		}
		ok = d.checkScore(nodes[i].Score) && ok
		if n.Node == "" {
			ok = d.Fail("the name of a node is missing before '=%s'", n.Score)
		}
		if avoid {
			nodes[i].Score = negative(nodes[i].Score)
		}
	}
	if !ok {
		return d.Refused()
	}
	for _, n := range nodes {
		id := SanitizeID("location-" + what.Name + "-" + n.Node + "-" + n.Score)
		d.locate(id, what, n, nil)
	}
	return nil
}

func negative(score string) string {
	if rest, ok := strings.CutPrefix(score, "-"); ok {
		return rest
	}
	return "-" + score
}

// locate puts a location constraint in the place of those of the same id, and of the same resource and node.
func (d *Draft) locate(id string, what Placed, n NodeScore, options []Pair) {
	for {
		same := d.Where(func(e *cib.Element) bool {
			if e.Name != "rsc_location" {
				return false
			}
			name, ok := e.Lookup(what.attr().Name)
			return e.ID() == id || ok && name == what.Name && e.Attr("node") == n.Node
		})
		if len(same) == 0 {
			break
		}
		d.Put(same[0], nil)
	}
	attrs := []cib.Attr{{Name: "id", Value: d.Free(id)}, what.attr(), {Name: "node", Value: n.Node}, {Name: "score", Value: n.Score}}
	d.addConstraint("rsc_location", append(attrs, attrList(options)...))
}

// AddLocation makes a location constraint with an id of its own.
func AddLocation(d *Draft, id string, what Placed, n NodeScore, options []Pair) error {
	for _, o := range options {
		if o.Name != "resource-discovery" {
			d.Doubt("bad option '%s'", o.Name)
		}
	}
	ok := d.CheckID(id, "constraint id")
	if p := d.Find(id); ok && p != nil && p.Last().Name != "rsc_location" {
		ok = d.Fail("id '%s' already exists: %s; choose another constraint id", id, d.describe(id))
	}
	ok = d.checkScore(n.Score) && ok
	ok = d.checkPlaced(what) && ok
	if err := d.Refused(); err != nil || !ok {
		return err
	}
	d.locate(id, what, n, options)
	return nil
}

// RemoveLocation takes a location constraint out.
func RemoveLocation(d *Draft, id string) error {
	p := d.Find(id, "rsc_location")
	if p == nil {
		return d.refuse("resource location id: %s not found%s", id, d.otherThing(id))
	}
	d.Put(p, nil)
	return nil
}

// ruleOptions are those of a rule of a constraint: id, role, score, score-attribute.
func (d *Draft) ruleOptions(options []Pair) []cib.Attr {
	score, _ := Lookup(options, "score")
	by, hasBy := Lookup(options, "score-attribute")
	role, _ := Lookup(options, "role")
	var attrs []cib.Attr
	if role != "" {
		if !slices.Contains([]string{"master", "slave", "promoted", "unpromoted"}, strings.ToLower(role)) {
			d.Fail("invalid role '%s', use 'Master', 'Promoted', 'Slave' or 'Unpromoted'", role)
		}
		attrs = append(attrs, cib.Attr{Name: "role", Value: d.oldRole(role)})
	}
	switch {
	case score != "" && hasBy:
		d.Fail("can not specify both score and score-attribute")
	case hasBy:
		return append(attrs, cib.Attr{Name: "score-attribute", Value: by})
	case score == "":
		score = "INFINITY"
	default:
		d.checkScore(score)
	}
	return append(attrs, cib.Attr{Name: "score", Value: score})
}

// oldRole is Role that notes an older name.
func (d *Draft) oldRole(role string) string {
	now := map[string]string{"master": "Promoted", "slave": "Unpromoted"}[strings.ToLower(role)]
	if now != "" {
		d.Deprecate("Value '%s' of option role is deprecated and should not be used, use '%s' value instead", role, now)
	}
	return d.Role(role)
}

// LocationByRule makes a location constraint that a rule decides about. Its options are those of the rule, and
// constraint-id and resource-discovery.
func LocationByRule(d *Draft, what Placed, options []Pair, rule *Rule) error {
	d.checkPlaced(what)
	id := d.Free("location-" + what.Name)
	if given, ok := Lookup(options, "constraint-id"); ok {
		d.NewID(given, "constraint id")
		id = given
	}
	attrs := []cib.Attr{{Name: "id", Value: id}, what.attr()}
	if discovery, ok := Lookup(options, "resource-discovery"); ok {
		attrs = append(attrs, cib.Attr{Name: "resource-discovery", Value: discovery})
	}
	el := d.checkedRule(id, options, rule)
	if err := d.Refused(); err != nil {
		return err
	}
	sense := ruleSense(el)
	d.duplicate(d.Where(func(e *cib.Element) bool {
		name, ok := e.Lookup(what.attr().Name)
		inside := slices.Collect(e.Elements())
		return e.Name == "rsc_location" && ok && name == what.Name && len(inside) == 1 && inside[0].Name == "rule" && ruleSense(inside[0]) == sense
	}))
	if err := d.Refused(); err != nil {
		return err
	}
	d.addConstraint("rsc_location", attrs, el)
	return nil
}

// checkedRule makes the element of a rule of a constraint.
func (d *Draft) checkedRule(constraint string, options []Pair, rule *Rule) *cib.Element {
	attrs := d.ruleOptions(options)
	id, ok := Lookup(options, "id")
	if ok {
		d.NewID(id, "rule id")
	} else {
		id = constraint + "-rule"
	}
	if len(d.problems) > 0 {
		return nil
	}
	return d.NewRule(id, rule, LocationRule, attrs...)
}

// AddRule gives a location constraint one more rule. A score or node of the constraint goes: the rules decide then.
func AddRule(d *Draft, constraint string, options []Pair, rule *Rule) error {
	p := d.Find(constraint, "rsc_location")
	if p == nil {
		return d.refuse("Unable to find constraint: %s%s", constraint, d.otherThing(constraint))
	}
	el := d.checkedRule(constraint, options, rule)
	if err := d.Refused(); err != nil {
		return err
	}
	d.Put(p, p.Last().Without("node").Without("score").WithChild(el))
	return nil
}
