package scheduler_test

import (
	"cmp"
	"slices"

	"github.com/cerco-ha/cerco/internal/transition"
)

// ordering is a graph reduced to its real actions and what each of them must wait for.
type ordering struct {
	names  []string       // words for each action, empty for pseudo events
	before []map[int]bool // all actions that come before, along any path
}

func newOrdering(g *transition.Graph) *ordering {
	o := &ordering{names: make([]string, len(g.Actions)), before: make([]map[int]bool, len(g.Actions))}
	index := map[int]int{}
	for i, a := range g.Actions {
		index[a.ID] = i
	}
	for i, a := range g.Actions {
		if a.Kind != transition.Pseudo {
			o.names[i] = words(a)
		}
		o.collect(g, index, i)
	}
	return o
}

// collect gathers what comes before an action. A graph has no cycle, so the recursion ends.
func (o *ordering) collect(g *transition.Graph, index map[int]int, i int) map[int]bool {
	if o.before[i] == nil {
		o.before[i] = map[int]bool{}
		for _, in := range g.Actions[i].Inputs {
			k, ok := index[in.ID]
			if !ok {
				continue
			}
			o.before[i][k] = true
			for earlier := range o.collect(g, index, k) {
				o.before[i][earlier] = true
			}
		}
	}
	return o.before[i]
}

// words say what an action is.
func words(a *transition.Action) string {
	what := a.Task
	if a.Kind == transition.ResourceOp && a.Rsc != nil {
		id := a.Rsc.ID
		if a.Rsc.LongID != "" {
			id = a.Rsc.LongID
		}
		if interval := attr(a, "CRM_meta_interval"); interval != "" {
			what += "/" + interval + "ms"
		} else if what == "monitor" {
			what = "probe"
		}
		if about := attr(a, "CRM_meta_notify_operation"); what == "notify" {
			what = "notify (" + attr(a, "CRM_meta_notify_type") + " " + about + ")"
		}
		what += " " + id
	} else if a.Task == "stonith" {
		what = "fence (" + attr(a, "CRM_meta_stonith_action") + ")"
	}
	if a.Node != "" {
		what += " on " + a.Node
	}
	if a.Router != "" {
		what += " through " + a.Router
	}
	return what
}

func attr(a *transition.Action, name string) string {
	for _, at := range a.Attrs {
		if at.Name == name {
			return at.Value
		}
	}
	return ""
}

// sorted lists the real actions: whatever must wait comes later, and names decide among the rest.
func (o *ordering) sorted() []int {
	var out []int
	for i, n := range o.names {
		if n != "" {
			out = append(out, i)
		}
	}
	depth := make([]int, len(o.names))
	var measure func(i int) int
	measure = func(i int) int {
		if depth[i] == 0 {
			d := 1
			for k := range o.before[i] {
				if o.names[k] != "" {
					d = max(d, measure(k)+1)
				}
			}
			depth[i] = d
		}
		return depth[i]
	}
	slices.SortStableFunc(out, func(a, b int) int {
		return cmp.Or(measure(a)-measure(b), cmp.Compare(o.names[a], o.names[b]))
	})
	return out
}

// direct lists the real actions that i waits for and that no other of them waits for.
func (o *ordering) direct(i int) []int {
	var out []int
	for k := range o.before[i] {
		if o.names[k] == "" {
			continue
		}
		implied := false
		for via := range o.before[i] {
			implied = implied || o.names[via] != "" && o.before[via][k]
		}
		if !implied {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b int) int { return cmp.Compare(o.names[a], o.names[b]) })
	return out
}
