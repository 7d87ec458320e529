package cib

import (
	"slices"
	"strconv"
	"strings"
)

// Diff returns what makes b of a, both documents with a root of the same name. Parts that a and b share are
// not looked into. Elements are told apart by name and id or, without an id, by their order.
func Diff(a, b *Element) *Patch {
	d := &differ{patch: &Patch{Source: VersionOf(a), Target: VersionOf(b)}}
	if a.Name != b.Name {
		d.note(Change{Op: Create, Element: b})
	} else {
		d.element("/"+a.Name, a, b)
	}
	return d.patch
}

type differ struct{ patch *Patch }

func (d *differ) note(c Change) { d.patch.Changes = append(d.patch.Changes, c) }

// element compares two elements that stand for the same, found at path.
func (d *differ) element(path string, a, b *Element) {
	if a == b {
		return
	}
	if !sameBody(a, b) {
		d.note(Change{Op: Modify, Path: path, Element: b.WithChildren(nil)})
	}
	if slices.Equal(a.Children, b.Children) {
		return
	}
	list := d.order(path, a.Children, b.Children)
	for i, now := range list {
		if now != b.Children[i] && now.Kind == KindElement {
			d.element(path+"/"+stepTo(list, i), now, b.Children[i])
		}
	}
}

// item is a child while a list is brought into its new order. Its address tells it from its equals.
type item struct{ el *Element }

// order notes what gives a list of children the members and the order of another: first what goes, then
// what moves or comes, from front to back. It returns the list as it is then.
func (d *differ) order(path string, a, b []*Element) []*Element {
	match := matchChildren(a, b)
	list := make([]*item, len(a))
	for i := range a {
		list[i] = &item{a[i]}
	}
	targets := make([]*item, len(b)) // for each of b, what stands for it in the list; nil: to be created
	stays := make([]bool, len(a))
	for i, m := range match {
		if m >= 0 {
			targets[i] = list[m]
			stays[m] = true
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		if !stays[i] {
			d.note(Change{Op: Delete, Path: path + "/" + stepTo(elements(list), i)})
			list = slices.Delete(list, i, i+1)
		}
	}
	fixed := longestRising(match)
	at := 0 // where the next one belongs
	for i, t := range targets {
		switch {
		case t == nil:
			t = &item{b[i]}
			list = slices.Insert(list, at, t)
			d.note(Change{Op: Create, Path: path, Position: at, Element: b[i]})
		case !fixed[i]:
			from := slices.Index(list, t)
			step := stepTo(elements(list), from)
			list = slices.Delete(list, from, from+1)
			if from < at {
				at--
			}
			list = slices.Insert(list, at, t)
			d.note(Change{Op: Move, Path: path + "/" + step, Position: at})
		default:
			at = slices.Index(list, t)
		}
		at++
	}
	return elements(list)
}

func elements(list []*item) []*Element {
	els := make([]*Element, len(list))
	for i, it := range list {
		els[i] = it.el
	}
	return els
}

// childKey tells which children stand for the same: ordinal counts those that are alike otherwise.
type childKey struct {
	kind     Kind
	name, id string
	ordinal  int
}

func childKeys(list []*Element) []childKey {
	keys, seen := make([]childKey, len(list)), make(map[childKey]int, len(list))
	for i, e := range list {
		k := childKey{kind: e.Kind, name: e.Name}
		if e.Kind == KindElement {
			k.id = e.Attr("id")
		} else {
			k.id = e.body
		}
		n := seen[k]
		seen[k] = n + 1
		k.ordinal = n
		keys[i] = k
	}
	return keys
}

// matchChildren returns for each of b the index in a of what stands for the same, -1 if nothing does.
func matchChildren(a, b []*Element) []int {
	index := make(map[childKey]int, len(a))
	for i, k := range childKeys(a) {
		index[k] = i
	}
	match := make([]int, len(b))
	for i, k := range childKeys(b) {
		match[i] = -1
		if m, ok := index[k]; ok {
			match[i] = m
		}
	}
	return match
}

// longestRising marks the positions of a longest rising run of the numbers that are not negative: what need
// not be moved.
func longestRising(list []int) []bool {
	marked, before := make([]bool, len(list)), make([]int, len(list))
	var ends []int // ends[n]: where the best run of length n+1 ends
	for i, v := range list {
		if v < 0 {
			continue
		}
		n, _ := slices.BinarySearchFunc(ends, v, func(at, v int) int { return list[at] - v })
		before[i] = -1
		if n > 0 {
			before[i] = ends[n-1]
		}
		if n == len(ends) {
			ends = append(ends, i)
		} else {
			ends[n] = i
		}
	}
	if len(ends) == 0 {
		return marked
	}
	for i := ends[len(ends)-1]; i >= 0; i = before[i] {
		marked[i] = true
	}
	return marked
}

// stepTo is the step of a path that leads to child i: name[@id='x'] if that is unambiguous, else the name,
// with an ordinal if there are more of that name.
func stepTo(list []*Element, i int) string {
	e := list[i]
	name := stepName(e)
	id := e.Attr("id")
	before, others, sameID := 0, 0, 0
	for j, o := range list {
		if stepName(o) != name {
			continue
		}
		others++
		if j < i {
			before++
		}
		if id != "" && o.Attr("id") == id {
			sameID++
		}
	}
	switch {
	case sameID == 1 && !strings.ContainsAny(id, `'/`):
		return name + "[@id='" + id + "']"
	case others == 1:
		return name
	}
	return name + "[" + strconv.Itoa(before+1) + "]"
}

func stepName(e *Element) string {
	switch e.Kind {
	case KindText:
		return "text()"
	case KindComment:
		return "comment()"
	case KindInstruction:
		return "processing-instruction()"
	}
	return e.Name
}
