package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Defaults says whose defaults are meant.
type Defaults bool

// Whose defaults.
const (
	RscDefaults Defaults = false
	OpDefaults  Defaults = true
)

func (w Defaults) section() string {
	if w == OpDefaults {
		return "op_defaults"
	}
	return "rsc_defaults"
}

// SetDefaults changes the only set of defaults; it is made if there is none.
func SetDefaults(d *Draft, w Defaults, pairs []Pair) error {
	n := 0
	for set := range d.root.Child("configuration").Child(w.section()).Elements() {
		if set.Name == "meta_attributes" {
			n++
		}
	}
	if n > 1 {
		return d.refuse("Several options sets exist: 'defaults set update' changes the one that it is given")
	}
	d.warnOfDefaults()
	if n == 0 {
		if slices.ContainsFunc(pairs, func(p Pair) bool { return p.Value != "" }) {
			set := cib.NewElement("meta_attributes", []cib.Attr{{Name: "id", Value: d.Free(w.section() + "-meta_attributes")}})
			d.Add(d.Section(w.section()), d.withShortPairs(set, pairs))
		}
		return nil
	}
	set := Child(d.Section(w.section()), "meta_attributes")
	d.Put(set, d.withShortPairs(set.Last(), pairs))
	return nil
}

func (d *Draft) warnOfDefaults() {
	d.Warn("Defaults do not apply to resources which override them with their own defined values")
}

// UpdateDefaults changes a set of defaults.
func UpdateDefaults(d *Draft, w Defaults, id string, pairs []Pair) error {
	d.warnOfDefaults()
	p := d.defaultSet(w, id)
	if p == nil {
		return d.Refused()
	}
	d.Put(p, d.withShortPairs(p.Last(), pairs))
	return nil
}

func (d *Draft) defaultSet(w Defaults, id string) cib.Path {
	p := d.Find(id, "meta_attributes", "instance_attributes")
	if p == nil || p[len(p)-2].Name != w.section() {
		d.Fail("Specified options set '%s' does not exist", id)
		return nil
	}
	return p
}

// DeleteDefaults takes sets of defaults out.
func DeleteDefaults(d *Draft, w Defaults, ids []string) error {
	for _, id := range ids {
		d.defaultSet(w, id)
	}
	if err := d.Refused(); err != nil {
		return err
	}
	for _, id := range ids {
		if p := d.Find(id, "meta_attributes", "instance_attributes"); p != nil {
			d.Put(p, nil)
		}
	}
	return nil
}

// DefaultSet is a set of defaults to be made.
type DefaultSet struct {
	Options []Pair // id, score
	Meta    []Pair
	Rule    []string // the words of its rule; none: it always counts
}

// CreateDefaults makes a set of defaults.
func CreateDefaults(d *Draft, w Defaults, s *DefaultSet) error {
	var unknown []string
	for _, o := range s.Options {
		if o.Name != "id" && o.Name != "score" {
			unknown = append(unknown, o.Name)
		}
	}
	if len(unknown) > 0 {
		d.Doubt("%s", invalidOptions("set", unknown, []string{"id", "score"}))
	}
	id, named := Lookup(s.Options, "id")
	if named {
		d.NewID(id, "id")
	} else {
		id = d.Free(w.section() + "-meta_attributes")
	}
	attrs := []cib.Attr{{Name: "id", Value: id}}
	if score, ok := Lookup(s.Options, "score"); ok {
		if _, valid := cib.ParseScore(score); !valid {
			d.Fail("'%s' is not a valid score value, use an integer or INFINITY or -INFINITY", score)
		}
		attrs = append(attrs, cib.Attr{Name: "score", Value: score})
	}
	set := cib.NewElement("meta_attributes", attrs)
	if len(s.Rule) > 0 {
		about := ResourceDefaultsRule
		if w == OpDefaults {
			about = OperationDefaultsRule
		}
		rule, err := ParseRule(s.Rule, about)
		if err != nil {
			return d.refuse("%v", err)
		}
		e := d.NewRule(id+"-rule", rule, about, cib.Attr{Name: "score", Value: "INFINITY"})
		for x := range e.All() {
			if x.Name == "rsc_expression" || x.Name == "op_expression" {
				d.Require("3.4")
			}
		}
		set = set.WithChild(e)
	}
	set = d.withShortPairs(set, s.Meta)
	d.warnOfDefaults()
	if err := d.Refused(); err != nil {
		return err
	}
	d.Add(d.Section(w.section()), set)
	return nil
}
