package pcs

import (
	"io"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/listing"
)

func configNoun() *verb {
	return &verb{name: "config", what: "Show the whole configuration.", bare: "show", sub: []*verb{
		{name: "show", options: []string{"corosync_conf"}, run: configShow, what: "Show resources, fence devices, constraints, properties and all the rest."},
	}}
}

func configShow(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	var cluster listing.Corosync
	if !c.onFile() || c.has("corosync_conf") {
		conf, err := c.conf()
		if err != nil {
			return err
		}
		cluster.Name = conf.Name()
		for _, n := range conf.Nodes() {
			cluster.Nodes = append(cluster.Nodes, n.Name)
		}
		var quorum strings.Builder
		conf.WriteQuorum(&quorum)
		cluster.Quorum = listing.Lines(strings.Split(strings.TrimSuffix(quorum.String(), "\n"), "\n")).In(2)
	}
	return c.print("", func(doc *cib.CIB) listing.Lines { return listing.Config(doc, cluster) })
}

// printAs is print in the --output-format that is asked for: as text, as commands, or as JSON.
func (c *call) printAs(section string, text, commands func(doc *cib.CIB) listing.Lines) error {
	switch format := c.option("output-format"); format {
	case "", "text":
		return c.print(section, text)
	case "cmd":
		return c.print("", commands)
	case "json":
		c.options["output-as"] = []string{format}
		return c.print(section, text)
	default:
		return c.misused("Unknown value '%s' for '--output-format' option. Supported values are: 'cmd', 'json', 'text'", format)
	}
}

// print has f list what a configuration says. With --output-as json it shows the elements of a section of the
// configuration as they are; a section may be followed by their kind: "constraints/rsc_order".
func (c *call) print(section string, f func(doc *cib.CIB) listing.Lines) error {
	return c.show(func(doc *cib.CIB, w io.Writer) error {
		lines := f(doc)
		switch as := c.option("output-as"); {
		case as == "" || as == "text":
		case as == "json" && section != "":
			name, kind, one := strings.Cut(section, "/")
			var kinds []string
			if one {
				kinds = []string{kind}
			}
			lines = listing.SectionJSON(doc, name, kinds...)
		default:
			return c.misused("'%s' is no form in which this can be shown: --output-as json is one, if the configuration has a section for it", as)
		}
		_, err := lines.WriteTo(w)
		return err
	})
}

// printConstraints is print of constraints of some kinds, in the --output-format that is asked for.
func (c *call) printConstraints(f func(doc *cib.CIB) listing.Lines, kinds ...string) error {
	section := "constraints"
	if len(kinds) == 1 {
		section += "/" + kinds[0]
	}
	format := c.option("output-format")
	if !slices.Contains([]string{"", "text", "cmd", "json"}, format) {
		return c.misused("Unknown value '%s' for '--output-format' option. Supported values are: 'cmd', 'json', 'text'", format)
	}
	return c.print(section, func(doc *cib.CIB) listing.Lines {
		switch format {
		case "cmd":
			commands, skipped := listing.ConstraintCommands(doc, kinds...)
			for _, id := range skipped {
				c.warnf("no command makes the constraint '%s': it is left out", id)
			}
			return commands
		case "json":
			return listing.ConstraintsJSON(doc, kinds...)
		}
		return f(doc)
	})
}
