package pcs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
)

func relocateNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "relocate", what: "Bring resources to where they would be if they did not stick to where they are.", sub: []*verb{
			{name: "dry-run", args: "[RESOURCE]...", run: relocateDryRun, what: "Show what relocate run would do."},
			{name: "run", args: "[RESOURCE]...", live: true, options: []string{"wait", "dry-run"}, run: relocateRun,
				what: "Have resources, or all, go to the nodes that they prefer, by constraints that are taken back when they are there."},
			{name: "show", run: relocateShow, what: "Show where resources are, and which would move if they did not stick to that."},
			{name: "clear", run: relocateClear, what: "Take back the constraints of a relocate run that was broken off."},
		}},
	}}
}

// unstuck is what the cluster would do if resources, or all, did not stick to where they are.
func (c *call) unstuck(doc *cib.CIB, ids []string) (*scheduler.Plan, error) {
	d := configure.Of(doc)
	if err := configure.Unstick(d, ids); err != nil {
		return nil, err
	}
	return c.plan(d.CIB()), nil
}

// preferences are where resources, or all, would rather be than where they are.
func (c *call) preferences(doc *cib.CIB) ([]configure.Preferred, error) {
	plan, err := c.unstuck(doc, c.words)
	if err != nil {
		return nil, err
	}
	var chosen []string
	for _, id := range c.words {
		chosen = append(chosen, primitivesIn(doc, id)...)
	}
	var list []configure.Preferred
	for i := range plan.Summary {
		row := &plan.Summary[i]
		r := doc.Resource(plainName(row.Resource))
		if r == nil || len(chosen) > 0 && !slices.Contains(chosen, r.ID) {
			continue
		}
		switch {
		case row.Verb == "Promote":
			list = append(list, configure.Preferred{Resource: configure.Whole(r).ID, Node: row.To, Promoted: true})
		case row.To != row.From && row.To != "" && row.From != "" && configure.Whole(r) == r:
			list = append(list, configure.Preferred{Resource: r.ID, Node: row.To})
		}
	}
	slices.SortStableFunc(list, func(a, b configure.Preferred) int { return strings.Compare(a.Resource, b.Resource) })
	return list, nil
}

// announce says what is about to be done, or would be.
func (c *call) announce(list []configure.Preferred) {
	for _, x := range list {
		role := ""
		if x.Promoted {
			role = " for the role Promoted"
		}
		c.note("Creating location constraint: %s prefers %s=INFINITY%s", x.Resource, x.Node, role)
	}
	c.note("\nWaiting for resources to move...\n")
}

func (c *call) renounce(ids []string) {
	for _, id := range ids {
		c.note("Removing constraint %s", id)
	}
}

func relocateDryRun(c *call) error {
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	list, err := c.preferences(doc)
	if err != nil || len(list) == 0 {
		return err
	}
	c.announce(list)
	for _, x := range list {
		c.renounce([]string{x.ID()})
	}
	return nil
}

func relocateRun(c *call) error {
	if c.has("dry-run") {
		return relocateDryRun(c)
	}
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	list, err := c.preferences(doc)
	if err != nil || len(list) == 0 {
		return err
	}
	c.mustWait()
	c.announce(list)
	moved := c.change(func(d *configure.Draft) error { return configure.Prefers(d, list) })
	if err := relocateClear(c.afterwards()); err != nil {
		return fmt.Errorf("the constraints that have moved the resources are still there: '%s resource relocate clear' takes them back (%w)", c.program, err)
	}
	return moved
}

func relocateClear(c *call) error {
	var ids []string
	err := c.change(func(d *configure.Draft) error {
		ids = configure.DropPrefers(d)
		return nil
	})
	if err == nil && !c.has("dry-run") {
		c.renounce(ids)
	}
	return err
}

func relocateShow(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	plan, err := c.unstuck(doc, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Stdout, "Current cluster status:")
	if err := status.Text(c.Stdout, v); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "\nTransition Summary:\n")
	for _, line := range status.Summary(status.ShownChanges(plan.Summary)) {
		fmt.Fprintf(c.Stdout, "  * %s\n", line)
	}
	return nil
}
