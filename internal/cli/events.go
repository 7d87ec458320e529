package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/events"
)

const eventsHelp = `Usage:
  NAME [OPTION...]

Tells what happens, as it happens, until it is interrupted. Events have numbers; --from resumes after one.

`

func eventsCommand(c *call) int {
	var from uint64
	var all, past, asJSON bool
	var kinds []string
	f := pflag.NewFlagSet("events", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Uint64Var(&from, "from", 0, "begin after the event of this number")
	f.BoolVarP(&all, "all", "a", false, "begin with the oldest that is kept")
	f.BoolVar(&past, "past", false, "end with the newest instead of waiting for more")
	f.StringSliceVar(&kinds, "kind", nil, "only these: node, operation, fencing, attribute, config, cluster, lead, forget, plan, link, note")
	f.BoolVar(&asJSON, "json", false, "one JSON object a line")
	if code, ok := c.options(f, eventsHelp); !ok {
		return code
	}
	d, ctx, err := c.daemon()
	if err != nil {
		return c.errorf(exitNoLive, "%v", err)
	}
	defer d.Close()
	if !f.Changed("from") && !all && !past {
		from = client.Now
	}
	err = d.Events(ctx, from, past, func(e events.Event) error {
		if len(kinds) > 0 && e.Kind != events.KindGap && !slices.Contains(kinds, e.Kind) {
			return nil
		}
		if err := printEvent(c, &e, asJSON); err != nil {
			return err
		}
		if f, ok := c.Stdout.(interface{ Flush() error }); ok {
			return f.Flush()
		}
		return nil
	})
	if err != nil {
		return c.failed(err)
	}
	return exitOK
}

func printEvent(c *call, e *events.Event, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(c.Stdout).Encode(e)
	}
	mark := " "
	if e.Bad {
		mark = "!"
	}
	plan := e.Plan
	if plan != "" {
		plan = " [" + plan + "]"
	}
	_, err := fmt.Fprintf(c.Stdout, "%s %s %-9s %s%s\n", e.At.In(c.Now().Location()).Format("2006-01-02 15:04:05.000"), mark, e.Kind, e.Text, plan)
	return err
}
