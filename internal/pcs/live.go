package pcs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/listing"
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
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	if what.Node != "" && doc.NodeByName(what.Node) == nil && doc.NodeStateByName(what.Node) == nil {
		return fmt.Errorf("node '%s' not found%s", what.Node, didYouMean(what.Node, listing.NodeNames(doc)))
	}
	names, err := c.forgettable(doc, what.Resource)
	if err != nil {
		return err
	}
	wait, err := c.wait()
	if err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	for i, name := range names {
		what.Resource = name
		now := client.Wait{}
		if i == len(names)-1 {
			now = wait
		}
		changed, err := f(d, c.context(), what, now)
		if err == nil {
			err = unrest(changed.Rest)
		}
		if err != nil {
			return err
		}
		c.note("Cleaned up %s on %s", orAll(name, "all resources"), orAll(what.Node, "all nodes"))
	}
	return nil
}

// forgettable are the resources that a clean-up of one is about: those of the whole that it is part of or, with --strict, itself
// with what is in it. An empty name stands for all of the cluster.
func (c *call) forgettable(doc *cib.CIB, id string) ([]string, error) {
	if id == "" {
		return []string{""}, nil
	}
	r := doc.Resource(plainName(id))
	if r == nil {
		return nil, fmt.Errorf("there is no resource '%s'%s", id, didYouMean(id, resourceIDs(doc)))
	}
	if r.Kind == cib.Primitive && c.has("strict") {
		return []string{id}, nil // perhaps one instance of a clone
	}
	for !c.has("strict") && r.Parent != nil {
		r = r.Parent
	}
	if r.Kind == cib.Bundle { // what the cluster makes for it has names of its own
		return append(primitivesIn(doc, r.ID), bundled(doc, r.ID)...), nil
	}
	return primitivesIn(doc, r.ID), nil
}

// bundled are the resources that the cluster has made for a bundle, as far as it has a history of them.
func bundled(doc *cib.CIB, bundle string) []string {
	var list []string
	for _, n := range doc.Status.Nodes {
		for _, h := range n.Lrm {
			if strings.HasPrefix(h.ID, bundle+"-") && doc.Resource(h.ID) == nil && !slices.Contains(list, h.ID) {
				list = append(list, h.ID)
			}
		}
	}
	return list
}

func orAll(name, all string) string {
	if name == "" {
		return all
	}
	return name
}
