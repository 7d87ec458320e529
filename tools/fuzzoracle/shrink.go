package main

import (
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
)

// shrinkTime bounds the work on one CIB; what has been reached by then is good enough to look at.
const shrinkTime = 40 * time.Second

// shrinker cuts a CIB down while the two sides still part at the same level.
type shrinker struct {
	fails func(*cibgen.Element) bool
	until time.Time
	cib   *cibgen.Element
}

// shrink keeps at least one of the kinds of difference, lest it end with another bug than it began with.
func shrink(b *bout, cib *cibgen.Element, v verdict) *cibgen.Element {
	kinds := strings.Split(v.kind, "; ")
	s := &shrinker{cib: cib, until: time.Now().Add(shrinkTime), fails: func(c *cibgen.Element) bool {
		got := b.judge(c)
		return got.level == v.level && slices.ContainsFunc(kinds, func(k string) bool {
			return slices.Contains(strings.Split(got.kind, "; "), k)
		})
	}}
	s.run()
	return s.cib
}

// sections are cut in this order: the pieces that take most with them come first.
var sections = []func(*cibgen.Element) []*cibgen.Element{
	named("primitive", "group", "clone", "bundle", "lrm_resource"),
	named("node", "node_state"),
	named("rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket"),
	named("lrm_resource", "transient_attributes", "operations", "meta_attributes", "instance_attributes",
		"utilization", "rsc_defaults", "tickets", "ticket_state", "lrm"),
	named("lrm_rsc_op", "nvpair", "op", "expression", "rule", "resource_set", "resource_ref"),
}

func named(names ...string) func(*cibgen.Element) []*cibgen.Element {
	return func(root *cibgen.Element) []*cibgen.Element {
		var out []*cibgen.Element
		root.Walk(func(e *cibgen.Element) {
			if slices.Contains(names, e.Name) {
				out = append(out, e)
			}
		})
		return out
	}
}

func (s *shrinker) run() {
	for again := true; again && !s.late(); {
		again = false
		for _, section := range sections {
			again = s.cut(section) || again
		}
		again = s.hoist() || again
		again = s.cutAttributes() || again
	}
}

func (s *shrinker) late() bool { return time.Now().After(s.until) }

// cut tries to take pieces of a section out, in ever smaller bunches.
func (s *shrinker) cut(section func(*cibgen.Element) []*cibgen.Element) bool {
	cut := false
	for size := len(section(s.cib)); size > 0 && !s.late(); size /= 2 {
		for at := 0; !s.late(); {
			pieces := section(s.cib)
			if at >= len(pieces) {
				break
			}
			drop := map[*cibgen.Element]bool{}
			for _, p := range pieces[at:min(at+size, len(pieces))] {
				drop[p] = true
			}
			s.forget(drop)
			if s.try(tidy(s.cib.Without(drop))) {
				cut = true
			} else {
				at += size
			}
		}
	}
	return cut
}

// forget adds the history of the primitives that are dropped, which would be orphans otherwise.
func (s *shrinker) forget(drop map[*cibgen.Element]bool) {
	ids := map[string]bool{}
	for e := range drop {
		for _, p := range named("primitive")(e) {
			ids[p.Attr("id")] = true
		}
	}
	for _, h := range named("lrm_resource")(s.cib) {
		if id, _, _ := strings.Cut(h.Attr("id"), ":"); ids[id] {
			drop[h] = true
		}
	}
}

// try keeps a smaller CIB if it still shows the difference.
func (s *shrinker) try(c *cibgen.Element) bool {
	if !s.fails(c) {
		return false
	}
	s.cib = c
	return true
}

// hoist tries to put the members of a group, or a clone's child, in its place.
func (s *shrinker) hoist() bool {
	done := false
	for _, e := range named("group", "clone")(s.cib) {
		if s.late() {
			break
		}
		c := replaceByChildren(s.cib, e)
		if inner := contents(e); len(inner) > 0 {
			rename(c, e.Attr("id"), inner[0].Attr("id"))
		}
		done = s.try(tidy(c)) || done
	}
	return done
}

// contents are the members of a group, or a clone's child.
func contents(e *cibgen.Element) []*cibgen.Element {
	var out []*cibgen.Element
	for _, k := range e.Kids {
		if k.Name == "primitive" || k.Name == "group" {
			out = append(out, k)
		}
	}
	return out
}

// rename makes what refers to one resource refer to another.
func rename(root *cibgen.Element, from, to string) {
	root.Walk(func(e *cibgen.Element) {
		for i, a := range e.Attrs {
			if a.Value == from && (slices.Contains(references, a.Name) || e.Name == "resource_ref") {
				e.Attrs[i].Value = to
			}
		}
	})
}

// references are the attributes by which constraints name resources.
var references = []string{"rsc", "with-rsc", "first", "then"}

func replaceByChildren(root, e *cibgen.Element) *cibgen.Element {
	out := &cibgen.Element{Name: root.Name, Attrs: slices.Clone(root.Attrs)}
	for _, k := range root.Kids {
		if k != e {
			out.Kids = append(out.Kids, replaceByChildren(k, e))
			continue
		}
		out.Kids = append(out.Kids, contents(k)...)
	}
	return out
}

// cutAttributes tries to take attributes out of the configuration.
func (s *shrinker) cutAttributes() bool {
	done := false
	for _, e := range named("rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket", "op", "resource_set", "rule", "ticket_state")(s.cib) {
		for i := 0; i < len(e.Attrs) && !s.late(); {
			if e.Attrs[i].Name == "id" {
				i++
				continue
			}
			old := slices.Clone(e.Attrs)
			e.Attrs = slices.Delete(slices.Clone(old), i, i+1)
			if s.fails(s.cib) {
				done = true
				continue
			}
			e.Attrs = old
			i++
		}
	}
	return done
}

// tidy takes out what refers to something that is gone, and what has become empty.
func tidy(root *cibgen.Element) *cibgen.Element {
	for {
		ids, nodes := map[string]bool{}, map[string]bool{}
		root.Walk(func(e *cibgen.Element) {
			switch e.Name {
			case "primitive", "group", "clone", "bundle":
				ids[e.Attr("id")] = true
			case "node":
				nodes[e.Attr("uname")] = true
			}
		})
		drop := map[*cibgen.Element]bool{}
		root.Walk(func(e *cibgen.Element) {
			if dangles(e, ids, nodes) {
				drop[e] = true
			}
		})
		if len(drop) == 0 {
			return root
		}
		root = root.Without(drop)
	}
}

func dangles(e *cibgen.Element, ids, nodes map[string]bool) bool {
	gone := func(attr string) bool { return e.Attr(attr) != "" && !ids[e.Attr(attr)] }
	switch e.Name {
	case "rsc_location":
		return gone("rsc") || e.Attr("node") == "" && len(e.Kids) == 0
	case "rsc_colocation":
		return gone("rsc") || gone("with-rsc") || e.Attr("rsc") == "" && len(e.Kids) == 0
	case "rsc_order":
		return gone("first") || gone("then") || e.Attr("first") == "" && len(e.Kids) == 0
	case "rsc_ticket":
		return gone("rsc")
	case "resource_ref":
		return gone("id")
	case "node_state":
		return !nodes[e.Attr("uname")]
	case "group":
		return len(named("primitive")(e)) == 0
	case "clone":
		return len(named("primitive")(e)) == 0
	case "resource_set", "meta_attributes", "instance_attributes", "utilization", "operations", "rsc_defaults",
		"transient_attributes", "lrm_resource", "rule", "tickets":
		return len(e.Kids) == 0
	}
	return false
}
