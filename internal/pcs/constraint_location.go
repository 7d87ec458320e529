package pcs

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

func locationVerb() *verb {
	return &verb{name: "location", args: "RESOURCE prefers|avoids NODE[=SCORE]... | RESOURCE rule [OPTIONS] EXPRESSION", options: []string{"full", "force", "all", "output-format"}, run: location,
		what: "Make a resource prefer nodes, or avoid them. A RESOURCE may be 'regexp%PATTERN'. A rule takes id, constraint-id, role, score, score-attribute, resource-discovery. " + ruleHelp,
		sub: []*verb{
			{name: "config", aliases: []string{"show"}, args: "[resources [RESOURCE]...] | [nodes [NODE]...] [--all] [--full]", options: []string{"full", "all", "output-format"}, run: locationConfig,
				what: "List location constraints by resource, or by node."},
			{name: "add", args: "ID RESOURCE NODE SCORE [resource-discovery=always|never|exclusive]", options: []string{"force"}, run: locationAdd,
				what: "Add a location constraint with this id."},
			{name: "delete", aliases: []string{"remove"}, args: "ID", run: locationDelete,
				what: "Remove a location constraint."},
		}}
}

// placed reads what a location constraint is about: RESOURCE, resource%RESOURCE or regexp%PATTERN.
func placed(word string) (configure.Placed, error) {
	kind, name, ok := strings.Cut(word, "%")
	switch {
	case !ok:
		return configure.Placed{Name: word}, nil
	case kind == "" || kind == "resource":
		return configure.Placed{Name: name}, nil
	case kind == "regexp":
		return configure.Placed{Name: name, Pattern: true}, nil
	}
	return configure.Placed{}, &usageError{"'" + kind + "' is not an allowed type for '" + word + "', use regexp, resource"}
}

func location(c *call) error {
	if len(c.words) == 0 {
		if c.has("force") {
			return c.unsupported("force")
		}
		return locationConfig(c)
	}
	for _, listing := range []string{"all", "full"} {
		if c.has(listing) {
			return c.unsupported(listing)
		}
	}
	if err := c.want(3, -1); err != nil {
		return err
	}
	what, err := placed(c.words[0])
	if err != nil {
		return err
	}
	switch c.words[1] {
	case "rule":
		options, rule, err := typedRule(c.words[2:], "id", "role", "score", "score-attribute", "constraint-id", "resource-discovery")
		if err != nil {
			return err
		}
		return c.change(func(d *configure.Draft) error { return configure.LocationByRule(d, what, options, rule) })
	case "prefers", "avoids":
		var nodes []configure.NodeScore
		for _, w := range c.words[2:] {
			node, score, given := strings.Cut(w, "=")
			if given && score == "" {
				return c.misused("invalid score '', use integer or INFINITY or -INFINITY: '%s' has none behind the equals sign", w)
			}
			nodes = append(nodes, configure.NodeScore{Node: node, Score: score})
		}
		return c.change(func(d *configure.Draft) error {
			c.checkNodes(d, nodes...)
			return configure.Prefer(d, what, nodes, c.words[1] == "avoids")
		})
	}
	return c.unknown(c.words[1], []string{"prefers", "avoids", "rule"})
}

// checkNodes notes nodes that a cluster does not have. A file may be for a cluster that does not exist yet.
func (c *call) checkNodes(d *configure.Draft, nodes ...configure.NodeScore) {
	if c.onFile() {
		d.Warn("Validation for node existence in the cluster will be skipped")
		return
	}
	for _, n := range nodes {
		configure.CheckNode(d, n.Node)
	}
}

func locationAdd(c *call) error {
	if err := c.want(4, -1); err != nil {
		return err
	}
	what, err := placed(c.words[1])
	if err != nil {
		return err
	}
	options, err := pairs(c.words[4:])
	if err != nil {
		return err
	}
	node := configure.NodeScore{Node: c.words[2], Score: c.words[3]}
	return c.change(func(d *configure.Draft) error {
		c.checkNodes(d, node)
		return configure.AddLocation(d, c.words[0], what, node, options)
	})
}

func locationDelete(c *call) error {
	if len(c.words) != 4 { // ID RESOURCE NODE SCORE in pcs 0.9
		if err := c.want(1, 1); err != nil {
			return err
		}
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveLocation(d, c.words[0]) })
}

func locationConfig(c *call) error {
	by, of := "", c.words
	if len(of) > 0 && (of[0] == "nodes" || of[0] == "resources") {
		by, of = of[0], of[1:]
	}
	if by != "nodes" {
		for i, word := range of {
			what, err := placed(word)
			if err != nil {
				return err
			}
			if !what.Pattern {
				of[i] = what.Name
			}
		}
	}
	return c.printConstraints(func(doc *cib.CIB) listing.Lines {
		if by == "nodes" {
			return listing.LocationsByNode(doc, c.rules(), of...)
		}
		return listing.Locations(doc, c.rules(), of...)
	}, "rsc_location")
}
