package configure

import (
	"maps"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Pair is NAME=VALUE as somebody typed it. An empty value takes the name out.
type Pair struct{ Name, Value string }

// Names are the names of pairs, in order.
func Names(pairs []Pair) []string {
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = p.Name
	}
	return list
}

// Lookup is the value that a name has in pairs: the last one counts.
func Lookup(pairs []Pair, name string) (string, bool) {
	for _, p := range slices.Backward(pairs) {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Sorted are the pairs by name, each name once with its last value.
func Sorted(pairs []Pair) []Pair {
	values := map[string]string{}
	for _, p := range pairs {
		values[p.Name] = p.Value
	}
	var list []Pair
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list = append(list, Pair{name, values[name]})
	}
	return list
}

// NewSet makes a block of name/value pairs in the order given, with ids made of the block's.
func (d *Draft) NewSet(tag, id string, pairs []Pair) *cib.Element {
	set := cib.NewElement(tag, []cib.Attr{{Name: "id", Value: id}})
	return d.withPairs(set, pairs)
}

// withPairs is the block with the pairs set, or taken out where the value is empty. New ones come last, in
// the order given.
func (d *Draft) withPairs(set *cib.Element, pairs []Pair) *cib.Element {
	return d.withPairsNamed(set, pairs, func(name string) string { return name })
}

// withShortPairs is withPairs for properties and defaults: their ids hold at most 20 letters of a name.
func (d *Draft) withShortPairs(set *cib.Element, pairs []Pair) *cib.Element {
	return d.withPairsNamed(set, pairs, func(name string) string {
		name = SanitizeID("_" + name)[1:]
		return name[:min(len(name), 20)]
	})
}

func (d *Draft) withPairsNamed(set *cib.Element, pairs []Pair, idName func(name string) string) *cib.Element {
	for _, p := range pairs {
		at := slices.IndexFunc(set.Children, func(e *cib.Element) bool {
			return e.Kind == cib.KindElement && e.Name == "nvpair" && e.Attr("name") == p.Name
		})
		switch {
		case at >= 0 && p.Value == "":
			set = set.Replace(at, nil)
		case at >= 0:
			set = set.Replace(at, set.Children[at].With("value", p.Value))
		case p.Value != "":
			set = set.WithChild(d.newPair(set, idName(p.Name), p))
		}
	}
	return set
}

func (d *Draft) newPair(set *cib.Element, idName string, p Pair) *cib.Element {
	return cib.NewElement("nvpair", []cib.Attr{{Name: "id", Value: d.Free(set.ID() + "-" + idName)}, {Name: "name", Value: p.Name}, {Name: "value", Value: p.Value}})
}

// SetPairs changes the first block of that tag that an element has. Where there is none, and something is to be in
// it, it is made with the id of the owner and the tag.
func (d *Draft) SetPairs(owner cib.Path, tag string, pairs []Pair) cib.Path {
	if set := Child(owner, tag); set != nil {
		p := d.Put(set, d.withPairs(set.Last(), pairs))
		return p[:len(p)-1]
	}
	if !slices.ContainsFunc(pairs, func(p Pair) bool { return p.Value != "" }) {
		return owner
	}
	p := d.Add(owner, d.NewSet(tag, d.Free(owner.Last().ID()+"-"+tag), pairs))
	return p[:len(p)-1]
}
