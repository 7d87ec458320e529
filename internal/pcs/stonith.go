package pcs

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/configure"
)

func stonithNoun() *verb {
	return &verb{name: "stonith", what: "Manage fence devices.", sub: append([]*verb{
		{name: "create", args: "ID TYPE [NAME=VALUE]... [op ACTION NAME=VALUE...]... [meta NAME=VALUE...]", run: stonithCreate,
			options: []string{"force", "group", "before", "after", "disabled", "no-default-ops", "agent-validation", "wait"},
			what:    "Create a fence device. TYPE is the name of its agent, such as fence_ipmilan."},
		{name: "update", args: "ID [NAME=[VALUE]]... [op ACTION NAME=VALUE...]... [meta NAME=[VALUE]...]", run: resourceUpdate,
			options: []string{"force", "agent-validation", "wait"}, what: "Change a fence device. An empty value removes an option."},
		{name: "delete", aliases: []string{"remove"}, args: "ID", options: []string{"force", "wait", "no-stop", "future"}, run: resourceDelete,
			what: "Delete a fence device, and its places in the fencing levels."},
		{name: "level", what: "Manage fencing levels.", bare: "config", sub: []*verb{
			{name: "add", args: "LEVEL TARGET DEVICE...", options: []string{"force"}, run: levelAdd,
				what: "Add a level: the devices that are used together, in order, when the lower levels have failed. TARGET is a node, 'regexp%PATTERN' for nodes by name, or 'attrib%NAME=VALUE'."},
			{name: "delete", aliases: []string{"remove"}, args: "LEVEL [target TARGET] [stonith DEVICE...]", run: levelRemove, what: "Remove the levels that are all of that."},
			{name: "clear", args: "[target TARGET | stonith DEVICE...]", run: levelClear, what: "Remove all levels, those of a target, or those of exactly these devices."},
			{name: "verify", run: levelVerify, what: "Check that the nodes and devices of all levels are there."},
		}},
	}, stateVerbs("stonith")...)}
}

func stonithCreate(c *call) error {
	spec, err := c.createSpec(false)
	if err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	return c.changeFor(created(spec), []string{spec.ID}, func(d *configure.Draft) error { return configure.CreateStonith(d, agents, spec) })
}

// devices reads the ids of devices; with commas between them they are of the older dialects.
func (c *call) devices(words []string) []string {
	var list []string
	for _, w := range words {
		parts := strings.Split(w, ",")
		if len(parts) > 1 {
			c.deprecate("devices are separated by blanks now: %s", strings.Join(parts, " "))
		}
		list = append(list, parts...)
	}
	return list
}

func levelAdd(c *call) error {
	if err := c.want(3, -1); err != nil {
		return err
	}
	devices := c.devices(c.words[2:])
	return c.change(func(d *configure.Draft) error {
		return configure.AddLevel(d, c.words[0], configure.ParseTarget(c.words[1]), devices)
	})
}

// choice reads [target TARGET] [stonith DEVICE...].
func (c *call) choice(words []string) (l configure.Levels, err error) {
	parts := sections(words, "target", "stonith")
	if len(parts[0].words) > 0 {
		return l, c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), strings.Join(parts[0].words, " "))
	}
	for _, p := range parts[1:] {
		switch {
		case p.keyword == "target" && len(p.words) == 1:
			t := configure.ParseTarget(p.words[0])
			l.Target = &t
		case p.keyword == "stonith" && len(p.words) > 0:
			l.Devices = c.devices(p.words)
		default:
			return l, c.misused("'%s' needs something behind it", p.keyword)
		}
	}
	return l, nil
}

func (c *call) oldChoice(words []string) bool {
	if len(words) == 0 || words[0] == "target" || words[0] == "stonith" {
		return false
	}
	c.deprecate("'%s' takes 'target TARGET' and 'stonith DEVICE...' now", strings.Join(c.path, " "))
	return true
}

func levelRemove(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	rest := c.words[1:]
	if c.oldChoice(rest) { // the first word is a target, or a device
		t := configure.ParseTarget(rest[0])
		first := configure.Levels{Level: c.words[0], Target: &t, Devices: c.devices(rest[1:])}
		second := configure.Levels{Level: c.words[0], Devices: c.devices(rest)}
		return c.change(func(d *configure.Draft) error { return configure.RemoveLevels(d, true, first, second) })
	}
	l, err := c.choice(rest)
	if err != nil {
		return err
	}
	l.Level = c.words[0]
	return c.change(func(d *configure.Draft) error { return configure.RemoveLevels(d, true, l) })
}

func levelClear(c *call) error {
	if c.oldChoice(c.words) {
		if err := c.want(1, 1); err != nil {
			return err
		}
		t := configure.ParseTarget(c.words[0])
		return c.change(func(d *configure.Draft) error {
			return configure.RemoveLevels(d, false, configure.Levels{Target: &t}, configure.Levels{Devices: c.devices(c.words)})
		})
	}
	l, err := c.choice(c.words)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveLevels(d, false, l) })
}

func levelVerify(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.change(configure.VerifyLevels)
}
