package cib

import (
	"strconv"
	"strings"
)

// SetTransient sets a transient attribute; values such as "value++" add to what is there. A block of
// attributes that has to be made gets the id setID.
func (n *NodeEdit) SetTransient(setID, name, value string) {
	n.editTransient(setID, "", func(set *Element) *Element { return WithPair(set, name, value) })
}

// editTransient changes a block of transient attributes: that with the id which, or the first one. It is made
// with the id setID if there is none and something is to be in it.
func (n *NodeEdit) editTransient(setID, which string, edit func(set *Element) *Element) {
	t := n.transientElement()
	set := findSet(t, "instance_attributes", which)
	if set == nil {
		if set = edit(NewElement("instance_attributes", []Attr{{"id", setID}})); len(set.Children) == 0 {
			return
		}
		if t == nil {
			t = NewElement("transient_attributes", []Attr{{"id", n.id}})
		}
		n.transient = t.WithChild(set)
		n.touch()
		return
	}
	if changed := edit(set); changed != set {
		n.transient = t.Swap(set, changed)
		n.touch()
	}
}

// transientElement is the transient_attributes element as it is now, nil if there is none.
func (n *NodeEdit) transientElement() *Element {
	if n.transient == nil && !n.emptied && n.orig != nil {
		return n.orig.El.Child("transient_attributes")
	}
	return n.transient
}

// WithPair returns a block of name/value pairs in which one is set. "value++", "name++" and "value+=N" add to
// what is there.
func WithPair(set *Element, name, value string) *Element { return setPair(set, name, value, nil) }

// setPair is WithPair where ids may be taken that are not in the block; taken may be nil.
func setPair(set *Element, name, value string, taken map[string]bool) *Element {
	for i, c := range set.Children {
		if c.Kind == KindElement && c.Name == "nvpair" && c.Attr("name") == name {
			changed := c.With("value", addValue(c.Attr("value"), name, value))
			if changed == c {
				return set
			}
			return set.Replace(i, changed)
		}
	}
	return set.WithChild(NewElement("nvpair", []Attr{{"id", freePairID(set, name, taken)}, {"name", name}, {"value", addValue("", name, value)}}))
}

// withoutPairs returns a block without the pairs whose names gone tells of.
func withoutPairs(set *Element, gone func(name string) bool) *Element {
	var children []*Element
	for i, c := range set.Children {
		out := c.Kind == KindElement && c.Name == "nvpair" && gone(c.Attr("name"))
		if out && children == nil {
			children = append(make([]*Element, 0, len(set.Children)), set.Children[:i]...)
		} else if !out && children != nil {
			children = append(children, c)
		}
	}
	if children == nil {
		return set
	}
	return set.WithChildren(children)
}

// addValue is the value that an attribute takes when it was old and is set to value. A count that is
// infinite stays so.
func addValue(old, name, value string) string {
	rest, ok := strings.CutPrefix(value, "value")
	if !ok {
		if rest, ok = strings.CutPrefix(value, name); !ok {
			return value
		}
	}
	step := 1
	if rest != "++" {
		if rest, ok = strings.CutPrefix(rest, "+="); !ok {
			return value
		}
		if step, ok = ParseScore(rest); !ok {
			return value
		}
	}
	n, ok := ParseScore(old)
	switch {
	case !ok:
		n = 0
	case n >= Infinity:
		return old
	}
	if sum := n + step; sum < Infinity && sum > -Infinity && step < Infinity && step > -Infinity {
		return strconv.Itoa(sum)
	}
	return FormatScore(AddScores(n, step))
}

// freePairID is the id of a new pair of a block: made of the block's and the name, and of a number where
// another pair has that id already, which happens since ids hold fewer characters than names.
func freePairID(set *Element, name string, taken map[string]bool) string {
	base := idText(set.ID() + "-" + name)
	id := base
	for n := 2; taken[id] || set.Find("nvpair", id) != nil; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	return id
}

// idText is a text with dots for the characters that an XML id may not hold.
func idText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '.'
	}, s)
}
