package configure

import (
	"fmt"
	"slices"
	"strings"
)

// Describable are the elements that can have a description.
func Describable() []string {
	return []string{"acl_role", "alert", "bundle", "clone", "group", "master", "node", "op", "primitive", "recipient", "template"}
}

// Describe sets the description of an element; an empty one removes it.
func Describe(d *Draft, id, text string) error {
	p := d.Find(id, Describable()...)
	if p == nil {
		return fmt.Errorf("there is no element '%s' that can have a description", id)
	}
	if text == "" {
		d.Put(p, p.Last().Without("description"))
	} else {
		d.Put(p, p.Last().With("description", text))
	}
	return nil
}

// Property is what is known of a cluster property.
type Property struct {
	Name    string
	Kind    string // of its value, or the values with "|" between them
	Default string // empty: none
}

// Properties are all that can be set, by name.
func Properties() []Property {
	var list []Property
	all := properties()
	for name, p := range ours() {
		all[name] = p
	}
	for name, p := range all {
		if strings.HasPrefix(p.kind, "(") {
			continue
		}
		preset := strings.TrimPrefix(p.preset, "-")
		if strings.HasPrefix(p.preset, "-") && len(p.preset) > 1 {
			preset = p.preset
		}
		list = append(list, Property{name, p.kind, preset})
	}
	slices.SortFunc(list, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return list
}
