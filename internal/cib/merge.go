package cib

import (
	"fmt"
	"slices"
)

// Conflict is a place where two changes of one document exclude each other.
type Conflict struct {
	Path string // of the element: /configuration/resources/primitive[@id='web']
	What string // what each side did
}

func (c Conflict) String() string { return c.Path + ": " + c.What }

// MergeThree joins two changes of one document, or of the same element of two: what leads from base to mine, and what
// leads from base to theirs. An element is the same on both sides if it has the same name and id or, without an id, the same
// place among its like. Where one side alone has changed something its change holds; where both have, and not to the
// same, there is a conflict, and theirs stays.
func MergeThree(base, mine, theirs *Element) (*Element, []Conflict) {
	m := &merging{}
	merged := m.element("/"+stepOf(theirs, 0), base, mine, theirs)
	return merged, m.conflicts
}

type merging struct{ conflicts []Conflict }

func (m *merging) conflict(path, format string, args ...any) {
	m.conflicts = append(m.conflicts, Conflict{path, fmt.Sprintf(format, args...)})
}

// stepOf is an element as a step of a path.
func stepOf(e *Element, place int) string {
	switch {
	case e.ID() != "":
		return fmt.Sprintf("%s[@id='%s']", e.Name, e.ID())
	case place > 0:
		return fmt.Sprintf("%s[%d]", e.Name, place+1)
	}
	return e.Name
}

func (m *merging) element(path string, base, mine, theirs *Element) *Element {
	switch {
	case Equal(base, mine) || Equal(mine, theirs):
		return theirs
	case Equal(base, theirs):
		return mine
	}
	return m.children(path, base, mine, theirs, m.attributes(path, base, mine, theirs))
}

// attributes returns theirs with the attributes of both sides.
func (m *merging) attributes(path string, base, mine, theirs *Element) *Element {
	out := theirs
	names := make([]string, 0, len(mine.AttrList())+len(base.AttrList()))
	for _, e := range []*Element{mine, base} {
		for _, a := range e.AttrList() {
			if !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	for _, name := range names {
		was, had := base.Lookup(name)
		my, have := mine.Lookup(name)
		if was == my && had == have {
			continue
		}
		their, has := theirs.Lookup(name)
		switch {
		case their == my && has == have:
		case their != was || has != had:
			m.conflict(path, "%s is %s here and %s there; it was %s", name, valueOr(my, have), valueOr(their, has), valueOr(was, had))
		case have:
			out = out.With(name, my)
		default:
			out = out.Without(name)
		}
	}
	return out
}

func valueOr(v string, there bool) string {
	if !there {
		return "absent"
	}
	return fmt.Sprintf("%q", v)
}

// kin are the children of an element that can be told apart, by what they are called in a path.
func kin(e *Element) (order []string, by map[string]*Element) {
	by = map[string]*Element{}
	count := map[string]int{}
	for _, c := range e.Children {
		step := stepOf(c, 0)
		place := count[step]
		count[step]++
		if place > 0 { // an id that comes twice is told apart by its place, too
			step = fmt.Sprintf("%s[%d]", step, place+1)
		}
		order, by[step] = append(order, step), c
	}
	return order, by
}

// children gives out the children of both sides, in their order.
func (m *merging) children(path string, base, mine, theirs, out *Element) *Element {
	baseOrder, inBase := kin(base)
	myOrder, inMine := kin(mine)
	theirOrder, inTheirs := kin(theirs)
	kept := map[string]*Element{}
	for _, step := range union(theirOrder, myOrder, baseOrder) {
		at := path + "/" + step
		b, my, their := inBase[step], inMine[step], inTheirs[step]
		switch {
		case my != nil && their != nil && b != nil:
			kept[step] = m.element(at, b, my, their)
		case my != nil && their != nil: // both have added it
			if kept[step] = their; !Equal(my, their) {
				m.conflict(at, "it was added on both sides, and not the same")
			}
		case my != nil && b == nil:
			kept[step] = my
		case my != nil: // they have removed it
			if !Equal(my, b) {
				m.conflict(at, "it is changed here and was removed there")
			}
		case their != nil && b == nil:
			kept[step] = their
		case their != nil: // I have removed it
			if !Equal(their, b) {
				m.conflict(at, "it is removed here and was changed there")
				kept[step] = their
			}
		}
	}
	order, ok := mergeOrder(baseOrder, myOrder, theirOrder)
	if !ok {
		m.conflict(path, "what is inside was put in another order on both sides")
	}
	var children []*Element
	for _, step := range order {
		if c := kept[step]; c != nil {
			children = append(children, c)
		}
	}
	return out.WithChildren(children)
}

func union(lists ...[]string) []string {
	var all []string
	seen := map[string]bool{}
	for _, l := range lists {
		for _, s := range l {
			if !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// mergeOrder is the order of what either side has: that of the side that has changed it, with what only the other has
// behind what it stands behind there. ok is false when both have changed the order of what all have, each in its way.
func mergeOrder(base, mine, theirs []string) (order []string, ok bool) {
	count := map[string]int{} // a list has each once
	for _, s := range slices.Concat(base, mine, theirs) {
		count[s]++
	}
	common := func(list []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return count[s] < 3 })
	}
	b, m, t := common(base), common(mine), common(theirs)
	lead, other := theirs, mine
	if slices.Equal(b, t) && !slices.Equal(b, m) {
		lead, other = mine, theirs
	}
	order = slices.Clone(lead)
	led := map[string]bool{}
	for _, s := range lead {
		led[s] = true
	}
	for i, s := range other {
		if led[s] {
			continue
		}
		at := 0
		for k := i - 1; k >= 0 && at == 0; k-- {
			at = slices.Index(order, other[k]) + 1
		}
		if at == 0 && i > 0 {
			at = len(order)
		}
		order = slices.Insert(order, at, s)
	}
	return order, slices.Equal(b, m) || slices.Equal(b, t) || slices.Equal(m, t)
}
