package pcs

import "github.com/cerco-ha/cerco/internal/configure"

func resourceNoun() *verb {
	return &verb{name: "resource", what: "Manage resources.", sub: []*verb{
		{name: "meta", args: "RESOURCE NAME=[VALUE]...", options: []string{"wait"}, run: resourceMeta,
			what: "Set meta attributes of a resource, group, clone or bundle. An empty value removes one."},
	}}
}

func resourceMeta(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	list, err := pairs(c.words[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.SetMeta(d, c.words[0], list) })
}
