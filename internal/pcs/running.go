package pcs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// outcome is what a change was made for.
type outcome int

const (
	anyhow outcome = iota
	running
	stopped
)

// changeFor is change; when --wait was asked for, what has become of the resources is told, and it is an error if that
// is not what was wanted. An id may be that of a tag.
func (c *call) changeFor(want outcome, ids []string, f func(d *configure.Draft) error) error {
	if err := c.change(f); err != nil {
		return err
	}
	return c.waited(want, ids...)
}

// waited tells where resources run, if that was waited for.
func (c *call) waited(want outcome, ids ...string) error {
	if !c.has("wait") || c.has("dry-run") || c.onFile() {
		return nil
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	refused := &configure.Refusal{}
	for _, id := range ids {
		for _, one := range named(doc, id) {
			text, runs := whereIs(v, one)
			if want == anyhow || runs == (want == running) {
				c.note("%s", text)
				continue
			}
			refused.List = append(refused.List, configure.Problem{Text: text})
		}
	}
	if len(refused.List) > 0 {
		return refused
	}
	return nil
}

// mustWait has the changes of a call waited for, even if that was not asked for.
func (c *call) mustWait() {
	if !c.has("wait") {
		c.options["wait"] = []string{""}
	}
}

// afterwards is a call that puts back what this one has done, although the user's patience may have ended; then it does not wait.
func (c *call) afterwards() *call {
	back := *c
	back.Context, back.opened = context.WithoutCancel(c.context()), nil
	if c.context().Err() != nil {
		back.options = maps.Clone(c.options)
		delete(back.options, "wait")
	}
	return &back
}

// whereIs says in words where a resource runs.
func whereIs(v *scheduler.View, id string) (text string, runs bool) {
	on := map[string][]string{}
	each(v, id, func(r *scheduler.ResourceView) {
		role := r.Role
		if r.InPromotable && role == "Started" {
			role = "Unpromoted"
		}
		for _, n := range r.On {
			if !slices.Contains(on[role], n.Name) {
				on[role] = append(on[role], n.Name)
			}
		}
	})
	var parts []string
	for _, role := range []string{"Started", "Promoted", "Unpromoted"} {
		if nodes := on[role]; len(nodes) > 0 {
			slices.Sort(nodes)
			word := map[string]string{"Started": "running", "Promoted": "promoted", "Unpromoted": "unpromoted"}[role]
			parts = append(parts, word+" on "+counted("node", nodes))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("resource '%s' is not running on any node", id), false
	}
	return fmt.Sprintf("resource '%s' is %s", id, strings.Join(parts, "; ")), true
}

// counted is a noun, in the plural where there are several, and names in quotation marks.
func counted(noun string, names []string) string {
	if len(names) != 1 {
		noun += "s"
	}
	return noun + " " + quoted(names)
}

// quoted are names in quotation marks.
func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

// each calls f with the primitives, and their instances, that are a resource or inside of it.
func each(v *scheduler.View, id string, f func(r *scheduler.ResourceView)) {
	var walk func(list []*scheduler.ResourceView, inside bool)
	walk = func(list []*scheduler.ResourceView, inside bool) {
		for _, r := range list {
			if r == nil {
				continue
			}
			in := inside || r.Name == id || r.ID == id || plainName(r.ID) == id
			if in && r.Kind == "primitive" {
				f(r)
			}
			walk(r.Children, in)
			for _, rep := range r.Replicas {
				walk([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child}, in)
			}
		}
	}
	walk(v.Resources, false)
}

// plainName is the name of an instance without its number.
func plainName(id string) string {
	plain, _, _ := strings.Cut(id, ":")
	return plain
}

// runningOn lists the nodes that a resource, or anything in it, runs on, as the status has it; with promoted those that it is
// promoted on.
func (c *call) runningOn(doc *cib.CIB, id string, promoted bool) []string {
	var nodes []string
	each(scheduler.Look(doc, scheduler.Options{Now: c.now()}), id, func(r *scheduler.ResourceView) {
		for _, n := range r.On {
			if (!promoted || r.Role == "Promoted") && !slices.Contains(nodes, n.Name) {
				nodes = append(nodes, n.Name)
			}
		}
	})
	slices.Sort(nodes)
	return nodes
}

// primitivesIn are the primitives that a resource, or what a tag stands for, is made of.
func primitivesIn(doc *cib.CIB, id string) []string {
	var list []string
	var walk func(r *cib.Resource)
	walk = func(r *cib.Resource) {
		if r.Kind == cib.Primitive {
			list = append(list, r.ID)
		}
		for _, child := range r.Children {
			walk(child)
		}
	}
	for _, one := range named(doc, id) {
		if r := doc.Resource(one); r != nil {
			walk(r)
		}
	}
	return list
}
