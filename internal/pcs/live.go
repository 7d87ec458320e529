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
			{name: "failcount", args: "[show] [RESOURCE] [node=NODE]", run: failcount, what: "Show how often resources have failed."},
			{name: "move", args: "RESOURCE [NODE]", live: true, options: []string{"promoted", "strict", "wait", "autodelete"}, run: resourceMove,
				what: "Move a resource, to a node or away from where it runs. Nothing is left behind."},
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

// failcount shows what counts as failed, a line each.
func failcount(c *call) error {
	if len(c.words) > 0 && c.words[0] == "show" {
		c.words = c.words[1:]
	}
	f, err := c.forget()
	if err != nil {
		return err
	}
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	found := false
	for _, a := range wire.ListAttributes(doc, f.Node, "") {
		name, ok := strings.CutPrefix(a.Name, "fail-count-")
		resource, _, _ := strings.Cut(name, "#")
		if !ok || f.Resource != "" && resource != f.Resource || a.Value == "0" {
			continue
		}
		if !found {
			fmt.Fprintf(c.Stdout, "Failcounts for %s\n", orAll(f.Resource, "all resources"))
			found = true
		}
		fmt.Fprintf(c.Stdout, "  %s: %s: %s\n", a.Node, strings.Replace(name, "#", " ", 1), a.Value)
	}
	if !found {
		fmt.Fprintf(c.Stdout, "No failcounts%s\n", forResource(f.Resource))
	}
	return nil
}

func forResource(id string) string {
	if id == "" {
		return ""
	}
	return " for resource '" + id + "'"
}

// resourceMove moves a resource by a constraint, waits for the cluster, and takes the constraint back.
func resourceMove(c *call) error {
	if err := c.want(1, 2); err != nil {
		return err
	}
	id := c.words[0]
	if c.has("dry-run") {
		return c.again(append([]string{"resource", "move-with-constraint"}, c.words...))
	}
	words := append([]string{"resource", "move-with-constraint", "--wait=600"}, c.words...)
	if c.has("promoted") {
		words = append(words, "--promoted")
	}
	if err := c.again(words); err != nil {
		return err
	}
	if err := c.again([]string{"resource", "clear", id, "--wait=600"}); err != nil {
		return fmt.Errorf("%s was moved, but the constraint that moved it is still there: %s resource clear %s takes it back (%w)", id, c.program, id, err)
	}
	return c.again([]string{"resource", "status", id})
}
