package configure

import (
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Move is a wish to have a resource on a node, or away from it.
type Move struct {
	ID       string
	Node     string    // for a ban: which it is to leave
	Until    time.Time // zero: until it is taken back
	Promoted bool
	Running  []string // where the resource runs, for a call that names no node
}

// location is the id, role and verb that a move or a ban writes.
func (d *Draft) movable(m *Move, verb string) *cib.Element {
	p := d.resourceFor(m.ID)
	if p == nil {
		return nil
	}
	e := p.Last()
	if m.Promoted {
		v, _ := Lookup(pairsOf(e, "meta_attributes"), "promotable")
		if e.Name != "master" && (e.Name != "clone" || !isTrue(v)) {
			d.Fail("when specifying --promoted you must use the promotable clone id%s", d.cloneAround(p))
		}
	}
	if verb == "move" {
		for _, a := range p {
			switch a.Name {
			case "clone", "master":
				if v, _ := Lookup(pairsOf(a, "meta_attributes"), "promotable"); a.Name == "master" || isTrue(v) {
					if !m.Promoted {
						d.Fail("to move promotable clone resources you must use --promoted and the promotable clone id")
					}
				} else {
					d.Fail("cannot move cloned resources")
				}
			case "bundle":
				d.Fail("cannot move bundle resources")
			}
		}
	}
	return e
}

func (d *Draft) resourceFor(id string) cib.Path {
	p := d.Find(id, resourceTags()...)
	if p == nil {
		d.Fail("bundle/clone/group/resource '%s' does not exist%s", id, d.near(id))
	}
	return p
}

func (d *Draft) cloneAround(p cib.Path) string {
	for _, a := range p[:len(p)-1] {
		if a.Name == "clone" || a.Name == "master" {
			return " (" + a.ID() + ")"
		}
	}
	return ""
}

func (d *Draft) checkNode(node string) {
	if node != "" && !slices.Contains(d.remotes(""), node) {
		d.Fail("Node '%s' does not appear to exist in configuration", node)
	}
}

func (m *Move) role(d *Draft) string {
	if m.Promoted {
		return d.Role("Promoted")
	}
	return "Started"
}

// MoveResource has a resource go to a node by a constraint that stays, or away from where it runs if no node is named.
func MoveResource(d *Draft, m *Move) error {
	e := d.movable(m, "move")
	d.checkNode(m.Node)
	if e == nil || d.Refused() != nil {
		return d.Refused()
	}
	if m.Node == "" {
		return d.ban(e, m)
	}
	d.dropMoves(m.ID, "", m.role(d))
	d.addMove("cli-prefer-"+m.ID, "cli-prefer-", "INFINITY", m.Node, m)
	d.Warn("A move constraint has been created and the resource '%s' may or may not move depending on other configuration", m.ID)
	return nil
}

// BanResource keeps a resource away from a node by a constraint.
func BanResource(d *Draft, m *Move) error {
	e := d.movable(m, "ban")
	d.checkNode(m.Node)
	if e == nil || d.Refused() != nil {
		return d.Refused()
	}
	return d.ban(e, m)
}

func (d *Draft) ban(_ *cib.Element, m *Move) error {
	node := m.Node
	if node == "" {
		switch len(m.Running) {
		case 0:
			return d.refuse("You must specify a node when moving/banning a stopped resource")
		case 1:
			node = m.Running[0]
		default:
			return d.refuse("You must specify a node: %s runs on %s", m.ID, strings.Join(m.Running, ", "))
		}
	}
	id := "cli-ban-" + m.ID + "-on-" + node
	d.addMove(id, "cli-ban-", "-INFINITY", node, m)
	d.Warn("Creating location constraint '%s' with a score of -INFINITY for resource %s on %s. This will prevent %s from running on %s until the constraint is "+
		"removed, even if %s is the last node in the cluster", id, m.ID, node, m.ID, node, node)
	return nil
}

// addMove writes the constraint; one of that id is replaced.
func (d *Draft) addMove(id, prefix, score, node string, m *Move) {
	if p := d.Find(id, "rsc_location"); p != nil {
		d.Put(p, nil)
	}
	attrs := []cib.Attr{{Name: "id", Value: id}, {Name: "rsc", Value: m.ID}, {Name: "role", Value: m.role(d)}}
	if m.Until.IsZero() {
		attrs = append(attrs, cib.Attr{Name: "node", Value: node}, cib.Attr{Name: "score", Value: score})
		d.Add(d.Section("constraints"), cib.NewElement("rsc_location", attrs))
		return
	}
	until := m.Until.UTC().Format("2006-01-02 15:04:05Z")
	rule := cib.NewElement("rule", []cib.Attr{{Name: "id", Value: prefix + "rule-" + m.ID}, {Name: "score", Value: score}, {Name: "boolean-op", Value: "and"}},
		cib.NewElement("expression", []cib.Attr{{Name: "id", Value: prefix + "expr-" + m.ID}, {Name: "attribute", Value: "#uname"},
			{Name: "operation", Value: "eq"}, {Name: "value", Value: node}, {Name: "type", Value: "string"}}),
		cib.NewElement("date_expression", []cib.Attr{{Name: "id", Value: prefix + "lifetime-end-" + m.ID}, {Name: "operation", Value: "lt"}, {Name: "end", Value: until}}))
	d.Add(d.Section("constraints"), cib.NewElement("rsc_location", attrs, rule))
	d.Info("It takes effect until: %s", until)
}

// dropMoves takes out the constraints that moves and bans of a resource have left; node and role may be empty for all.
func (d *Draft) dropMoves(id, node, role string) []string {
	list := d.constraints(func(e *cib.Element) bool {
		if e.Name != "rsc_location" || e.Attr("rsc") != id || role != "" && e.Attr("role") != "" && !strings.EqualFold(e.Attr("role"), role) {
			return false
		}
		if !strings.HasPrefix(e.ID(), "cli-prefer-") && !strings.HasPrefix(e.ID(), "cli-ban-") {
			return false
		}
		return node == "" || nodeOf(e) == node
	})
	for _, one := range list {
		d.Put(d.Find(one, "rsc_location"), nil)
	}
	return list
}

// nodeOf is the node that a constraint of a move or a ban names.
func nodeOf(e *cib.Element) string {
	if n := e.Attr("node"); n != "" {
		return n
	}
	for x := range e.All() {
		if x.Name == "expression" && x.Attr("attribute") == "#uname" {
			return x.Attr("value")
		}
	}
	return ""
}

// ClearMoves takes back what moves and bans have left. now counts with expired: then only what has run out goes.
func ClearMoves(d *Draft, m *Move, expired bool, now time.Time) error {
	p := d.resourceFor(m.ID)
	if p == nil {
		return d.Refused()
	}
	if m.Promoted {
		d.movable(m, "clear")
	}
	d.checkNode(m.Node)
	if err := d.Refused(); err != nil {
		return err
	}
	role := ""
	if m.Promoted {
		role = m.role(d)
	}
	if expired {
		for _, id := range d.constraints(func(e *cib.Element) bool {
			return e.Attr("rsc") == m.ID && isExpired(e, now) && (m.Node == "" || nodeOf(e) == m.Node)
		}) {
			d.Info("Removing constraint: %s", id)
			d.Put(d.Find(id, "rsc_location"), nil)
		}
		return nil
	}
	for _, id := range d.dropMoves(m.ID, m.Node, role) {
		d.Info("Removing constraint: %s", id)
	}
	return nil
}

// isExpired reports whether a constraint of a move or a ban has run out.
func isExpired(e *cib.Element, now time.Time) bool {
	if !strings.HasPrefix(e.ID(), "cli-") {
		return false
	}
	for x := range e.All() {
		if x.Name == "date_expression" {
			end, ok := cib.ParseTime(x.Attr("end"))
			return ok && end.Before(now)
		}
	}
	return false
}
