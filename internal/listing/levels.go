package listing

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// levelTarget is what fencing levels are for: a node, nodes whose name fits a pattern, or nodes with an attribute.
type levelTarget struct {
	title  string
	kind   int
	levels []*cib.Element
}

// levelTargets returns the targets, sorted by kind and name, each with its levels sorted by index.
func levelTargets(c *cib.CIB) []levelTarget {
	var targets []levelTarget
	for _, l := range children(section(c, "fencing-topology"), "fencing-level") {
		t := targetOf(l)
		at := slices.IndexFunc(targets, func(have levelTarget) bool { return have.title == t.title })
		if at < 0 {
			at, targets = len(targets), append(targets, t)
		}
		targets[at].levels = append(targets[at].levels, l)
	}
	for _, t := range targets {
		slices.SortStableFunc(t.levels, func(a, b *cib.Element) int { return cmp.Compare(index(a), index(b)) })
	}
	slices.SortStableFunc(targets, func(a, b levelTarget) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.title, b.title))
	})
	return targets
}

func targetOf(l *cib.Element) levelTarget {
	if v, ok := l.Lookup("target"); ok {
		return levelTarget{title: "Target: " + v}
	}
	if v, ok := l.Lookup("target-pattern"); ok {
		return levelTarget{title: "Target (regexp): " + v, kind: 1}
	}
	return levelTarget{title: "Target: " + l.Attr("target-attribute") + "=" + l.Attr("target-value"), kind: 2}
}

func index(l *cib.Element) int {
	n, _ := strconv.Atoi(l.Attr("index"))
	return n
}
