package pcs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

// exitNoAttribute is the code of node attribute when there is nothing to take out.
const exitNoAttribute = 2

func nodeNoun() *verb {
	marks := []string{"all", "wait"}
	return &verb{name: "node", what: "Manage nodes: their attributes, utilization, standby and maintenance.", sub: []*verb{
		{name: "attribute", args: "[NODE] [NAME=VALUE]...", options: []string{"force", "name", "output-format"}, run: nodeAttribute,
			what: "List attributes of nodes, or set some of one. An empty value removes one."},
		{name: "utilization", args: "[NODE] [NAME=VALUE]...", options: []string{"name", "output-format"}, run: nodeUtilization,
			what: "List utilization attributes of nodes, which say what a node offers, or set some of one. An empty value removes one."},
		{name: "standby", args: "[NODE]...", options: marks, run: markNodes("standby", true),
			what: "Put nodes, or this one, into standby: they run no resources then."},
		{name: "unstandby", args: "[NODE]...", options: marks, run: markNodes("standby", false),
			what: "Take nodes, or this one, out of standby."},
		{name: "maintenance", args: "[NODE]...", options: marks, run: markNodes("maintenance", true),
			what: "Put nodes, or this one, into maintenance: the cluster leaves what runs there alone."},
		{name: "unmaintenance", args: "[NODE]...", options: marks, run: markNodes("maintenance", false),
			what: "Take nodes, or this one, out of maintenance."},
	}}
}

func nodeAttribute(c *call) error {
	if len(c.words) < 2 {
		return c.printAs("nodes", func(doc *cib.CIB) listing.Lines {
			return listing.NodeAttributes(doc, c.word(0), c.option("name"))
		}, func(doc *cib.CIB) listing.Lines {
			return listing.NodeAttributeCommands(doc, c.word(0), c.option("name"))
		})
	}
	if c.has("name") {
		return c.misused("'--name' is for listing attributes")
	}
	list, err := pairs(c.words[1:])
	if err != nil {
		return err
	}
	err = c.change(func(d *configure.Draft) error { return configure.SetNodeAttributes(d, c.words[0], list) })
	if errors.Is(err, configure.ErrNoAttribute) {
		c.errorf("%v", err)
		return exit(exitNoAttribute)
	}
	return err
}

// word is a word behind the verb, empty if there are not so many.
func (c *call) word(i int) string {
	if i < len(c.words) {
		return c.words[i]
	}
	return ""
}

func nodeUtilization(c *call) error {
	if len(c.words) < 2 {
		return c.printUtilization()
	}
	if c.has("name") {
		return c.misused("'--name' is for listing attributes")
	}
	list, err := pairs(c.words[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.SetNodeUtilization(d, c.words[0], list) })
}

func (c *call) printUtilization() error {
	var missing error
	err := c.printAs("nodes", func(doc *cib.CIB) listing.Lines {
		if name := c.word(0); name != "" && doc.NodeByName(name) == nil {
			missing = fmt.Errorf("there is no node %s", name)
			return nil
		}
		return listing.NodeUtilization(doc, c.word(0), c.option("name"))
	}, func(doc *cib.CIB) listing.Lines {
		return listing.NodeUtilizationCommands(doc, c.word(0), c.option("name"))
	})
	return cmp.Or(err, missing)
}

// markNodes sets an attribute of the nodes named, of all, or of this one, to on, or takes it out.
func markNodes(attribute string, on bool) func(c *call) error {
	return func(c *call) error {
		names := slices.Clone(c.words)
		switch {
		case c.has("all") && len(names) > 0:
			return c.misused("Cannot specify both --all and a list of nodes")
		case !c.has("all") && len(names) == 0 && c.onFile():
			return c.misused("Node(s) must be specified if -f is used")
		case !c.has("all") && len(names) == 0:
			this, err := c.Hostname()
			if err != nil {
				return err
			}
			names = []string{this}
		}
		return c.change(func(d *configure.Draft) error {
			if c.has("all") {
				names = configure.NodeNames(d)
			}
			return configure.MarkNodes(d, names, attribute, on)
		})
	}
}
