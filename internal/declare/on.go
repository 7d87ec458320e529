package declare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// on is a section as it is when what the file says of it holds. old is nil where there is none.
func (s *section) on(old *cib.Element, known bool) (*cib.Element, error) {
	if old == nil {
		old = cib.NewElement(s.name, nil)
	}
	var children []*cib.Element
	var err error
	switch {
	case s.name == "nodes":
		children, err = s.nodes(old, known)
	case s.partial && ownerless(s.name):
		children = mergedSets(old, s.children)
	case s.partial:
		return s.named(old), nil
	case s.name == "crm_config":
		children = withOwn(old, s.children)
	default:
		children = s.children
	}
	if err != nil {
		return nil, err
	}
	attrs := old.AttrList()
	if !s.partial && s.attrs != nil {
		attrs = s.attrs
	}
	return adopt(old, cib.NewElement(s.name, attrs, slices.Clone(children)...)), nil
}

// ownerless are the sections that consist of sets of pairs.
func ownerless(name string) bool {
	return name == "crm_config" || name == "rsc_defaults" || name == "op_defaults"
}

// adopt is what is wanted in the place of what is there, without the differences that say nothing: if they say the same
// it is what is there, letter by letter; else attributes and children stand in the order that they have there.
func adopt(old, want *cib.Element) *cib.Element {
	if same(old, want) {
		return old
	}
	if sameAttrs(old, want) {
		want = want.WithAttrs(old.AttrList())
	}
	kinds := map[string]int{}
	for i, e := range old.Children {
		if _, ok := kinds[e.Name]; !ok {
			kinds[e.Name] = i
		}
	}
	children := slices.Clone(want.Children)
	if !ordered(want.Name) {
		slices.SortStableFunc(children, func(a, b *cib.Element) int {
			i, ok := kinds[a.Name]
			j, ok2 := kinds[b.Name]
			if !ok || !ok2 {
				return 0
			}
			return i - j
		})
	}
	for i, e := range children {
		if e.Kind != cib.KindElement {
			continue
		}
		if was := counterpart(old, e); was != nil {
			children[i] = adopt(was, e)
		}
	}
	return want.WithChildren(children)
}

// counterpart is the child that stands for the same as e: by its name and id, or as the only one of its name without one.
func counterpart(old, e *cib.Element) *cib.Element {
	if id := e.ID(); id != "" {
		return old.Find(e.Name, id)
	}
	if was := old.Child(e.Name); was != nil && was.ID() == "" {
		return was
	}
	return nil
}

// ordered are the elements whose children of different names have an order that means something.
func ordered(name string) bool { return name == "resources" || name == "configuration" }

// same reports whether two elements say the same: the order of attributes says nothing, and, but for resources, that of children
// of different names neither.
func same(a, b *cib.Element) bool {
	if a == b {
		return true
	}
	if a.Kind != cib.KindElement || b.Kind != cib.KindElement {
		return cib.Equal(a, b)
	}
	if a.Name != b.Name || len(a.Children) != len(b.Children) || !sameAttrs(a, b) {
		return false
	}
	left, right := a.Children, b.Children
	if !ordered(a.Name) {
		byName := func(a, b *cib.Element) int { return strings.Compare(a.Name, b.Name) }
		left, right = slices.Clone(left), slices.Clone(right)
		slices.SortStableFunc(left, byName)
		slices.SortStableFunc(right, byName)
	}
	return slices.EqualFunc(left, right, same)
}

func sameAttrs(a, b *cib.Element) bool {
	x, y := a.AttrList(), b.AttrList()
	if len(x) != len(y) {
		return false
	}
	for _, attr := range x {
		if v, ok := b.Lookup(attr.Name); !ok || v != attr.Value {
			return false
		}
	}
	return true
}

// ownProperties are those that the cluster itself sets.
func ownProperties() []string {
	return []string{"dc-version", "cluster-infrastructure", "cluster-name", "have-watchdog", "last-lrm-refresh"}
}

// withOwn puts the properties that the cluster itself has set in the place of those that the file has: a file that comes from
// another cluster does not change them.
func withOwn(old *cib.Element, sets []*cib.Element) []*cib.Element {
	for home := range old.Elements() {
		var own []*cib.Element
		for p := range home.Elements() {
			if p.Name == "nvpair" && slices.Contains(ownProperties(), p.Attr("name")) {
				own = append(own, p)
			}
		}
		if len(own) > 0 {
			return inHome(home, own, sets)
		}
	}
	return sets
}

