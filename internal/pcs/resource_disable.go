package pcs

import (
	"errors"
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

func safeDisableNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "safe-disable", args: "ID...", options: []string{"force", "wait", "brief", "no-strict", "simulate"}, run: resourceDisable,
			what: "Have the cluster stop resources, or those that a tag stands for, but only if no other resource is affected; with --no-strict, if no other is stopped or demoted. " +
				"--force skips that check."},
	}}
}

func disableOptions(noun string) []string {
	if noun == "stonith" {
		return []string{"wait"}
	}
	return []string{"wait", "safe", "brief", "no-strict", "simulate"}
}

func resourceDisable(c *call) error {
	safe := c.has("safe") || c.verb.name == "safe-disable"
	switch {
	case len(c.words) == 0:
		return errors.New("you must specify resource(s) to disable")
	case c.has("simulate") && c.onFile():
		return c.misused("only one of '--simulate', '-f' can be used; --dry-run shows the effect of a change to a file")
	case c.has("simulate") && c.has("wait"):
		return c.misused("only one of '--simulate', '--wait' can be used")
	case safe && c.onFile():
		return c.misused("a resource cannot be disabled safely in a file: nothing runs there that could be affected")
	case safe && c.has("simulate"):
		return c.misused("'--simulate' cannot be used with '--safe'")
	case c.has("brief") && !safe && !c.has("simulate"):
		return c.misused("'--brief' cannot be used without '--simulate' or '--safe'")
	case safe && c.has("force") && c.verb.name != "safe-disable":
		return c.misused("'--force' and '--safe' exclude each other")
	case safe && c.has("force"):
		c.warnf("option '--force' is specified therefore checks for disabling resource safely will be skipped")
		safe = false
	}
	if c.has("simulate") && c.has("brief") {
		return c.showAffected()
	}
	if c.has("simulate") {
		c.options["dry-run"] = []string{""}
	}
	return c.changeFor(stopped, c.words, func(d *configure.Draft) error {
		before := d.CIB()
		if err := configure.Disable(d, c.state()); err != nil || !safe {
			return err
		}
		return c.harmless(before, d.CIB())
	})
}

// others are the resources that disabling those named would do something to.
func (c *call) others(before, after *cib.CIB, harmed bool) []string {
	var own []string
	for _, id := range c.words {
		own = append(own, primitivesIn(before, id)...)
	}
	return c.affected(c.plan(after), own, harmed)
}

// harmless refuses a change that other resources feel.
func (c *call) harmless(before, after *cib.CIB) error {
	list := c.others(before, after, c.has("no-strict"))
	if len(list) == 0 {
		return nil
	}
	what := "this resource: "
	if len(list) > 1 {
		what = "these resources: "
	}
	if !c.has("brief") && c.Preview != nil {
		if err := c.Preview(c.Stderr, before, after); err != nil {
			return err
		}
	}
	return fmt.Errorf("disabling specified resource would have an effect on %s%s", what, quoted(list))
}

// showAffected lists the resources that disabling those named would do something to.
func (c *call) showAffected() error {
	_, doc, err := c.document()
	if err != nil {
		return err
	}
	d := configure.Of(doc)
	if err := configure.Disable(d, c.state()); err != nil {
		return err
	}
	for _, id := range c.others(doc, d.CIB(), false) {
		fmt.Fprintln(c.Stdout, id)
	}
	return nil
}
