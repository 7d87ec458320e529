package listing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// pair is a name and its value.
type pair struct{ id, name, value string }

// String is the pair as name=value, quoted where blanks or equals signs would mislead a reader.
func (p pair) String() string { return quote(p.name) + "=" + quote(p.value) }

// quote puts a word in quotes if it holds blanks or an equals sign. Line breaks become \n: a line says one thing.
func quote(s string) string {
	s = strings.ReplaceAll(s, "\n", `\n`)
	switch {
	case !strings.ContainsAny(s, " \t="):
		return s
	case strings.Contains(s, `"`) && !strings.Contains(s, "'"):
		return "'" + s + "'"
	}
	return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
}

// pairsOf reads the nvpairs of a set.
func pairsOf(set *cib.Element) []pair {
	var pairs []pair
	for _, nv := range children(set, "nvpair") {
		pairs = append(pairs, pair{nv.ID(), nv.Attr("name"), nv.Attr("value")})
	}
	return pairs
}

func byName(pairs []pair) []pair {
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.name, b.name) })
	return pairs
}

func byID(pairs []pair) []pair {
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.id, b.id) })
	return pairs
}

// words returns the pairs, in their order, as name=value.
func words(pairs []pair) []string {
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = p.String()
	}
	return list
}

// attrs picks attributes of an element, as far as it has them, in the order that they are asked for.
func attrs(e *cib.Element, names ...string) []pair {
	var pairs []pair
	for _, name := range names {
		if v, ok := e.Lookup(name); ok {
			pairs = append(pairs, pair{name: name, value: v})
		}
	}
	return pairs
}

// otherAttrs returns the attributes of an element, sorted by name, without those named.
func otherAttrs(e *cib.Element, but ...string) []pair {
	var pairs []pair
	for name, value := range e.Attrs() {
		if !slices.Contains(but, name) {
			pairs = append(pairs, pair{name: name, value: value})
		}
	}
	return byName(pairs)
}

// setLines shows the first set of a kind, the one that commands change: a heading with its id, then its pairs.
func setLines(title string, e *cib.Element, kind string) Lines {
	pairs := byName(pairsOf(e.Child(kind)))
	if len(pairs) == 0 {
		return nil
	}
	return append(Lines{heading(title, e.Child(kind).ID())}, Lines(words(pairs)).In(2)...)
}

func heading(title, id string) string {
	if id == "" {
		return title + ":"
	}
	return title + ": " + id
}

// perOwner shows pairs that belong to something with a name: a line an owner.
func perOwner(title string, owners []owner) Lines {
	out := Lines{title}
	for _, o := range owners {
		var list []string
		for _, p := range byName(o.pairs) {
			list = append(list, p.name+"="+p.value)
		}
		out = append(out, " "+o.name+": "+strings.Join(list, " "))
	}
	return out
}

type owner struct {
	name  string
	pairs []pair
}
