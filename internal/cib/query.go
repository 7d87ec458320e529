package cib

import "strings"

// Match is what a query finds: an element, by the path to it, or one of its attributes.
type Match struct {
	Path Path
	Attr string // name of the attribute; empty: the element itself
}

// Element returns the element found, or the one that has the attribute found.
func (m Match) Element() *Element { return m.Path.Last() }

// Value returns the value of the attribute found, empty if an element was found.
func (m Match) Value() string { return m.Element().Attr(m.Attr) }

// Query finds elements or attributes by the part of XPath 1.0 that cluster tools use: paths from the root
// ("/cib/configuration", "//primitive", "//node/@uname", "//group/*"), unions with '|', "text()",
// "comment()" and ".." for the parent, and predicates of positions ("[2]", "[last()]"), attributes
// ("[@id]", "[@id='x']", "[@id!='x']"), children ("[op]", "[op/@name='start']"), "starts-with",
// "contains", "not(...)", "and", "or" and brackets. What is found is in document order for each part of a
// union.
func Query(root *Element, expr string) ([]Match, error) {
	q := &queryParser{expr: expr, rest: strings.TrimSpace(expr)}
	var found []Match
	for {
		steps, err := q.path()
		if err != nil {
			return nil, err
		}
		found = append(found, selectPath(root, steps)...)
		if q.rest == "" {
			return distinct(found), nil
		}
		if !q.take("|") {
			return nil, q.errorf("unexpected %q", q.rest)
		}
	}
}

// QueryOne is Query for what must be there exactly once.
func QueryOne(root *Element, expr string) (Match, error) {
	found, err := Query(root, expr)
	if err == nil && len(found) != 1 {
		err = (&queryParser{expr: expr}).errorf("%d found where one is wanted", len(found))
	}
	if err != nil {
		return Match{}, err
	}
	return found[0], nil
}

// ByID finds the first element under root that has the id, by its path; nil if there is none. Only the
// configuration and what else is not a history is searched: histories repeat ids of resources.
func ByID(root *Element, id string) Path {
	var found Path
	var search func(p Path)
	search = func(p Path) {
		e := p.Last()
		if e.Attr("id") == id {
			found = append(Path(nil), p...)
			return
		}
		for _, c := range e.Children {
			if c.Kind == KindElement && c.Name != "status" && found == nil {
				search(append(p, c))
			}
		}
	}
	search(Path{root})
	return found
}

// distinct drops what was found before.
func distinct(found []Match) []Match {
	type key struct {
		el   *Element
		attr string
	}
	seen := make(map[key]bool, len(found))
	kept := found[:0]
	for _, m := range found {
		k := key{m.Element(), m.Attr}
		if !seen[k] {
			seen[k] = true
			kept = append(kept, m)
		}
	}
	return kept
}

// step is one step of a path.
type step struct {
	deep       bool   // came after "//"
	attribute  bool   // "@name"
	name       string // "*": any; "..": the parent
	predicates []predicate
}

// predicate decides whether to keep an element that is number position of size.
type predicate func(p Path, position, size int) bool

// selectPath applies the steps one after the other.
func selectPath(root *Element, steps []step) []Match {
	contexts := []Path{nil} // nil stands for the document
	for i, s := range steps {
		if s.attribute {
			return selectAttrs(root, contexts, s)
		}
		var next []Path
		for _, c := range contexts {
			next = append(next, s.from(root, c)...)
		}
		if contexts = next; i+1 < len(steps) && len(contexts) > 1 {
			contexts = distinctPaths(contexts)
		}
	}
	var found []Match
	for _, c := range contexts {
		if len(c) > 0 {
			found = append(found, Match{Path: c})
		}
	}
	return found
}

func distinctPaths(paths []Path) []Path {
	seen := make(map[*Element]bool, len(paths))
	kept := paths[:0]
	for _, p := range paths {
		if len(p) == 0 || !seen[p.Last()] {
			kept = append(kept, p)
			if len(p) > 0 {
				seen[p.Last()] = true
			}
		}
	}
	return kept
}

func selectAttrs(root *Element, contexts []Path, s step) []Match {
	var found []Match
	add := func(p Path) {
		for name := range p.Last().Attrs() {
			if s.name == "*" || s.name == name {
				found = append(found, Match{append(Path(nil), p...), name})
			}
		}
	}
	for _, c := range contexts {
		if s.deep {
			descend(root, c, add)
		} else if len(c) > 0 {
			add(c)
		}
	}
	return found
}

// descend calls f for the context, unless it is the document, and every element below it.
func descend(root *Element, context Path, f func(Path)) {
	if len(context) > 0 {
		f(context)
	}
	for _, c := range childrenOf(root, context) {
		if c.Kind == KindElement {
			descend(root, append(context, c), f)
		}
	}
}

func childrenOf(root *Element, context Path) []*Element {
	if len(context) == 0 {
		return []*Element{root}
	}
	return context.Last().Children
}

// from returns what the step finds from a context, in document order.
func (s step) from(root *Element, context Path) []Path {
	if s.name == ".." {
		if len(context) > 1 {
			return s.filter([]Path{context[:len(context)-1]})
		}
		return nil
	}
	if !s.deep {
		return s.children(root, context)
	}
	return s.below(root, context, nil)
}

// below appends what the step finds at any depth below a context, in document order. Predicates count among
// the children of one parent.
func (s step) below(root *Element, context Path, found []Path) []Path {
	picked := s.children(root, context)
	for _, c := range childrenOf(root, context) {
		if len(picked) > 0 && picked[0].Last() == c {
			found = append(found, picked[0])
			picked = picked[1:]
		}
		if c.Kind == KindElement {
			found = s.below(root, append(context[:len(context):len(context)], c), found)
		}
	}
	return found
}

func (s step) children(root *Element, context Path) []Path {
	var found []Path
	for _, c := range childrenOf(root, context) {
		if s.matches(c) {
			found = append(found, append(context[:len(context):len(context)], c))
		}
	}
	return s.filter(found)
}

func (s step) filter(found []Path) []Path {
	for _, keep := range s.predicates {
		size, kept := len(found), []Path(nil)
		for i, p := range found {
			if keep(p, i+1, size) {
				kept = append(kept, p)
			}
		}
		found = kept
	}
	return found
}

func (s step) matches(e *Element) bool {
	if s.name == "*" {
		return e.Kind == KindElement
	}
	return stepName(e) == s.name
}
