package pcs

import (
	"fmt"
	"io"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

// resourceConfigNoun has what shows resources and fence devices as they are configured.
func resourceConfigNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "config", args: "[RESOURCE]...", options: []string{"output-format"}, run: resourceConfig,
			what: "Show resources as they are configured: all, or those named. Formats: text, cmd (commands that make them again), json."},
	}}
}

func stonithConfigNoun() *verb {
	return &verb{name: "stonith", sub: []*verb{
		{name: "config", args: "[DEVICE]...", options: []string{"output-format"}, run: stonithConfig,
			what: "Show fence devices as they are configured: all with the fencing levels, or those named. Formats: text, cmd, json."},
		{name: "level", sub: []*verb{{name: "config", run: levelConfig, what: "List the fencing levels."}}},
	}}
}

// format is what --output-format asks for.
func (c *call) format() (string, error) {
	switch f := c.option("output-format"); f {
	case "":
		return "text", nil
	case "text", "cmd", "json":
		return f, nil
	default:
		return "", fmt.Errorf("unknown value '%s' for '--output-format' option: use cmd, json or text", f)
	}
}

// printResources prints a choice of resources in the format asked for.
func (c *call) printResources(all func(*cib.CIB) listing.Resources, what string, levels bool) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	return c.show(func(doc *cib.CIB, w io.Writer) error {
		chosen, missing := all(doc), []string(nil)
		if len(c.words) > 0 {
			chosen, missing = chosen.Choose(c.words)
		}
		refused := &configure.Refusal{}
		for _, id := range missing {
			if len(missing) < len(c.words) {
				c.warnf("unable to find %s '%s'", what, id)
				continue
			}
			refused.List = append(refused.List, configure.Problem{Text: fmt.Sprintf("unable to find %s '%s'", what, id)})
		}
		if len(refused.List) > 0 {
			return refused
		}
		lines := map[string]func() listing.Lines{"text": chosen.Text, "cmd": chosen.Commands, "json": chosen.JSON}[format]()
		if levels && len(c.words) == 0 {
			if format == "text" {
				if l := listing.Levels(doc); len(l) > 0 {
					lines = append(append(lines, ""), l...)
				}
			} else {
				c.warnf("only the format text shows the fencing levels")
			}
		}
		_, err := lines.WriteTo(w)
		return err
	})
}

func resourceConfig(c *call) error { return c.printResources(listing.AllResources, "resource", false) }
func stonithConfig(c *call) error {
	return c.printResources(listing.AllStonith, "stonith device", true)
}

func levelConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.print("fencing-topology", listing.Levels)
}

func (c *call) showUtilization() error {
	id := ""
	if len(c.words) > 0 {
		id = c.words[0]
	}
	return c.show(func(doc *cib.CIB, w io.Writer) error {
		if r := doc.Resource(id); id != "" && (r == nil || r.El.Name != "primitive") {
			return fmt.Errorf("unable to find a resource: %s", id)
		}
		_, err := listing.ResourceUtilization(doc, id).WriteTo(w)
		return err
	})
}

// showDefaults lists the sets of defaults.
func (c *call) showDefaults(w configure.Defaults) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	o := c.rules()
	kind := listing.ResourceDefaults
	if w == configure.OpDefaults {
		kind = listing.OperationDefaults
	}
	format, err := c.format()
	if err != nil {
		return err
	}
	return c.print(string(kind), func(doc *cib.CIB) listing.Lines {
		switch format {
		case "cmd":
			return listing.DefaultsCommands(doc, kind)
		case "json":
			return listing.DefaultsJSON(doc, kind)
		}
		return listing.Defaults(doc, kind, o)
	})
}
