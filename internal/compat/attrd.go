package compat

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// updaterCall is what attrd_updater was asked to do.
type updaterCall struct {
	*call
	common
	name, node, set, delay, lifetime string
	command, value                   string
	all, private, quiet              bool
}

// attrdUpdater sets and shows transient node attributes.
func attrdUpdater(c *call) int {
	u := &updaterCall{call: c}
	own := []option{
		textTo('n', "name", &u.name), commandWith('U', "update", &u.command, &u.value), commandWith('v', "update-value", &u.command, &u.value),
		commandWith('B', "update-both", &u.command, &u.value), command('Y', "update-delay", &u.command),
		command('Q', "query", &u.command), command('D', "delete", &u.command), command('R', "refresh", &u.command),
		textTo('d', "delay", &u.delay), textTo('s', "set", &u.set), textTo('N', "node", &u.node), flagTo('A', "all", &u.all),
		textTo('l', "lifetime", &u.lifetime), textTo('S', "section", new(string)), flagTo('p', "private", &u.private), flagTo('q', "quiet", &u.quiet),
	}
	if _, code, done := c.parse(&u.common, own); done {
		return code
	}
	if u.command == "refresh" {
		return u.done(nil) // what is set is in the CIB already
	}
	if u.name == "" {
		return u.say(exitUsage, "Command requires --name argument")
	}
	switch u.command {
	case "", "query":
		return u.query()
	case "update-delay":
		if u.delay == "" {
			c.printf("Warning: 'Y' command given without required --delay\n")
		}
		return u.done(nil) // changes are not held back
	}
	if u.command == "update-both" && u.delay == "" {
		c.printf("Warning: 'B' command given without required --delay\n")
	}
	node, err := c.targetNode(u.node)
	if err == nil {
		up := cib.AttributeUpdate{Node: node, Name: u.name, Value: u.value, Set: u.set, Delete: u.command == "delete"}
		err = c.open().setAttributes(up)
	}
	return u.done(err)
}

func (u *updaterCall) say(code int, text string) int {
	if u.outputAs == "xml" {
		return u.result(code, u.call.name+": "+text)
	}
	return u.errorf(code, "%s", text)
}

func (u *updaterCall) done(err error) int {
	switch {
	case disconnected(err):
		if u.command == "query" || u.command == "" {
			return u.say(exitDisconnect, "Could not connect to attrd: Connection refused")
		}
		return u.say(exitDisconnect, "Could not update "+u.name+"="+u.value+": Connection refused (111)")
	case err != nil:
		code, words := failureOf(err)
		u.detail(err)
		return u.say(code, "Could not update "+u.name+"="+u.value+": "+words+" ("+strconv.Itoa(code)+")")
	case u.outputAs == "xml":
		return u.result(exitOK, "")
	}
	return exitOK
}

func (u *updaterCall) query() int {
	list, err := u.open().attributes("", u.name)
	if err != nil {
		return u.done(err)
	}
	node := u.node
	if node == "auto" || node == "localhost" {
		if node, err = u.targetNode(node); err != nil {
			return u.done(err)
		}
	}
	var shown []wire.Attribute
	for _, a := range list {
		if !a.Permanent && (node == "" || u.all || node == a.Node) {
			shown = append(shown, a)
		}
	}
	if len(shown) == 0 {
		return u.say(exitConfig, "Could not query value of "+u.name+": attribute does not exist")
	}
	var els []*cib.Element
	for _, a := range shown {
		if u.outputAs == "xml" {
			els = append(els, cib.NewElement("attribute", []cib.Attr{{Name: "name", Value: a.Name}, {Name: "value", Value: a.Value}, {Name: "host", Value: a.Node}}))
			continue
		}
		u.printf("name=\"%s\" host=\"%s\" value=\"%s\"\n", a.Name, a.Node, a.Value)
	}
	if u.outputAs == "xml" {
		return u.result(exitOK, "", els...)
	}
	return exitOK
}
