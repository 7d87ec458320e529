package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// AlertSpec is what is said of an alert or of a recipient of one.
type AlertSpec struct {
	Target      string // the path of an alert's agent, the value of a recipient
	Description *string
	Options     []Pair // instance attributes
	Meta        []Pair
}

// NewAlert makes an alert; an empty id stands for one of ours.
func NewAlert(d *Draft, id string, spec AlertSpec) error {
	if spec.Target == "" {
		d.Fail("required option 'path' is missing")
	}
	if id == "" {
		id = d.Free("alert")
	} else {
		d.NewID(id, "alert-id")
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.fill(d.Add(d.Section("alerts"), cib.NewElement("alert", []cib.Attr{{Name: "id", Value: id}, {Name: "path", Value: spec.Target}})), spec)
	return nil
}

// fill sets description, meta attributes and options of an alert or recipient. Sets stand before everything else, that
// of meta attributes first.
func (d *Draft) fill(p cib.Path, spec AlertSpec) {
	e := p.Last()
	if spec.Description != nil {
		e = e.Without("description")
		if *spec.Description != "" {
			e = e.With("description", *spec.Description)
		}
	}
	p = d.Put(p, e)
	for _, set := range []struct {
		tag   string
		pairs []Pair
	}{{"instance_attributes", spec.Options}, {"meta_attributes", spec.Meta}} {
		if Child(p, set.tag) == nil && slices.ContainsFunc(set.pairs, func(p Pair) bool { return p.Value != "" }) {
			at := 0
			if set.tag == "instance_attributes" && p.Last().Child("meta_attributes") != nil {
				at = p.Last().Index(p.Last().Child("meta_attributes")) + 1
			}
			p = d.Put(p, p.Last().Insert(at, d.NewSet(set.tag, d.Free(p.Last().ID()+"-"+set.tag), nil)))
		}
		p = d.SetPairs(p, set.tag, Sorted(set.pairs))
	}
}

// part is the path to an alert or recipient, nil with a problem noted if there is none.
func (d *Draft) part(kind, id string) cib.Path {
	p := d.Find(id, kind)
	switch {
	case p != nil:
	case d.Find(id) != nil:
		d.Fail("'%s' is not a %s%s", id, kind, d.otherThing(id))
	default:
		d.Fail("%s '%s' does not exist", kind, id)
	}
	return p
}

// UpdateAlert changes an alert; an empty path leaves it as it is.
func UpdateAlert(d *Draft, id string, spec AlertSpec) error {
	p := d.part("alert", id)
	if p == nil {
		return d.Refused()
	}
	if spec.Target != "" {
		p = d.Put(p, p.Last().With("path", spec.Target))
	}
	d.fill(p, spec)
	return nil
}

// RemoveAlerts takes alerts out; kind is "alert" or "recipient".
func RemoveAlerts(d *Draft, kind string, ids []string) error {
	for _, id := range ids {
		if p := d.part(kind, id); p != nil {
			d.Put(p, nil)
		}
	}
	return d.Refused()
}

// AddRecipient gives an alert one more recipient; an empty id stands for one of ours.
func AddRecipient(d *Draft, alert, id string, spec AlertSpec) error {
	p := d.part("alert", alert)
	if spec.Target == "" {
		d.Fail("required option 'value' is missing")
	}
	if id == "" {
		id = d.Free(alert + "-recipient")
	} else {
		d.NewID(id, "recipient-id")
	}
	if p != nil {
		d.newRecipient(p.Last(), spec.Target, "")
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.fill(d.Add(p, cib.NewElement("recipient", []cib.Attr{{Name: "id", Value: id}, {Name: "value", Value: spec.Target}})), spec)
	return nil
}

// newRecipient notes a value that an alert has for a recipient other than the one of the id.
func (d *Draft) newRecipient(alert *cib.Element, value, id string) {
	for r := range alert.Elements() {
		if r.Name == "recipient" && r.Attr("value") == value && r.ID() != id {
			d.Doubt("Recipient '%s' in alert '%s' already exists", value, alert.ID())
			return
		}
	}
}

// UpdateRecipient changes a recipient; without a value it keeps the one it has.
func UpdateRecipient(d *Draft, id string, value *string, spec AlertSpec) error {
	p := d.part("recipient", id)
	if p == nil {
		return d.Refused()
	}
	if value != nil {
		if *value == "" {
			return d.refuse("Recipient value '' is not valid")
		}
		d.newRecipient(p[len(p)-2], *value, id)
		if err := d.Refused(); err != nil {
			return err
		}
		p = d.Put(p, p.Last().With("value", *value))
	}
	d.fill(p, spec)
	return nil
}
