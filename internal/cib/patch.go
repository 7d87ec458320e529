package cib

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrVersion says that a patch was made for another version of the document.
var ErrVersion = errors.New("the patch is for another version")

// Patch is what makes one version of a document of another. The changes hold one after the other: the
// path of each is of the document as those before have left it.
type Patch struct {
	Source, Target Version
	Changes        []Change
}

// Change is one step of a Patch.
type Change struct {
	Op       ChangeOp
	Path     string   // of the element; for Create, of its parent (empty: the whole document is replaced)
	Position int      // Create and Move: its place among its new siblings
	Element  *Element // Create: the new element; Modify: name and attributes as they are then
}

// ChangeOp is what a Change does.
type ChangeOp uint8

const (
	Create ChangeOp = iota
	Modify
	Move
	Delete
)

var _ fmt.Stringer = Create

func (o ChangeOp) String() string {
	switch o {
	case Create:
		return "create"
	case Modify:
		return "modify"
	case Move:
		return "move"
	}
	return "delete"
}

// Apply returns the document after the patch. It fails with ErrVersion if root is not the version that the
// patch is for, and if a path leads nowhere; root itself never changes.
func (p *Patch) Apply(root *Element) (*Element, error) {
	if v := VersionOf(root); v != p.Source {
		return nil, fmt.Errorf("%w: the document is %v, the patch makes %v of %v: read the document again", ErrVersion, v, p.Target, p.Source)
	}
	patched, err := p.run(root)
	if err != nil {
		return nil, err
	}
	if v := VersionOf(patched); v != p.Target {
		return nil, fmt.Errorf("%w: the patch says it makes version %v, but made %v", ErrVersion, p.Target, v)
	}
	return patched, nil
}

// run makes the changes, whatever the version.
func (p *Patch) run(root *Element) (*Element, error) {
	w := &patching{root: root, own: make(map[*Element]bool)}
	for i, c := range p.Changes {
		if err := w.apply(c); err != nil {
			return nil, fmt.Errorf("change %d of the patch: %s %s: %w", i+1, c.Op, c.Path, err)
		}
	}
	return w.root, nil
}

// patching is a document while it is patched. Elements that are its own are new and may be changed.
type patching struct {
	root *Element
	own  map[*Element]bool
}

var errNoPath = errors.New("there is nothing at that path")

func (w *patching) apply(c Change) error {
	if c.Path == "" {
		if c.Op != Create || c.Element == nil || c.Element.Kind != KindElement {
			return errNoPath
		}
		w.root = c.Element
		return nil
	}
	if c.Op == Create {
		return w.create(c)
	}
	parent, last, _ := cutLastStep(c.Path)
	if parent == "" {
		if c.Op != Modify || stepName(w.root) != last {
			return errNoPath
		}
		return modify(w.owned(&w.root), c.Element)
	}
	in, err := w.walk(parent)
	if err != nil {
		return err
	}
	at := findStep(in.Children, last)
	switch {
	case at < 0:
		return errNoPath
	case c.Op == Modify:
		return modify(w.owned(&in.Children[at]), c.Element)
	case c.Op == Delete:
		in.Children = slices.Delete(in.Children, at, at+1)
		return nil
	}
	if c.Position < 0 || c.Position >= len(in.Children) {
		return fmt.Errorf("there is no position %d among %d", c.Position, len(in.Children))
	}
	moved := in.Children[at]
	in.Children = slices.Delete(in.Children, at, at+1)
	in.Children = slices.Insert(in.Children, c.Position, moved)
	return nil
}

func (w *patching) create(c Change) error {
	in, err := w.walk(c.Path)
	if err != nil {
		return err
	}
	if c.Element == nil || c.Position < 0 || c.Position > len(in.Children) {
		return fmt.Errorf("there is no position %d among %d", c.Position, len(in.Children))
	}
	in.Children = slices.Insert(in.Children, c.Position, c.Element)
	return nil
}

func modify(e, result *Element) error {
	if result == nil || result.Kind != e.Kind || result.Name != e.Name {
		return errors.New("the result is another element")
	}
	e.body, e.plain = result.body, result.plain
	return nil
}

// owned makes what a place holds the document's own, and returns it.
func (w *patching) owned(place **Element) *Element {
	e := *place
	if !w.own[e] {
		n := *e
		n.Children = slices.Clone(e.Children)
		w.own[&n] = true
		*place, e = &n, &n
	}
	return e
}

// walk goes down a path and makes what is on it the document's own.
func (w *patching) walk(path string) (*Element, error) {
	first, rest, _ := cutStep(path)
	if first != stepName(w.root) {
		return nil, errNoPath
	}
	e := w.owned(&w.root)
	for rest != "" {
		var step string
		step, rest, _ = cutStep(rest)
		at := findStep(e.Children, step)
		if at < 0 || e.Children[at].Kind != KindElement {
			return nil, errNoPath
		}
		e = w.owned(&e.Children[at])
	}
	return e, nil
}

// cutStep takes the first step off a path like "/a/b[@id='c']". Steps contain no slash: see stepTo.
func cutStep(path string) (step, rest string, ok bool) {
	path, ok = strings.CutPrefix(path, "/")
	i := strings.IndexByte(path, '/')
	if i < 0 {
		return path, "", ok
	}
	return path[:i], path[i:], ok
}

func cutLastStep(path string) (parent, step string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path, false
	}
	return path[:i], path[i+1:], true
}

// findStep returns the child that a step as stepTo writes it leads to, -1 if none.
func findStep(list []*Element, step string) int {
	name, where, _ := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	id, byID := strings.CutPrefix(where, "@id='")
	id = strings.TrimSuffix(id, "'")
	nth := 1
	if where != "" && !byID {
		n, err := strconv.Atoi(where)
		if err != nil {
			return -1
		}
		nth = n
	}
	for i, e := range list {
		if stepName(e) != name || byID && e.Attr("id") != id {
			continue
		}
		if nth--; nth == 0 {
			return i
		}
	}
	return -1
}
