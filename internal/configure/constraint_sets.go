package configure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Set is a set of resources of a constraint, with its options.
type Set struct {
	Resources []string
	Options   []Pair
}

// SetKind is a kind of constraints on sets.
type SetKind string

const (
	OrderSets      SetKind = "order"
	ColocationSets SetKind = "colocation"
	TicketSets     SetKind = "ticket"
)

// ConstrainSets makes a constraint on sets of resources.
func ConstrainSets(d *Draft, kind SetKind, sets []Set, options []Pair) error {
	for i, s := range sets {
		sets[i].Options = d.setOptions(s.Options)
		for _, r := range s.Resources {
			d.constrainable(r)
		}
	}
	options = d.setsOptions(kind, options)
	name := "rsc_" + string(kind)
	id := d.constraintID(options, string(kind)+"_set_"+abbreviated(sets))
	d.duplicate(d.Where(func(e *cib.Element) bool { return e.Name == name && slices.EqualFunc(setsOf(e), sets, sameSet) }))
	if err := d.Refused(); err != nil {
		return err
	}
	var children []*cib.Element
	for i, s := range sets {
		setID := id + "_set"
		if i > 0 {
			setID += "-" + strconv.Itoa(i)
		}
		var refs []*cib.Element
		for _, r := range s.Resources {
			refs = append(refs, cib.NewElement("resource_ref", []cib.Attr{{Name: "id", Value: r}}))
		}
		attrs := append([]cib.Attr{{Name: "id", Value: d.Free(setID)}}, attrList(s.Options)...)
		children = append(children, cib.NewElement("resource_set", attrs, refs...))
	}
	attrs := append([]cib.Attr{{Name: "id", Value: id}}, attrList(without(options, "id"))...)
	d.addConstraint(name, attrs, children...)
	return nil
}

// abbreviated is the first and the last letter of each of the first three resources.
func abbreviated(sets []Set) string {
	var text string
	n := 0
	for _, s := range sets {
		for _, r := range s.Resources {
			if n++; n <= 3 && r != "" {
				text += r[:1] + r[len(r)-1:]
			}
		}
	}
	return text
}

func setsOf(e *cib.Element) []Set {
	var sets []Set
	for set := range e.Elements() {
		if set.Name != "resource_set" {
			continue
		}
		var s Set
		for ref := range set.Elements() {
			s.Resources = append(s.Resources, ref.ID())
		}
		sets = append(sets, s)
	}
	return sets
}

func sameSet(a, b Set) bool { return slices.Equal(a.Resources, b.Resources) }

// setOptions checks the options of one set.
func (d *Draft) setOptions(options []Pair) []Pair {
	var unknown []string
	options = Sorted(options)
	for i, o := range options {
		switch o.Name {
		case "action":
			d.oneOfExactly(o, "demote", "promote", "start", "stop")
		case "require-all", "sequential":
			d.oneOfExactly(o, "false", "true")
		case "role":
			if d.oneOfExactly(o, roleNames()...) {
				options[i].Value = d.oldRole(o.Value)
			}
		default:
			unknown = append(unknown, o.Name)
		}
	}
	if len(unknown) > 0 {
		d.Fail("%s", invalidOptions("set", unknown, []string{"action", "require-all", "role", "sequential"}))
	}
	return options
}

func (d *Draft) oneOfExactly(p Pair, values ...string) bool {
	return slices.Contains(values, p.Value) || d.Fail("'%s' is not a valid %s value, use %s", p.Value, p.Name, quoted(values))
}

// setsOptions checks the options of a constraint on sets.
func (d *Draft) setsOptions(kind SetKind, options []Pair) []Pair {
	allowed := map[SetKind][]string{OrderSets: {"id", "kind", "symmetrical"}, ColocationSets: {"id", "score"}, TicketSets: {"id", "loss-policy", "ticket"}}[kind]
	var unknown []string
	options = Sorted(options)
	for i, o := range options {
		if !slices.Contains(allowed, o.Name) {
			unknown = append(unknown, o.Name)
			continue
		}
		switch o.Name {
		case "kind":
			options[i].Value = capital(o.Value)
			d.oneOfExactly(options[i], "Mandatory", "Optional", "Serialize")
		case "symmetrical":
			options[i].Value = strings.ToLower(o.Value)
			d.oneOfExactly(options[i], "false", "true")
		case "score":
			d.checkScore(o.Value)
		case "loss-policy":
			d.checkLossPolicy(o.Value)
		}
	}
	if len(unknown) > 0 {
		d.Fail("%s", invalidOptions("constraint", unknown, allowed))
	}
	ticket, _ := Lookup(options, "ticket")
	switch _, scored := Lookup(options, "score"); {
	case kind == TicketSets && ticket == "":
		d.Fail("required option 'ticket' is missing")
	case kind == ColocationSets && !scored:
		options = append(options, Pair{"score", "INFINITY"})
	}
	return options
}

// capital is a word with its first letter large and the others small.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.ToLower(s[1:])
}
