package pcs

import (
	"errors"

	"github.com/cerco-ha/cerco/internal/configure"
)

// resourceNoun has the verbs that change a resource as a whole.
func resourceNoun() *verb {
	return &verb{name: "resource", what: "Manage resources.", sub: append([]*verb{
		{name: "delete", aliases: []string{"remove"}, args: "RESOURCE", options: []string{"force", "wait", "no-stop", "future"}, run: resourceDelete,
			what: "Delete a resource, group, clone or bundle with everything in it, and the constraints that name it."},
	}, stateVerbs("resource")...)}
}

func resourceDelete(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.Delete(d, c.words[0], c.path[0] == "stonith") })
}

// stateVerbs are those that resources and fence devices share.
func stateVerbs(noun string) []*verb {
	what := map[string]string{"resource": "resources, or those that a tag stands for", "stonith": "fence devices"}[noun]
	list := []*verb{
		{name: "enable", args: "ID...", options: []string{"wait"}, run: resourceEnable, what: "Let the cluster use " + what + "."},
		{name: "disable", args: "ID...", options: disableOptions(noun), run: resourceDisable, what: "Have the cluster stop " + what + " and not start them again."},
		{name: "meta", args: "ID NAME=[VALUE]...", options: []string{"force", "wait"}, run: resourceMeta, what: "Set meta attributes. An empty value removes one."},
		{name: "op", what: "Manage operations.", sub: []*verb{
			{name: "add", args: "ID ACTION [NAME=VALUE]...", options: []string{"force"}, run: opAdd, what: "Add an operation."},
			{name: "delete", aliases: []string{"remove"}, args: "OPERATION | ID ACTION [NAME=VALUE]...", run: opRemove,
				what: "Remove an operation, by its id, or by its name and exactly its options; with the name alone, all of that name."},
		}},
	}
	if noun == "stonith" {
		return list
	}
	return append(list,
		&verb{name: "manage", args: "RESOURCE...", options: []string{"monitor"}, run: resourceManage, what: "Have the cluster manage resources. With --monitor their monitors are enabled too."},
		&verb{name: "unmanage", args: "RESOURCE...", options: []string{"monitor"}, run: resourceUnmanage, what: "Have the cluster leave resources alone. With --monitor their monitors are disabled too."},
		&verb{name: "utilization", args: "[RESOURCE [NAME=[VALUE]]...]", run: resourceUtilization,
			what: "Set what a resource uses of a node's capacity, or show it."},
	)
}

func (c *call) state() configure.State {
	return configure.State{IDs: c.words, Monitor: c.has("monitor"), Stonith: c.path[0] == "stonith"}
}

func resourceEnable(c *call) error {
	if len(c.words) == 0 {
		return errors.New("you must specify resource(s) to enable")
	}
	return c.changeFor(running, c.words, func(d *configure.Draft) error { return configure.Enable(d, c.state()) })
}

func resourceManage(c *call) error {
	if len(c.words) == 0 {
		return errors.New("name the resources to manage")
	}
	return c.change(func(d *configure.Draft) error { return configure.Manage(d, c.state()) })
}

func resourceUnmanage(c *call) error {
	if len(c.words) == 0 {
		return errors.New("name the resources to unmanage")
	}
	return c.change(func(d *configure.Draft) error { return configure.Unmanage(d, c.state()) })
}

func resourceMeta(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	list, err := pairs(c.words[1:])
	if err != nil {
		return err
	}
	agents := c.Agents
	if _, asked := configure.Lookup(list, "promotable"); asked {
		if agents, err = c.agents(); err != nil {
			return err
		}
	}
	return c.changeFor(anyhow, c.words[:1], func(d *configure.Draft) error {
		return configure.SetMeta(d, agents, c.words[0], list, c.path[0] == "stonith")
	})
}

// oneOp reads ACTION [NAME=VALUE]...
func oneOp(words []string) (configure.Op, error) {
	list, err := pairs(words[1:])
	return configure.Op{Name: words[0], Pairs: list}, err
}

func opAdd(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	op, err := oneOp(c.words[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.AddOp(d, c.words[0], op, c.path[0] == "stonith") })
}

func opRemove(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	if len(c.words) == 1 {
		return c.change(func(d *configure.Draft) error { return configure.RemoveOp(d, c.words[0], nil) })
	}
	op, err := oneOp(c.words[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveOp(d, c.words[0], &op) })
}

func resourceUtilization(c *call) error {
	if len(c.words) < 2 {
		return c.showUtilization()
	}
	list, err := pairs(c.words[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.Utilization(d, c.words[0], list) })
}
