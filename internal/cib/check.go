package cib

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity tells how bad a Problem is.
type Severity uint8

const (
	Error   Severity = iota // something will not work as written, or not at all
	Warning                 // something may not be meant as written
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Problem is one thing that is wrong with a CIB.
type Problem struct {
	Severity Severity
	File     string
	Line     int    // 0 when the element was not read from a file
	ID       string // of the element or, if it has none, of the nearest one around it; may be empty
	What     string // what is wrong
	Fix      string // what to do; may be empty
	Standing bool   // it is about the configuration as a whole: a change that brings it need not be a mistake
}

// String is the problem on one line: "file:line: error: what (id x): what to do".
func (p Problem) String() string {
	file := p.File
	if file == "" {
		file = "CIB"
	}
	s := fmt.Sprintf("%s:%d: %s: %s", file, p.Line, p.Severity, p.What)
	if p.ID != "" {
		s += fmt.Sprintf(" (id %s)", p.ID)
	}
	if p.Fix != "" {
		s += ": " + p.Fix
	}
	return s
}

// Check returns everything that is wrong with a CIB, in the order of its lines. The status section is
// not looked at: nobody writes it by hand.
func Check(c *CIB) []Problem { return check(c, false) }

func check(c *CIB, errorsOnly bool) []Problem {
	c = withEverything(c)
	k := &checker{c: c, ids: make(map[string]*Element), shapes: shapes(), errorsOnly: errorsOnly}
	k.root()
	if configuration := c.Root.Child("configuration"); configuration != nil {
		k.gather(configuration)
		k.element(configuration, "")
	}
	k.nodes()
	k.resources()
	k.constraints()
	k.fencing()
	k.references()
	k.options()
	slices.SortStableFunc(k.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(k.problems)
}

// withEverything is the CIB with the resources that Decode leaves out.
func withEverything(c *CIB) *CIB {
	all := *c
	all.Resources = nil
	d := &decoder{cib: &all, everything: true}
	if section := c.Root.Child("configuration").Child("resources"); section != nil {
		d.resources(section)
	}
	return d.cib
}

// checker collects the problems of one CIB.
type checker struct {
	c        *CIB
	shapes   map[string]*shape
	ids      map[string]*Element // elements of the configuration that an id names
	problems []Problem

	errorsOnly bool // nobody asks for warnings: what is hard to say need not be said
}

// errorAt notes an error of an element; fix may be empty.
func (k *checker) errorAt(e *Element, fix, what string, args ...any) {
	k.note(Error, e, fix, what, args...)
}

func (k *checker) warnAt(e *Element, fix, what string, args ...any) {
	k.note(Warning, e, fix, what, args...)
}

func (k *checker) note(severity Severity, e *Element, fix, what string, args ...any) {
	p := Problem{Severity: severity, File: k.c.File, What: fmt.Sprintf(what, args...), Fix: fix}
	if e != nil {
		p.Line, p.ID = int(e.Line), e.Attr("id")
	}
	k.problems = append(k.problems, p)
}

// root checks the <cib> element and its sections.
func (k *checker) root() {
	root := k.c.Root
	k.attributes(root, k.shapes["cib"], "")
	for section := range root.Elements() {
		if section.Name != "configuration" && section.Name != "status" {
			k.errorAt(section, didYouMean(section.Name, []string{"configuration", "status"}), "<%s> is not a section of a CIB", section.Name)
		}
	}
	if root.Child("configuration") == nil {
		k.errorAt(root, "add <configuration>", "the CIB has no configuration")
	}
}

// gather indexes the ids of the configuration and finds duplicates.
func (k *checker) gather(configuration *Element) {
	for e := range configuration.All() {
		s := k.shapes[e.Name]
		id, ok := e.Lookup("id")
		if !ok || s == nil || s.attr("id").kind != "id" {
			continue
		}
		if other := k.ids[id]; other != nil {
			k.errorAt(e, "give one of them another id", "<%s> has the id %q that <%s> of line %d has", e.Name, id, other.Name, other.Line)
			continue
		}
		k.ids[id] = e
	}
}
