package cib

import (
	"fmt"
	"strconv"
)

// Element is the patch as XML, in the form that Pacemaker calls format 2. ReadPatch reads it.
func (p *Patch) Element() *Element {
	version := NewElement("version", nil, NewElement("source", p.Source.attrs()), NewElement("target", p.Target.attrs()))
	diff := NewElement("diff", []Attr{{"format", "2"}}, version)
	children := diff.Children
	for _, c := range p.Changes {
		children = append(children, c.element())
	}
	return diff.WithChildren(children)
}

func (c Change) element() *Element {
	e := NewElement("change", []Attr{{"operation", c.Op.String()}, {"path", c.Path}})
	switch c.Op {
	case Create:
		return e.With("position", strconv.Itoa(c.Position)).WithChildren([]*Element{c.Element})
	case Move:
		return e.With("position", strconv.Itoa(c.Position))
	case Modify:
		return e.WithChildren([]*Element{NewElement("change-result", nil, c.Element)})
	}
	return e
}

// ReadPatch reads a patch that Patch.Element wrote.
func ReadPatch(e *Element) (*Patch, error) {
	if e == nil || e.Name != "diff" || e.Attr("format") != "2" {
		return nil, fmt.Errorf("not a patch: a <diff format=\"2\"> is wanted")
	}
	version := e.Child("version")
	p := &Patch{Source: VersionOf(version.Child("source")), Target: VersionOf(version.Child("target"))}
	for c := range e.Elements() {
		if c.Name != "change" {
			continue
		}
		change, err := readChange(c)
		if err != nil {
			return nil, fmt.Errorf("change %d of the patch: %w", len(p.Changes)+1, err)
		}
		p.Changes = append(p.Changes, change)
	}
	return p, nil
}

func readChange(e *Element) (Change, error) {
	c := Change{Path: e.Attr("path"), Position: parseInt(e.Attr("position"), 0)}
	switch op := e.Attr("operation"); op {
	case "create":
		c.Op = Create
		if len(e.Children) != 1 {
			return c, fmt.Errorf("create has %d elements instead of one", len(e.Children))
		}
		c.Element = e.Children[0]
	case "modify":
		c.Op = Modify
		for r := range e.Child("change-result").Elements() {
			c.Element = r
		}
		if c.Element == nil {
			return c, fmt.Errorf("modify has no result")
		}
	case "move":
		c.Op = Move
	case "delete":
		c.Op = Delete
	default:
		return c, fmt.Errorf("operation %q is unknown", op)
	}
	return c, nil
}
