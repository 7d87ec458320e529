package pcs

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

func propertyNoun() *verb {
	return &verb{name: "property", what: "Manage the properties of the cluster.", bare: "config", options: []string{"all", "defaults", "output-format"}, sub: []*verb{
		{name: "config", aliases: []string{"list", "show"}, args: "[NAME]...", options: []string{"all", "defaults", "output-format"}, run: propertyConfig,
			what: "List the properties that are set. --all lists the others with their defaults, too; --defaults lists the defaults."},
		{name: "defaults", args: "[NAME]...", options: []string{"full"}, run: propertyDefaults,
			what: "List the defaults of properties."},
		{name: "describe", args: "[NAME]...", options: []string{"full", "output-format"}, run: propertyDescribe,
			what: "Tell what properties are for, which values they take, and their defaults. Formats: text, json."},
		{name: "set", args: "NAME=[VALUE]...", options: []string{"force"}, run: propertySet,
			what: "Set properties of the cluster. An empty value removes one."},
		{name: "unset", args: "NAME...", options: []string{"force"}, run: propertyUnset,
			what: "Remove properties, so that their defaults hold again."},
	}}
}

func propertyConfig(c *call) error {
	switch {
	case c.has("all") && c.has("defaults"):
		return c.misused("only one of --all and --defaults makes sense")
	case len(c.words) > 0 && (c.has("all") || c.has("defaults")):
		return c.misused("you cannot specify a property when using --all or --defaults")
	case c.has("defaults"):
		return propertyDefaults(c)
	}
	if c.option("output-format") == "json" {
		return c.print("", listing.PropertiesJSON)
	}
	return c.printAs("crm_config", func(doc *cib.CIB) listing.Lines {
		if c.has("all") || len(c.words) > 0 {
			return listing.PropertiesWith(doc, configure.PropertyDefaults(), c.words...)
		}
		return listing.Properties(doc)
	}, listing.PropertyCommands)
}

func propertyDefaults(c *call) error {
	_, err := listing.PropertyDefaults(configure.PropertyDefaults(), c.words...).WriteTo(c.Stdout)
	return err
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
	for i, name := range c.words {
		if slices.Contains(c.words[:i], name) {
			if !c.has("force") {
				return c.misused("duplicate argument: '%s'", name)
			}
			continue
		}
		list = append(list, configure.Pair{Name: name})
	}
	return c.change(func(d *configure.Draft) error { return configure.SetProperties(d, list) })
}

func propertyDescribe(c *call) error {
	all := configure.Properties()
	known := func(name string) bool {
		return slices.ContainsFunc(all, func(p configure.Property) bool { return p.Name == name })
	}
	for _, name := range c.words {
		if !known(name) {
			var names []string
			for _, p := range all {
				names = append(names, p.Name)
			}
			return fmt.Errorf("no description for property '%s'%s: it is none of the cluster's", name, didYouMean(name, names))
		}
	}
	chosen := slices.DeleteFunc(all, func(p configure.Property) bool { return len(c.words) > 0 && !slices.Contains(c.words, p.Name) })
	if c.option("output-format") == "json" || c.option("output-as") == "json" {
		return json.NewEncoder(c.Stdout).Encode(map[string]any{"parameters": chosen})
	}
	for i, p := range chosen {
		if i > 0 {
			fmt.Fprintln(c.Stdout)
		}
		fmt.Fprintf(c.Stdout, "%s\n  Description: %s\n", p.Name, p.What)
		if len(p.Values) > 0 {
			fmt.Fprintf(c.Stdout, "  Allowed values: %s\n", quoted(p.Values))
		} else {
			fmt.Fprintf(c.Stdout, "  Type: %s\n", p.Type)
		}
		if p.Default != "" {
			fmt.Fprintf(c.Stdout, "  Default: %s\n", p.Default)
		}
	}
	return nil
}
