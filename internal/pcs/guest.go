package pcs

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/configure"
)

func guestNoun() *verb {
	return &verb{name: "cluster", sub: []*verb{{name: "node", sub: []*verb{
		{name: "add-guest", args: "NODE RESOURCE [remote-addr=ADDRESS] [remote-port=PORT] [remote-connect-timeout=TIME]", options: []string{"corosync_conf", "force", "skip-offline", "wait"}, run: addGuest,
			what: "Make a resource a guest node: what it starts is a node of the cluster."},
		{name: "remove-guest", aliases: []string{"delete-guest"}, args: "NODE | ADDRESS | RESOURCE", options: []string{"corosync_conf", "force", "skip-offline", "wait"}, run: removeGuest,
			what: "Make an ordinary resource of a guest node."},
	}}}}
}

func addGuest(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	options, err := pairs(c.words[2:])
	if err != nil {
		return err
	}
	if !c.onFile() {
		c.warnf("nodes that run pacemaker_remote are configured and planned for, but Cerco's daemons do not run operations on them yet")
	}
	return c.change(func(d *configure.Draft) error { return configure.AddGuest(d, c.words[0], c.words[1], options) })
}

func removeGuest(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	var nodes []string
	err := c.change(func(d *configure.Draft) (err error) {
		nodes, err = configure.RemoveGuest(d, c.words[0])
		return err
	})
	if err == nil {
		c.note("Stop and disable pacemaker_remote on %s yourself, and remove /etc/pacemaker/authkey there.", strings.Join(nodes, ", "))
	}
	return err
}
