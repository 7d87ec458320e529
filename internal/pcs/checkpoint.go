package pcs

import (
	"fmt"
	"io"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/listing"
)

// checkpointNoun has the configurations of the past: those that the plans which are kept were made from.
func checkpointNoun() *verb {
	return &verb{name: "config", sub: []*verb{{name: "checkpoint", what: "Configurations of the past, by the plans that were made from them.", bare: "list", sub: []*verb{
		{name: "list", live: true, run: checkpointList, what: "List the plans that are kept: each has the configuration of its time."},
		{name: "view", args: "PLAN", live: true, run: checkpointView, what: "Show the configuration of a plan."},
		{name: "diff", args: "PLAN PLAN|live", live: true, run: checkpointDiff, what: "Show, element by element, what makes one configuration of another."},
		{name: "restore", args: "PLAN", live: true, options: []string{"wait"}, run: checkpointRestore,
			what: "Put the configuration of a plan in force. Nodes, and what has happened to them, stay as they are."},
	}}}}
}

func checkpointList(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	list, err := d.Transitions(c.context(), 0)
	if err != nil {
		return err
	}
	for _, t := range list {
		fmt.Fprintf(c.Stdout, "checkpoint %s: %s: %s\n", t.ID, t.At.Local().Format(time.DateTime), t.Why)
	}
	if len(list) == 0 {
		c.note("No plans are kept, and so no configurations of the past")
	}
	return nil
}

// checkpoint is the CIB of a plan, or of now.
func (c *call) checkpoint(plan string) (*cib.CIB, error) {
	if plan == "live" {
		_, doc, err := c.document()
		return doc, err
	}
	d, err := c.daemon()
	if err != nil {
		return nil, err
	}
	data, err := d.TransitionCIB(c.context(), plan)
	if err != nil {
		return nil, fmt.Errorf("%w; '%s config checkpoint list' has those that there are", err, c.program)
	}
	return cib.Decode(plan, data)
}

func checkpointView(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	doc, err := c.checkpoint(c.words[0])
	if err != nil {
		return err
	}
	_, err = listing.Config(doc, listing.Corosync{}).WriteTo(c.Stdout)
	return err
}

func checkpointDiff(c *call) error {
	if err := c.want(2, 2); err != nil {
		return err
	}
	var docs [2]*cib.Element
	for i, name := range c.words {
		doc, err := c.checkpoint(name)
		if err != nil {
			return err
		}
		if docs[i] = part(doc.Root, "configuration"); docs[i] == nil {
			return fmt.Errorf("%s has no configuration", name)
		}
	}
	if cib.Equal(docs[0], docs[1]) {
		c.note("Both configurations are the same")
		return nil
	}
	for _, line := range differences(docs[0], docs[1]) {
		if _, err := io.WriteString(c.Stdout, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func checkpointRestore(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	doc, err := c.checkpoint(c.words[0])
	if err != nil {
		return err
	}
	return c.restore("checkpoint "+c.words[0], doc.Root)
}
