package cib

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// CommandError says why a command cannot be applied, and what to do.
type CommandError struct{ What, Fix string }

func (e *CommandError) Error() string {
	if e.Fix == "" {
		return e.What
	}
	return e.What + ": " + e.Fix
}

func refuse(fix, what string, args ...any) error {
	return &CommandError{What: fmt.Sprintf(what, args...), Fix: fix}
}

// Apply makes the next state of a state and a command. It is the same on every node: it depends on nothing
// but its arguments, and never changes them. A command that cannot be applied as a whole leaves no trace: the
// state comes back as it was, with ErrVersion, ErrExists or a *CommandError. The Index is the caller's to set.
//
// The configuration is not checked here for what makes sense, since versions of this program may differ in
// what they know of that, but not in what a command does: see Check, and use it before a command is proposed.
//
// A command that needs a later vocabulary than the cluster has agreed on is refused, by programs that know it
// and by those that do not. ErrBehind is another matter: see there.
func Apply(s State, c Command) (State, error) { return CommandVersion.Apply(s, c) }

// Apply is that of a program that speaks this vocabulary.
func (v Vocabulary) Apply(s State, c Command) (State, error) {
	if err := v.permits(&s, &c); err != nil {
		return s, err
	}
	a := &applying{state: s, cmd: &c, cib: s.CIB}
	if err := a.all(); err != nil {
		return s, err
	}
	next, err := a.finish(s.CIB)
	if err != nil {
		return s, err
	}
	a.state.CIB = next
	return a.state, nil
}

// applying is a state while a command is applied to it. Changes of the status are gathered in status;
// those of everything else are in cib at once. flush brings the two together.
type applying struct {
	state  State
	cmd    *Command
	cib    *CIB
	status *StatusEdit // nil: not touched since the last flush
	copied bool        // the facts are our own
}

func (a *applying) all() error {
	c := a.cmd
	if c.Raise != 0 {
		a.state.Spoken = c.Raise
	}
	if c.Cluster != nil {
		if err := a.cluster(*c.Cluster); err != nil {
			return err
		}
	}
	if c.Lead != nil {
		a.lead(c.Lead)
	}
	for i := range c.Nodes {
		if err := a.node(&c.Nodes[i]); err != nil {
			return err
		}
	}
	if c.Config != nil {
		if err := a.config(c.Config); err != nil {
			return err
		}
	}
	for i := range c.Results {
		if err := a.result(&c.Results[i]); err != nil {
			return err
		}
	}
	for i := range c.Attributes {
		if err := a.attribute(&c.Attributes[i]); err != nil {
			return err
		}
	}
	for i := range c.Forget {
		a.forget(&c.Forget[i])
	}
	for i := range c.Fencing {
		if err := a.fencing(&c.Fencing[i]); err != nil {
			return err
		}
	}
	return nil
}

// edit is the status section, to be changed.
func (a *applying) edit() *StatusEdit {
	if a.status == nil {
		a.status = EditStatus(a.cib)
	}
	return a.status
}

// root is the document as it is now.
func (a *applying) root() *Element {
	if a.status == nil || !a.status.changed {
		return a.cib.Root
	}
	return a.status.Root()
}

// replaceRoot makes another document the current one.
func (a *applying) replaceRoot(root *Element) error {
	if root == a.cib.Root {
		a.status = nil
		return nil
	}
	next, err := a.cib.Update(root)
	if err != nil {
		return refuse("", "%v", err)
	}
	a.cib, a.status = next, nil
	return nil
}

// flush makes the changes of the status part of the document.
func (a *applying) flush() error { return a.replaceRoot(a.root()) }

// editConfiguration changes the configuration section by itself.
func (a *applying) editConfiguration(edit func(conf *Element) *Element) error {
	if err := a.flush(); err != nil {
		return err
	}
	root := a.cib.Root
	conf := root.Child("configuration")
	if conf == nil {
		conf = NewElement("configuration", nil)
		root = root.Insert(0, conf)
	}
	changed := edit(conf)
	if changed == conf {
		return nil
	}
	return a.replaceRoot(root.Swap(conf, changed))
}

// finish gives the document its version.
func (a *applying) finish(old *CIB) (*CIB, error) {
	root := a.root()
	if c := a.cmd.Config; c != nil && c.Bump && Equal(old.Root.Child("configuration"), root.Child("configuration")) {
		v := VersionOf(old.Root)
		return a.cib.Update(WithVersion(root, Version{AdminEpoch: v.AdminEpoch, Epoch: v.Epoch + 1}))
	}
	if root == old.Root {
		return old, nil
	}
	if !Equal(old.Root.Child("configuration"), root.Child("configuration")) {
		root = stamped(root, a.cmd)
	}
	root = Succeed(old.Root, root)
	if root == old.Root {
		return old, nil
	}
	return a.cib.Update(root)
}

// stamped notes on the root element who changed the configuration, and when: By is "user", "user via tool" or
// "user via tool on node".
func stamped(root *Element, c *Command) *Element {
	rest, origin, _ := strings.Cut(c.By, " on ")
	user, client, _ := strings.Cut(rest, " via ")
	attrs := root.AttrList()
	if !c.At.IsZero() {
		attrs = SetAttr(attrs, "cib-last-written", c.At.UTC().Format(time.ANSIC))
	}
	attrs = SetAttr(attrs, "update-origin", origin)
	attrs = SetAttr(attrs, "update-client", client)
	return root.WithAttrs(SetAttr(attrs, "update-user", user))
}

// facts are the facts about a node, to be changed; they are made if there are none.
func (a *applying) facts(id string) *NodeFacts {
	if !a.copied {
		a.state.Nodes, a.copied = slices.Clone(a.state.Nodes), true
	}
	at, found := slices.BinarySearchFunc(a.state.Nodes, id, func(f NodeFacts, id string) int { return compareIDs(f.ID, id) })
	if !found {
		a.state.Nodes = slices.Insert(a.state.Nodes, at, NodeFacts{ID: id})
	}
	return &a.state.Nodes[at]
}

// Facts returns what is known about a member, or nil.
func (s *State) Facts(id string) *NodeFacts {
	for i := range s.Nodes {
		if s.Nodes[i].ID == id {
			return &s.Nodes[i]
		}
	}
	return nil
}

// compareIDs orders member ids: numbers by value, others behind them.
func compareIDs(a, b string) int {
	x, xok := memberNumber(a)
	y, yok := memberNumber(b)
	switch {
	case xok && yok && x != y:
		return x - y
	case xok != yok && xok:
		return -1
	case xok != yok:
		return 1
	}
	return strings.Compare(a, b)
}

func memberNumber(id string) (int, bool) {
	n, rest, ok := leadingInt(id)
	return int(n), ok && rest == "" && n > 0
}
