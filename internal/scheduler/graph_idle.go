package scheduler

import "github.com/cerco-ha/cerco/internal/transition"

// idle are the actions that were considered and are not in the graph, with what would come before and
// after them: for drawings.
func (p *planner) idle() []transition.Idle {
	then := map[*action][]int{}
	for _, a := range p.written {
		for _, l := range a.before {
			if l.flags != 0 && !l.first.has(actInGraph) {
				then[l.first] = append(then[l.first], a.seq)
			}
		}
	}
	var out []transition.Idle
	for _, a := range p.actions {
		if a.has(actInGraph) {
			continue
		}
		t := &transition.Action{ID: a.seq, Task: a.task, Key: a.key}
		if a.has(actPseudo) {
			t.Kind = transition.Pseudo
		}
		switch {
		case a.node != nil:
			t.Node, t.About = a.node.name, a.node.name
		case a.rsc != nil && a.rsc.variant == primitive:
			t.Node = "<none>"
		}
		if a.task == taskFence {
			t.Attrs = a.meta
		}
		if a.rsc != nil && a.rsc.renamed && a.rsc.variant == primitive {
			t.Key = p.keyUnder(a.rsc.name, a)
		}
		for _, l := range a.before {
			if l.flags != 0 {
				t.Inputs = append(t.Inputs, transition.Input{ID: l.first.seq})
			}
		}
		out = append(out, transition.Idle{Action: t, Optional: a.optional(), Then: then[a]})
	}
	return out
}
