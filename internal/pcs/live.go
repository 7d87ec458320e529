package pcs

import (
	"context"
	"fmt"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// liveNouns are the verbs that make sense on a running cluster only.
func liveNouns() []*verb {
	return []*verb{
		{name: "resource", sub: []*verb{
			{name: "cleanup", args: "[RESOURCE] [node=NODE] [operation=NAME [interval=TIME]]", live: true, options: []string{"strict", "wait"}, run: resourceCleanup,
				what: "Forget failed operations, so that the resource is tried again."},
			{name: "refresh", args: "[RESOURCE] [node=NODE]", live: true, options: []string{"strict", "wait"}, run: resourceRefresh,
				what: "Forget all that is known of a resource, and look at it anew."},
		}},
		{name: "stonith", sub: []*verb{
			{name: "cleanup", args: "[DEVICE] [node=NODE]", live: true, options: []string{"strict", "wait"}, run: resourceCleanup, what: "Forget failed operations of a fence device."},
			{name: "refresh", args: "[DEVICE] [node=NODE]", live: true, options: []string{"strict", "wait"}, run: resourceRefresh, what: "Forget all that is known of a fence device."},
		}},
	}
}

// forget reads what a clean-up or a refresh is about.
func (c *call) forget() (wire.Forget, error) {
	var f wire.Forget
	for _, w := range c.words {
		name, value, option := strings.Cut(w, "=")
		switch {
		case !option && f.Resource == "":
			f.Resource = w
		case !option || value == "":
			return f, fmt.Errorf("missing value of '%s' option", name)
		case name == "node":
			f.Node = value
		case name == "operation":
			f.Operation = value
		case name == "interval":
			ms, ok := cib.ParseDuration(value)
			if !ok {
				return f, fmt.Errorf("interval=%s is no time", value)
			}
			f.IntervalMS = ms
		default:
			return f, c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), w)
		}
	}
	return f, nil
}

func resourceCleanup(c *call) error { return c.forgets((*client.Client).Cleanup) }
func resourceRefresh(c *call) error { return c.forgets((*client.Client).Refresh) }

func (c *call) forgets(f func(*client.Client, context.Context, wire.Forget, client.Wait) (wire.Changed, error)) error {
	what, err := c.forget()
	if err != nil {
		return err
	}
	if what.Resource != "" {
		doc, _, err := c.view()
		if err != nil {
			return err
		}
		if doc.Resource(what.Resource) == nil {
			return fmt.Errorf("there is no resource '%s'%s", what.Resource, didYouMean(what.Resource, resourceIDs(doc)))
		}
	}
	wait, err := c.wait()
	if err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	if _, err := f(d, c.context(), what, wait); err != nil {
		return err
	}
	c.note("Cleaned up %s on %s", orAll(what.Resource, "all resources"), orAll(what.Node, "all nodes"))
	return nil
}

func orAll(name, all string) string {
	if name == "" {
		return all
	}
	return name
}
