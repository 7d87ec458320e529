package pcs

import "github.com/cerco-ha/cerco/internal/configure"

func propertyNoun() *verb {
	return &verb{name: "property", what: "Manage the properties of the cluster.", sub: []*verb{
		{name: "set", args: "NAME=[VALUE]...", run: propertySet,
			what: "Set properties of the cluster. An empty value removes one."},
		{name: "unset", args: "NAME...", run: propertyUnset,
			what: "Remove properties, so that their defaults hold again."},
	}}
}

func propertySet(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	list, err := pairs(c.words)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.SetProperties(d, list) })
}

func propertyUnset(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	var list []configure.Pair
	for _, name := range c.words {
		list = append(list, configure.Pair{Name: name})
	}
	return c.change(func(d *configure.Draft) error { return configure.SetProperties(d, list) })
}
