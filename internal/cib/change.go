package cib

import (
	"errors"
	"fmt"
	"slices"
)

// ErrExists says that an id is taken.
var ErrExists = errors.New("the id is taken")

// Add returns the root of a document in which the last element of the path has one more child, at the end.
// It fails with ErrExists if the configuration has one of its ids already. To replace or take out what a path
// leads to there is Path.Replace.
func (p Path) Add(child *Element) (*Element, error) {
	taken := make(map[string]*Element)
	shapes := shapes()
	for e := range p[0].Child("configuration").All() {
		if id := ownID(e, shapes); id != "" {
			taken[id] = e
		}
	}
	for e := range child.All() {
		if other := taken[ownID(e, shapes)]; other != nil {
			return nil, fmt.Errorf("%w: <%s id=%q> cannot be added, <%s> of line %d has that id: change it, or modify what is there",
				ErrExists, e.Name, e.Attr("id"), other.Name, other.Line)
		}
	}
	return p.Replace(p.Last().WithChild(child)), nil
}

// ownID is the id that an element has for itself, not the one by which it means another.
func ownID(e *Element, shapes map[string]*shape) string {
	if s := shapes[e.Name]; s == nil || s.attr("id").kind != "id" {
		return ""
	}
	return e.Attr("id")
}

// Merge returns the element with what another says on top: its attributes are set, its children are merged
// into those of the same name and id (without an id: of the same name) or added behind the others. Nothing is
// taken out.
func (e *Element) Merge(with *Element) *Element {
	for name, value := range with.Attrs() {
		e = e.With(name, value)
	}
	children := slices.Clone(e.Children)
	for _, c := range with.Children {
		at := slices.IndexFunc(children, func(have *Element) bool {
			return c.Kind == KindElement && have.Kind == KindElement && have.Name == c.Name && have.Attr("id") == c.Attr("id")
		})
		switch {
		case at < 0:
			children = append(children, c)
		default:
			children[at] = children[at].Merge(c)
		}
	}
	return e.WithChildren(children)
}
