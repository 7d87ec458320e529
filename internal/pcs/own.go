package pcs

import (
	"fmt"
	"slices"
	"strings"
)

// ownNouns are the verbs that pcs does not have, or that do more here. What they do is Cerco's own commands' business: the tree
// knows how they are called.
func ownNouns() []*verb {
	own := func(name, args, what string, options ...string) *verb {
		return &verb{name: name, args: args, what: what, live: true, options: options, run: ownCommand}
	}
	return []*verb{
		{name: "cluster", sub: []*verb{
			own("join", "", "Enter a cluster with an invitation: asks for its token, or reads it from standard input.", "node", "addr", "api", "no-start", "dir"),
			own("invite", "", "Make an invitation for a new node, and show its token, which is good for once.", "valid", "dir"),
			own("add-witness", "", "Make an invitation for a witness: a vote, and no resources.", "valid", "dir"),
			own("members", "", "Show who belongs to the cluster, how they vote and how they are heard.", "dir"),
			own("options", "[NAME=VALUE]...", "Show or change how votes are counted (two_node, wait_for_all, auto_tie_breaker, auto_tie_breaker_node, "+
				"last_man_standing, last_man_standing_window, expected_votes), how fast losses are noticed (heartbeat, lease, token; in milliseconds), "+
				"and after how many days nodes exchange their keys (key_days; 0: never).", "dir"),
			own("remove", "NODE", "Take a node out of the cluster; stop it first. With --force even one that is up: what runs there is left to itself.", "dir"),
			own("rotate", "[NODE]...", "Have nodes (default: this one) exchange their keys while everything runs; with --ca the cluster its certificate authority: "+
				"open invitations end then.", "all", "ca", "dir"),
			own("upgrade", "", "Show how far the nodes are on the way to a new version; with --final there is no way back.", "final", "dir"),
		}},
		{name: "stonith", sub: []*verb{
			own("fence", "NODE", "Cut a node off by its fence devices and let it come back; with --off it stays off.", "off", "delay", "timeout", "tolerance"),
			own("unfence", "NODE", "Let a node in again: its fence devices switch it on.", "timeout"),
			own("confirm", "NODE", "Say that you have seen that a node is off; what waits for that goes on."),
			own("history", "[show] [NODE]", "Show what was fenced, when, by which device, and with what proof.", "json"),
			own("devices", "[NODE]", "Show the fence devices, or those that can fence a node, and their levels.", "json"),
		}},
	}
}

// ownCommand hands a verb, with its words and options, to the command of Cerco's own that does it.
func ownCommand(c *call) error {
	if c.Own == nil {
		return fmt.Errorf("'%s' needs a running cluster", strings.Join(c.path, " "))
	}
	return c.own(append(append(slices.Clone(c.path), c.words...), c.given("force")...)...)
}

// given are the options that were given of those that the verb takes, and of some more.
func (c *call) given(more ...string) []string {
	var args []string
	for _, name := range append(slices.Clone(c.verb.options), more...) {
		for _, value := range c.options[name] {
			if optionKinds()[name] != flag {
				args = append(args, "--"+name+"="+value)
				continue
			}
			args = append(args, "--"+name)
		}
	}
	return args
}

func (c *call) own(args ...string) error {
	if code := c.Own(args); code != 0 {
		return exit(code)
	}
	return nil
}