// inHome is sets with the pairs of own in that which home is now, in the order that they have there.
func inHome(home *cib.Element, own, sets []*cib.Element) []*cib.Element {
	sets = slices.Clone(sets)
	for i, set := range sets {
		sets[i] = set.WithChildren(slices.DeleteFunc(slices.Clone(set.Children), func(p *cib.Element) bool {
			return slices.ContainsFunc(own, func(o *cib.Element) bool { return o.Attr("name") == p.Attr("name") })
		}))
	}
	at := slices.IndexFunc(sets, func(s *cib.Element) bool { return s.ID() == home.ID() })
	if at < 0 {
		sets, at = append([]*cib.Element{home.WithChildren(nil)}, sets...), 0
	}
	children := append(slices.Clone(own), sets[at].Children...)
	slices.SortStableFunc(children, func(a, b *cib.Element) int {
		i, j := place(home, a), place(home, b)
		if i < 0 || j < 0 {
			return 0
		}
		return i - j
	})
	sets[at] = sets[at].WithChildren(children)
	return sets
}

// place is where the child with the id of e is, -1 if there is none.
func place(in, e *cib.Element) int {
	return slices.IndexFunc(in.Children, func(o *cib.Element) bool { return o.Name == e.Name && o.ID() == e.ID() })
}

// pair is the pair of that name in a set, or nil.
func pair(set *cib.Element, name string) *cib.Element {
	for p := range set.Elements() {
		if p.Name == "nvpair" && p.Attr("name") == name {
			return p
		}
	}
	return nil
}

// mergedSets are sets of pairs with those of a file over them: pair by pair.
func mergedSets(old *cib.Element, sets []*cib.Element) []*cib.Element {
	children := slices.Clone(old.Children)
	for _, set := range sets {
		i := place(old, set)
		if i < 0 {
			children = append(children, set)
			continue
		}
		now := children[i]
		for p := range set.Elements() {
			was := now.Find(p.Name, p.ID())
			if by := pair(now, p.Attr("name")); p.Name == "nvpair" && by != nil {
				was, p = by, by.With("value", p.Attr("value"))
			}
			if was == nil {
				now = now.WithChild(p)
			} else {
				now = now.Swap(was, adopt(was, p))
			}
		}
		children[i] = now
	}
	return children
}

// named is a section in which what the file names is as the file has it; the rest stays.
func (s *section) named(old *cib.Element) *cib.Element {
	out := old
	for _, e := range s.children {
		if e.Kind != cib.KindElement {
			continue
		}
		found := false
		out = out.Map(func(was *cib.Element) *cib.Element {
			if found || was == old || was.ID() != e.ID() || !defines(was.Name) {
				return was
			}
			found = true
			return adopt(was, e)
		})
		if !found {
			out = out.WithChild(e)
		}
	}
	return out
}

// defines tells elements that define something from those that only refer to it: both have an id.
func defines(name string) bool { return name != "role" && name != "obj_ref" && name != "resource_ref" }

// nodes are the nodes that are there, with what the file says of them.
func (s *section) nodes(old *cib.Element, known bool) ([]*cib.Element, error) {
	children := slices.Clone(old.Children)
	for _, want := range s.children {
		if want.Kind != cib.KindElement {
			continue
		}
		i := nodeAt(old, want)
		switch {
		case i >= 0:
			children[i] = adopt(children[i], withNodeID(want, children[i].ID()))
		case known && want.Attr("type") != "remote":
			var names []string
			for e := range old.Elements() {
				names = append(names, e.Attr("uname"))
			}
			return nil, fmt.Errorf("the cluster has no node '%s'%s: a file makes no nodes", want.Attr("uname"), meant(want.Attr("uname"), names))
		default:
			children = append(children, want)
		}
	}
	return children, nil
}

// nodeAt is where the node of that name is, -1 if there is none. Of several, which would be wrong, that with the id counts.
func nodeAt(in, node *cib.Element) int {
	found := -1
	for i, e := range in.Children {
		if e.Name == "node" && e.Attr("uname") == node.Attr("uname") && (found < 0 || e.ID() == node.ID()) {
			found = i
		}
	}
	return found
}

// withNodeID is a node under another id; the ids of its sets follow.
func withNodeID(node *cib.Element, id string) *cib.Element {
	from := node.ID()
	if from == id {
		return node
	}
	return node.Map(func(e *cib.Element) *cib.Element {
		if rest, ok := strings.CutPrefix(e.ID(), "nodes-"+from); ok {
			return e.With("id", "nodes-"+id+rest)
		}
		return e
	}).With("id", id)
}

// meant is a hint at the nearest of some names, empty if none is near.
func meant(word string, known []string) string {
	if n := cib.Nearest(word, known); n != "" {
		return " (did you mean '" + n + "'?)"
	}
	return ""
}
