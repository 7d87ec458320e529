package configure

import "github.com/cerco-ha/cerco/internal/cib"

// propertySet is the block of cluster properties that commands work on: the first one.
func (d *Draft) propertySet() cib.Path {
	conf := d.Section("crm_config")
	if p := Child(conf, "cluster_property_set"); p != nil {
		return p
	}
	return d.Add(conf, cib.NewElement("cluster_property_set", []cib.Attr{{Name: "id", Value: d.Free("cib-bootstrap-options")}}))
}

// SetProperties sets cluster properties; empty values take them out.
func SetProperties(d *Draft, pairs []Pair) error {
	set := d.propertySet()
	for _, p := range pairs {
		if p.Value == "" && !hasPair(set.Last(), p.Name) {
			d.Doubt("Cannot remove property '%s', it is not present in property set '%s'", p.Name, set.Last().ID())
		}
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.Put(set, d.withPairs(set.Last(), pairs))
	return nil
}

func hasPair(set *cib.Element, name string) bool {
	for p := range set.Elements() {
		if p.Name == "nvpair" && p.Attr("name") == name {
			return true
		}
	}
	return false
}
