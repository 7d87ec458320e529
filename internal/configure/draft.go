// Package configure is what a command of the field makes of a configuration: a function a verb, on a Draft.
//
// It owns the rules of those commands: what they refuse, what they warn of, and exactly which elements, ids, attribute
// orders and defaults they write, which are those of pcs 0.11.5. It promises that a refused command leaves the draft to
// be thrown away with every problem named at once, and that what it does not touch stays as it was. It never
// reads a file, asks a cluster or an agent, or prints.
package configure

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Draft is a configuration that is being changed, and what there is to say about it.
type Draft struct {
	Force bool // what is only doubtful is done, with a warning

	file     string
	root     *cib.Element
	doc      *cib.CIB        // of root; nil: not decoded yet
	ids      map[string]bool // taken ids; nil: not gathered yet
	notes    []Note
	problems []Problem
}

// Of is a draft that begins as c.
func Of(c *cib.CIB) *Draft { return &Draft{file: c.File, root: c.Root, doc: c} }

// Root is the document as it is now.
func (d *Draft) Root() *cib.Element { return d.root }

// CIB is the document as it is now, decoded. What a draft is made of decodes; that it does not is a mistake of the
// program.
func (d *Draft) CIB() *cib.CIB {
	if d.doc == nil {
		doc, err := cib.DecodeRoot(d.file, d.root)
		if err != nil {
			panic(fmt.Sprintf("configure: the draft is no CIB any more: %v", err))
		}
		d.doc = doc
	}
	return d.doc
}

// Replace puts another document in the place of this one.
func (d *Draft) Replace(root *cib.Element) {
	if root != d.root {
		d.root, d.doc = root, nil
	}
}

// Put replaces the element that a path leads to, or takes it out if with is nil. It returns the path to what is there
// now. A path is good until the next change: one that was made before would undo it.
func (d *Draft) Put(p cib.Path, with *cib.Element) cib.Path {
	if p[0] != d.root {
		panic(fmt.Sprintf("configure: a path to <%s id=%q> of an earlier document", p.Last().Name, p.Last().ID()))
	}
	if with == p.Last() {
		return p
	}
	if with == nil {
		d.forget(p.Last())
	}
	d.Replace(p.Replace(with))
	if with == nil {
		return nil
	}
	d.learn(with)
	again := cib.Path{d.root}
	for i := 1; i < len(p); i++ {
		at := p[i-1].Index(p[i])
		again = append(again, again[i-1].Children[at])
	}
	return again
}

// Add puts a child at the end of what a path leads to, and returns the path to the child.
func (d *Draft) Add(p cib.Path, child *cib.Element) cib.Path {
	p = d.Put(p, p.Last().WithChild(child))
	return append(p, child)
}

// Find is the path to the element that has the id, nil if there is none. References are not found.
func (d *Draft) Find(id string, names ...string) cib.Path {
	var found cib.Path
	d.walk(func(p cib.Path) bool {
		e := p.Last()
		if e.ID() != id || isReference(e.Name) || len(names) > 0 && !slices.Contains(names, e.Name) {
			return true
		}
		found = append(cib.Path(nil), p...)
		return false
	})
	return found
}

// Where lists the paths to the elements of the configuration that pass; all are good until the next change only.
func (d *Draft) Where(pass func(e *cib.Element) bool) []cib.Path {
	var list []cib.Path
	d.walk(func(p cib.Path) bool {
		if pass(p.Last()) {
			list = append(list, append(cib.Path(nil), p...))
		}
		return true
	})
	return list
}

// walk calls f with the path of each element of the configuration, in document order, until it says no.
func (d *Draft) walk(f func(p cib.Path) bool) {
	var down func(p cib.Path) bool
	down = func(p cib.Path) bool {
		if !f(p) {
			return false
		}
		for c := range p.Last().Elements() {
			if !down(append(p, c)) {
				return false
			}
		}
		return true
	}
	if conf := d.root.Child("configuration"); conf != nil {
		down(cib.Path{d.root, conf})
	}
}

// Section is the path to a section of the configuration, such as "constraints". It is made where it is missing.
func (d *Draft) Section(name string) cib.Path {
	conf := d.root.Child("configuration")
	if conf == nil {
		conf = cib.NewElement("configuration", nil)
		d.Replace(d.root.Insert(0, conf))
	}
	p := cib.Path{d.root, conf}
	if s := conf.Child(name); s != nil {
		return append(p, s)
	}
	return d.Add(p, cib.NewElement(name, nil))
}

// Child is the path to the first child of that name, nil if there is none.
func Child(p cib.Path, name string) cib.Path {
	if c := p.Last().Child(name); c != nil {
		return append(p[:len(p):len(p)], c)
	}
	return nil
}

// isReference reports whether an element's id is that of another.
func isReference(name string) bool {
	return name == "obj_ref" || name == "resource_ref" || name == "role" || name == "acl_target"
}

// Taken reports whether something of the configuration has the id.
func (d *Draft) Taken(id string) bool {
	if d.ids == nil {
		d.ids = map[string]bool{}
		d.learn(d.root.Child("configuration"))
	}
	return d.ids[id]
}

func (d *Draft) learn(e *cib.Element) {
	if d.ids == nil {
		return
	}
	for x := range e.All() {
		if id := x.ID(); id != "" && !isReference(x.Name) {
			d.ids[id] = true
		}
	}
}

func (d *Draft) forget(e *cib.Element) {
	if d.ids == nil {
		return
	}
	for x := range e.All() {
		if !isReference(x.Name) {
			delete(d.ids, x.ID())
		}
	}
}

// Free is an id that nothing has: the text itself without what an id may not hold or, where that is taken, with -1, -2
// and so on behind it. It is taken from then on.
func (d *Draft) Free(text string) string {
	base := SanitizeID(text)
	id := base
	for n := 1; d.Taken(id); n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	d.ids[id] = true
	return id
}

// SanitizeID is a text without the characters that an id may not hold.
func SanitizeID(text string) string {
	var b strings.Builder
	for i, r := range text {
		if idRune(r, i == 0 || b.Len() == 0) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func idRune(r rune, first bool) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
		return true
	case r >= '0' && r <= '9', r == '-', r == '.':
		return !first
	}
	return false
}

// CheckID notes what is wrong with a text as the id of what, such as "resource name".
func (d *Draft) CheckID(id, what string) bool {
	if id == "" {
		return d.Fail("the %s is empty: give one", what)
	}
	for i, r := range id {
		if !idRune(r, i == 0) {
			if i == 0 {
				return d.Fail("invalid %s '%s': it cannot begin with '%c', only with a letter or '_'", what, id, r)
			}
			return d.Fail("invalid %s '%s': '%c' is not a valid character for it; letters, digits, '.', '-' and '_' are", what, id, r)
		}
	}
	return true
}

// NewID is CheckID of an id that nothing may have yet.
func (d *Draft) NewID(id, what string) bool {
	if !d.CheckID(id, what) {
		return false
	}
	if d.Taken(id) {
		return d.Fail("id '%s' already exists: %s; choose another %s", id, d.describe(id), what)
	}
	return true
}

// describe says what has an id.
func (d *Draft) describe(id string) string {
	p := d.Find(id)
	if p == nil {
		return "it is taken"
	}
	if e := p.Last(); e.Line > 0 {
		return fmt.Sprintf("it is that of a <%s> (line %d)", e.Name, e.Line)
	}
	return fmt.Sprintf("it is that of a <%s>", p.Last().Name)
}
