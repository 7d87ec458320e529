package pcs

import (
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

func restartNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "restart", args: "RESOURCE [NODE]", live: true, options: []string{"wait", "dry-run"}, run: resourceRestart,
			what: "Stop a resource with what depends on it, and start it again; of a clone or a bundle, with NODE, only what runs there. --wait=TIME is how long each of both may take."},
	}}
}

// resourceRestart stops a resource, waits, lets it start again, and waits. Whatever happens in between, the configuration is put
// back.
func resourceRestart(c *call) error {
	switch len(c.words) {
	case 0:
		return c.misused("you must specify a resource to restart")
	case 1, 2:
	default:
		return c.want(1, 2)
	}
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	r := doc.Resource(c.words[0])
	if r == nil {
		return fmt.Errorf("there is no resource '%s'%s", c.words[0], didYouMean(c.words[0], resourceIDs(doc)))
	}
	if whole := configure.Whole(r); whole != r {
		c.warnf("using %s... (if a resource is a clone or bundle you must use the clone or bundle name)", whole.ID)
		r = whole
	}
	node := c.word(1)
	if node != "" && r.Kind != cib.Clone && r.Kind != cib.Bundle {
		return fmt.Errorf("can only restart on a specific node for a clone or bundle resource")
	}
	if on := c.runningOn(doc, r.ID, false); len(on) == 0 {
		return fmt.Errorf("%s is not running and so cannot be restarted", r.ID)
	}
	c.mustWait()
	if node != "" {
		err = c.restartOn(r, node)
	} else {
		err = c.restartWhole(r)
	}
	if err == nil && !c.has("dry-run") {
		c.note("%s successfully restarted", r.ID)
	}
	return err
}

// restartWhole has a resource stopped by its target-role.
func (c *call) restartWhole(r *cib.Resource) error {
	var was, held *cib.Element
	return c.stopAndStart(r.ID, "", func(d *configure.Draft) (err error) {
		was, held, err = configure.HoldStopped(d, r.ID)
		return err
	}, func(d *configure.Draft) error { return configure.Release(d, was, held) })
}

// restartOn keeps a clone or a bundle off a node for a while.
func (c *call) restartOn(r *cib.Resource, node string) error {
	constraint := ""
	return c.stopAndStart(r.ID, node, func(d *configure.Draft) (err error) {
		constraint, err = configure.KeepOff(d, r.ID, node)
		return err
	}, func(d *configure.Draft) error {
		if p := d.Find(constraint, "rsc_location"); p != nil {
			d.Put(p, nil)
		}
		return nil
	})
}

func (c *call) stopAndStart(id, node string, stop, start func(d *configure.Draft) error) error {
	if c.has("dry-run") {
		return c.change(stop)
	}
	failed := c.change(stop)
	if failed == nil {
		failed = c.hasStopped(id, node)
	}
	if err := c.afterwards().change(start); err != nil {
		return fmt.Errorf("%s was stopped and could not be let start again: '%s resource enable %s' and '%s resource clear %s' do it (%w)", id, c.program, id, c.program, id, err)
	}
	if failed != nil {
		return fmt.Errorf("could not complete shutdown of %s, the configuration is as it was: %w", id, failed)
	}
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	if len(c.runningOn(doc, id, false)) == 0 {
		return fmt.Errorf("%s was stopped and does not start again: '%s status' shows why", id, c.program)
	}
	return nil
}

// hasStopped is an error while a resource runs, on the node if one is named.
func (c *call) hasStopped(id, node string) error {
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	for _, on := range c.runningOn(doc, id, false) {
		if node == "" || on == node {
			return fmt.Errorf("it still runs on %s", on)
		}
	}
	return nil
}
