package pcs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

// resourceGroupNoun has the verbs about groups, clones and bundles.
func resourceGroupNoun() *verb {
	ungroup := &verb{name: "delete", aliases: []string{"remove"}, args: "GROUP [RESOURCE]...", options: []string{"wait"}, run: groupRemove,
		what: "Take resources out of a group, or all of them, and the group with them. The resources stay."}
	again := *ungroup
	again.name, again.aliases = "ungroup", nil
	clone := "RESOURCE|GROUP [ID] [NAME=VALUE]... [meta NAME=VALUE...]"
	return &verb{name: "resource", sub: []*verb{
		{name: "group", what: "Manage groups.", sub: []*verb{
			{name: "add", args: "GROUP RESOURCE...", options: []string{"before", "after", "wait"}, run: groupAdd,
				what: "Put resources into a group, which is made if it is not there."},
			ungroup,
			{name: "list", run: groupList, what: "List the groups and their members."},
		}},
		&again,
		{name: "clone", args: clone, options: []string{"force", "wait"}, run: resourceClone, what: "Make a resource or a group a clone."},
		{name: "promotable", args: clone, options: []string{"force", "wait"}, run: resourceClone, what: "Make a resource or a group a promotable clone."},
		{name: "unclone", args: "RESOURCE|GROUP|CLONE", options: []string{"wait"}, run: resourceUnclone, what: "Take a clone away from around its resource, which stays."},
	}}
}

func groupAdd(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	if c.has("before") && c.has("after") {
		return errors.New("you cannot specify both --before and --after")
	}
	spec := configure.GroupAdd{Group: c.words[0], Resources: c.words[1:], Before: c.option("before"), After: c.option("after")}
	return c.changeFor(anyhow, spec.Resources, func(d *configure.Draft) error { return configure.AddToGroup(d, spec) })
}

func groupRemove(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.Ungroup(d, c.words[0], c.words[1:]) })
}

func groupList(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.print("", listing.Groups)
}

func resourceClone(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	o, err := cloneOptions(c.words[1:], c.path[1] == "promotable")
	if err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	return c.changeFor(anyhow, c.words[:1], func(d *configure.Draft) error { return configure.Clone(d, agents, c.words[0], o) })
}

func resourceUnclone(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.Unclone(d, c.words[0]) })
}

// resourceBundleNoun has the verbs about bundles.
func resourceBundleNoun() *verb {
	parts := "[container NAME=[VALUE]...] [network NAME=[VALUE]...] "
	return &verb{name: "resource", sub: []*verb{{name: "bundle", what: "Manage bundles.", sub: []*verb{
		{name: "create", args: "ID container docker|podman|rkt NAME=VALUE... [network NAME=VALUE...] [port-map NAME=VALUE...]... [storage-map NAME=VALUE...]... [meta NAME=VALUE...]",
			options: []string{"force", "disabled", "wait"}, run: bundleCreate, what: "Create a bundle without a resource inside."},
		{name: "update", args: "ID " + parts + "[port-map add NAME=VALUE... | delete ID...]... [storage-map add NAME=VALUE... | delete ID...]... [meta NAME=[VALUE]...]",
			options: []string{"force", "wait"}, run: bundleUpdate, what: "Change a bundle. An empty value removes an option."},
		{name: "reset", args: "ID " + parts + "[port-map NAME=VALUE...]... [storage-map NAME=VALUE...]... [meta NAME=VALUE...]",
			options: []string{"force", "disabled", "wait"}, run: bundleReset, what: "Make a bundle anew: nothing of what it was remains but the resource inside."},
	}}}}
}

func (c *call) bundle(words []string, update bool) (*configure.Bundle, error) {
	b := &configure.Bundle{ID: c.words[0], Disabled: c.has("disabled")}
	for i, s := range sections(words, "container", "network", "port-map", "storage-map", "meta") {
		if i == 0 {
			if len(s.words) > 0 {
				return nil, c.misused("'%s' does not belong to any part of a bundle", strings.Join(s.words, " "))
			}
			continue
		}
		if err := bundlePart(b, s, update); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func bundlePart(b *configure.Bundle, s section, update bool) error {
	mapping := s.keyword == "port-map" || s.keyword == "storage-map"
	words := s.words
	if s.keyword == "container" && len(words) > 0 && !strings.Contains(words[0], "=") && !update {
		b.Type, words = words[0], words[1:]
	}
	if mapping && update {
		switch {
		case len(words) > 1 && (words[0] == "delete" || words[0] == "remove"):
			if s.keyword == "port-map" {
				b.DropPorts = append(b.DropPorts, words[1:]...)
			} else {
				b.DropPaths = append(b.DropPaths, words[1:]...)
			}
			return nil
		case len(words) > 1 && words[0] == "add":
			words = words[1:]
		default:
			return fmt.Errorf("when using '%s' you must specify either 'add' and options or either of 'delete' or 'remove' and id(s)", s.keyword)
		}
	}
	if len(words) == 0 && (mapping || s.keyword == "network") {
		return fmt.Errorf("no %s options specified", s.keyword)
	}
	list, err := pairs(words)
	switch s.keyword {
	case "container":
		b.Container = append(b.Container, list...)
	case "network":
		b.Network = append(b.Network, list...)
	case "port-map":
		b.Ports = append(b.Ports, list)
	case "storage-map":
		b.Storage = append(b.Storage, list)
	case "meta":
		b.Meta = append(b.Meta, list...)
	}
	return err
}

func bundleCreate(c *call) error { return c.changeBundle(configure.CreateBundle, false) }
func bundleUpdate(c *call) error { return c.changeBundle(configure.UpdateBundle, true) }
func bundleReset(c *call) error  { return c.changeBundle(configure.ResetBundle, false) }

func (c *call) changeBundle(f func(*configure.Draft, *configure.Bundle) error, update bool) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	b, err := c.bundle(c.words[1:], update)
	if err != nil {
		return err
	}
	return c.changeFor(anyhow, []string{b.ID}, func(d *configure.Draft) error { return f(d, b) })
}
