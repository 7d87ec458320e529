package listing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Relations shows as a tree what a resource is tied to: what it is part of, what is part of it, and what it is ordered
// with, as far as that leads. Each resource and each tie is shown in full once, where it is nearest to the root. With full
// the kinds of resources and the ids of ties are shown. found is false where there is no such resource.
func Relations(c *cib.CIB, id string, full bool) (lines Lines, found bool) {
	root := c.Resource(id)
	if root == nil {
		return nil, false
	}
	w := relating{doc: c, full: full, tied: tiesOf(c), seen: map[string]bool{id: true}}
	top := &branch{title: w.title(root), resource: root}
	for queue := []*branch{top}; len(queue) > 0; queue = queue[1:] {
		w.grow(queue[0])
		for _, b := range queue[0].below {
			if !b.elsewhere {
				queue = append(queue, b)
			}
		}
	}
	return append(Lines{top.title}, top.lines()...), true
}

// Kinds of ties, in the order in which they are shown.
const (
	inner = iota
	outer
	ordered
	orderedSet
)

// tie is what binds resources to each other.
type tie struct {
	kind    int
	id      string
	members []string
	about   Lines // what is said below its title
}

// branch is a resource or a tie in the tree.
type branch struct {
	title     string
	from      *branch
	resource  *cib.Resource // nil: of a tie
	tie       *tie
	elsewhere bool // shown in full at another place
	below     []*branch
}

// relating is a tree that grows.
type relating struct {
	doc  *cib.CIB
	full bool
	tied []*tie // by constraints
	seen map[string]bool
}

// tiesOf lists the ordering constraints: those between two resources, then those of sets.
func tiesOf(c *cib.CIB) []*tie {
	var two, sets []*tie
	for e := range section(c, "constraints").Elements() {
		if e.Name != "rsc_order" {
			continue
		}
		if first, then := e.Attr("first"), e.Attr("then"); first != "" {
			action := cmp.Or(e.Attr("first-action"), "start")
			t := &tie{kind: ordered, id: e.ID(), members: []string{first, then},
				about: Lines{action + " " + first + " then " + cmp.Or(e.Attr("then-action"), action) + " " + then}}
			if o := optionsOf(e, "first", "then", "first-action", "then-action"); o != "" {
				t.about = append(t.about, o)
			}
			two = append(two, t)
			continue
		}
		t := &tie{kind: orderedSet, id: e.ID()}
		if o := optionsOf(e); o != "" {
			t.about = append(t.about, o)
		}
		for _, set := range children(e, "resource_set") {
			line := "   set"
			for _, ref := range children(set, "resource_ref") {
				line += " " + ref.ID()
				if !slices.Contains(t.members, ref.ID()) {
					t.members = append(t.members, ref.ID())
				}
			}
			if o := optionsOf(set); o != "" {
				line += " (" + o + ")"
			}
			t.about = append(t.about, line)
		}
		slices.Sort(t.members)
		sets = append(sets, t)
	}
	return append(two, sets...)
}

// optionsOf are the attributes of an element as NAME=VALUE, by name, without its id and those named.
func optionsOf(e *cib.Element, but ...string) string {
	list := words(otherAttrs(e, append(but, "id")...))
	slices.Sort(list)
	return strings.Join(list, " ")
}

// ties are those of a resource: by constraints, then by what it is part of and what is part of it.
func (w *relating) ties(r *cib.Resource) []*tie {
	var list []*tie
	for _, t := range w.tied {
		if slices.Contains(t.members, r.ID) {
			list = append(list, t)
		}
	}
	if r.Kind != cib.Primitive {
		list = append(list, insideOf(r))
	}
	if r.Parent != nil {
		list = append(list, &tie{kind: outer, id: r.Parent.ID, members: []string{r.Parent.ID}})
	}
	return list
}

func insideOf(r *cib.Resource) *tie {
	t := &tie{kind: inner, id: r.ID}
	for _, child := range r.Children {
		t.members = append(t.members, child.ID)
	}
	if len(t.members) > 1 {
		t.about = Lines{"members: " + strings.Join(t.members, " ")}
	}
	return t
}

// grow puts what a branch leads to below it.
func (w *relating) grow(b *branch) {
	if b.tie != nil {
		for _, id := range b.tie.members {
			if r := w.doc.Resource(id); r != nil && r != b.from.resource && r != b.ascended() {
				b.below = append(b.below, w.mark(id, &branch{from: b, title: w.title(r), resource: r}))
			}
		}
		return
	}
	for _, t := range w.ties(b.resource) {
		if w.cameBy(b, t) {
			continue
		}
		title := map[int]string{inner: "inner resource(s)", outer: "outer resource", ordered: "order", orderedSet: "order set"}[t.kind]
		key := title + " " + t.id
		if w.full {
			title += " (" + t.id + ")"
		}
		b.below = append(b.below, w.mark(key, &branch{from: b, title: title, tie: t}))
	}
}

// mark remembers that something has been shown in full, or has the branch say that it was already.
func (w *relating) mark(key string, b *branch) *branch {
	b.elsewhere = w.seen[key]
	w.seen[key] = true
	return b
}

// ascended is the resource from which an inner tie's whole was reached: it is not shown again as a part of that.
func (b *branch) ascended() *cib.Resource {
	if by := b.from.from; b.tie.kind == inner && by != nil && by.tie.kind == outer {
		return by.from.resource
	}
	return nil
}

// cameBy reports whether a tie says no more than that by which a resource was reached.
func (w *relating) cameBy(b *branch, t *tie) bool {
	if b.from == nil {
		return false
	}
	by := b.from.tie
	switch {
	case t.kind == outer:
		return by.kind == inner && by.id == t.id
	case t.kind == inner:
		return by.kind == outer && by.id == t.id && len(t.members) == 1
	}
	return by == t
}

func (w *relating) title(r *cib.Resource) string {
	if !w.full {
		return r.ID
	}
	kind := r.El.Name
	switch {
	case r.Kind == cib.Primitive:
		kind = agentName(r.El)
	case r.Kind == cib.Clone:
		kind = "clone"
	}
	return r.ID + " (resource: " + kind + ")"
}

// lines are what is below a branch.
func (b *branch) lines() Lines {
	slices.SortStableFunc(b.below, func(x, y *branch) int {
		if b.tie != nil {
			return cmp.Compare(x.resource.ID, y.resource.ID)
		}
		return cmp.Or(cmp.Compare(x.tie.kind, y.tie.kind), cmp.Compare(x.tie.id, y.tie.id))
	})
	var out Lines
	for i, x := range b.below {
		mark, on := "|- ", "|  "
		if i == len(b.below)-1 {
			mark, on = "`- ", "   "
		}
		if x.elsewhere {
			out = append(out, mark+x.title+" [displayed elsewhere]")
			continue
		}
		out = append(out, mark+x.title)
		if x.tie != nil {
			bar := "|  "
			if len(x.below) == 0 {
				bar = "   "
			}
			for _, l := range x.tie.about {
				out = append(out, on+bar+l)
			}
		}
		for _, l := range x.lines() {
			out = append(out, on+l)
		}
	}
	return out
}
