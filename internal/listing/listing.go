// Package listing shows a configuration as people and scripts read it: resources, fence devices and levels,
// constraints with their rules, properties, defaults, node attributes, tags, alerts and access rules, in the
// words and the layout of pcs 0.11, as text, as commands that make the same again, and as JSON.
//
// It promises the same lines for the same CIB and the same time, and that every value that it shows is the
// document's, not a default. It never changes a CIB, reads a clock or writes anything by itself.
package listing

import (
	"io"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Lines are lines of text, without their line breaks.
type Lines []string

var _ io.WriterTo = Lines(nil)

// WriteTo writes the lines, each with a line break.
func (l Lines) WriteTo(w io.Writer) (int64, error) {
	if len(l) == 0 {
		return 0, nil
	}
	n, err := io.WriteString(w, strings.Join(l, "\n")+"\n")
	return int64(n), err
}

// In returns the lines moved in by n blanks; empty ones stay empty.
func (l Lines) In(n int) Lines {
	moved := make(Lines, len(l))
	for i, s := range l {
		if s != "" {
			s = strings.Repeat(" ", n) + s
		}
		moved[i] = s
	}
	return moved
}

// section returns a section of the configuration, nil if it is absent; that can be ranged over all the same.
func section(c *cib.CIB, name string) *cib.Element {
	return c.Root.Child("configuration").Child(name)
}

// children returns the child elements of that name.
func children(e *cib.Element, name string) []*cib.Element {
	var found []*cib.Element
	for c := range e.Elements() {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

// role returns a role as it has been called since Pacemaker 2.1.
func role(name string) string {
	switch name {
	case "Master", "master":
		return "Promoted"
	case "Slave", "slave":
		return "Unpromoted"
	}
	return name
}
