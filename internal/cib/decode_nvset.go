package cib

import (
	"cmp"
	"slices"
)

// sets reads the blocks of one name under e, in order of precedence.
func (d *decoder) sets(e *Element, name string) []*NVSet {
	return byPrecedence(d.setsInOrder(e, name))
}

// setsInOrder reads the blocks of one name under e, in document order.
func (d *decoder) setsInOrder(e *Element, name string) []*NVSet {
	var sets []*NVSet
	for c := range e.Elements() {
		if c.Name != name {
			continue
		}
		if s := d.nvset(c); s != nil {
			sets = append(sets, s)
		}
	}
	return sets
}

// byPrecedence puts sets in document order into the order in which they win: the higher score first,
// and among equals the later one.
func byPrecedence(sets []*NVSet) []*NVSet {
	slices.Reverse(sets)
	slices.SortStableFunc(sets, func(a, b *NVSet) int { return cmp.Compare(b.Score, a.Score) })
	return sets
}

func (d *decoder) nvset(e *Element) *NVSet {
	e = d.resolve(e)
	if e == nil {
		return nil
	}
	s := &NVSet{ID: e.Attr("id"), El: e}
	s.Score, _ = ParseScore(e.Attr("score"))
	for c := range e.Elements() {
		switch c.Name {
		case "nvpair":
			d.nvpair(s, c)
		case "rule":
			if r := d.rule(c); r != nil {
				s.Rules = append(s.Rules, r)
			}
		case "attributes": // the wrapper of schemas before 1.0
			for p := range c.Elements() {
				if p.Name == "nvpair" {
					d.nvpair(s, p)
				}
			}
		}
	}
	return s
}

// nvpair adds a pair to the set. A pair that refers to another may give the value a name of its own.
func (d *decoder) nvpair(s *NVSet, e *Element) {
	target := d.resolve(e)
	if target == nil {
		return
	}
	nv := NV{ID: target.Attr("id"), Name: e.Attr("name")}
	if nv.Name == "" {
		nv.Name = target.Attr("name")
	}
	value, ok := target.Lookup("value")
	if nv.Name == "" || !ok {
		return
	}
	nv.Value = value
	s.Pairs = append(s.Pairs, nv)
}
