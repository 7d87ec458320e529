package pcs

import (
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

const alertArgs = "[description=TEXT] [options NAME=VALUE...] [meta NAME=VALUE...]"

func alertNoun() *verb {
	return &verb{name: "alert", what: "Manage alerts: agents that are told what happens.", bare: "config", options: []string{"output-format"}, sub: []*verb{
		{name: "config", aliases: []string{"show"}, options: []string{"output-format"}, run: alertConfig, what: "List alerts and their recipients."},
		{name: "create", args: "path=PATH [id=ID] " + alertArgs, run: alertCreate, what: "Let an alert agent be told."},
		{name: "update", args: "ALERT [path=PATH] " + alertArgs, run: alertUpdate, what: "Change an alert. An empty value removes an option."},
		{name: "delete", aliases: []string{"remove"}, args: "ALERT...", run: alertDelete("alert"), what: "Remove alerts."},
		{name: "recipient", what: "Manage recipients of alerts.", sub: []*verb{
			{name: "add", args: "ALERT value=VALUE [id=ID] " + alertArgs, options: []string{"force"}, run: recipientAdd, what: "Add a recipient to an alert."},
			{name: "update", args: "RECIPIENT [value=VALUE] " + alertArgs, options: []string{"force"}, run: recipientUpdate, what: "Change a recipient. An empty value removes an option."},
			{name: "delete", aliases: []string{"remove"}, args: "RECIPIENT...", run: alertDelete("recipient"), what: "Remove recipients."},
		}},
	}}
}

func alertConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.printAs("alerts", listing.Alerts, listing.AlertCommands)
}

// alertSpec reads what an alert or recipient is said to be. target is what its own value is called, "path" or "value";
// given is that value, nil if there is none.
func (c *call) alertSpec(words []string, target string, mayName bool) (id string, given *string, spec configure.AlertSpec, err error) {
	for _, s := range sections(words, "options", "meta") {
		list, bad := pairs(s.words)
		if bad != nil {
			return "", nil, spec, bad
		}
		switch s.keyword {
		case "options":
			spec.Options = append(spec.Options, list...)
			continue
		case "meta":
			spec.Meta = append(spec.Meta, list...)
			continue
		}
		for _, p := range list {
			switch {
			case p.Name == target:
				given, spec.Target = &p.Value, p.Value
			case p.Name == "description":
				spec.Description = &p.Value
			case p.Name == "id" && mayName:
				id = p.Value
			default:
				return "", nil, spec, c.misused("Unexpected parameter '%s=%s'", p.Name, p.Value)
			}
		}
	}
	return id, given, spec, nil
}

func alertCreate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	id, _, spec, err := c.alertSpec(c.words, "path", true)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.NewAlert(d, id, spec) })
}

func alertUpdate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	_, _, spec, err := c.alertSpec(c.words[1:], "path", false)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.UpdateAlert(d, c.words[0], spec) })
}

func alertDelete(kind string) func(c *call) error {
	return func(c *call) error {
		if err := c.want(1, -1); err != nil {
			return err
		}
		return c.change(func(d *configure.Draft) error { return configure.RemoveAlerts(d, kind, c.words) })
	}
}

func recipientAdd(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	id, _, spec, err := c.alertSpec(c.words[1:], "value", true)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.AddRecipient(d, c.words[0], id, spec) })
}

func recipientUpdate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	_, value, spec, err := c.alertSpec(c.words[1:], "value", false)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.UpdateRecipient(d, c.words[0], value, spec) })
}
