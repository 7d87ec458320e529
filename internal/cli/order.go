package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
	"github.com/cerco-ha/cerco/internal/transition"
)

// mostRounds is how many plans in a row are told of: each promotion that is taken for granted makes another one.
const mostRounds = 4

// mostTold is how many actions of a plan are told of in words: more of them nobody reads.
const mostTold = 300

// tellOrder tells in words what happens in which order, and why, until the cluster is at rest: what promotable resources need
// beyond a plan, the word of their agents that they can be promoted, is taken for granted and said. It returns the state in the end.
func (ch *change) tellOrder(out *outline, plan *scheduler.Plan, after *cib.CIB) (*cib.CIB, error) {
	o := &ordering{out: out, doc: ch.after, word: "First"}
	opts := scheduler.Options{Now: ch.now, Masked: true}
	for range mostRounds {
		o.tell(plan)
		if len(o.known) == 0 {
			return after, nil
		}
		next, taken, err := promotable(after, scheduler.Look(after, opts))
		if err != nil || len(taken) == 0 {
			return after, err
		}
		for _, t := range taken {
			o.line("", "(As soon as the agent of "+t.who+" says that it can be promoted on "+list(t.nodes)+":)")
		}
		o.doc, plan = next, scheduler.Schedule(next, opts)
		res, err := simulate.Run(next, plan.Graph, simulate.Options{Stamp: ch.stamp, NoCancels: true})
		if err != nil {
			return after, err
		}
		after = res.After
	}
	return after, nil
}

// ordering tells of the stages of plans that follow each other.
type ordering struct {
	out   *outline
	doc   *cib.CIB
	word  string   // that the next line begins with
	known []*stage // of the plans before
}

// line writes a text behind a word, in lines of a width that people can read.
func (o *ordering) line(word, text string) {
	for _, l := range wrap(strings.Fields(text), 100) {
		o.out.line(fmt.Sprintf("  %-5s %s", word, l))
		word = ""
	}
}

// word is what an agent is taken to say.
type granted struct {
	who   string
	nodes []string
}

// promotable gives promotion scores to the instances that run, of clones that have none at all.
func promotable(doc *cib.CIB, v *scheduler.View) (*cib.CIB, []granted, error) {
	edit := cib.EditStatus(doc)
	var all []granted
	var walk func(rs []*scheduler.ResourceView)
	walk = func(rs []*scheduler.ResourceView) {
		for _, r := range rs {
			if r.Kind == "clone" && r.Promotable {
				if g := grant(edit, r); len(g.nodes) > 0 {
					all = append(all, g)
				}
			}
			walk(r.Children)
		}
	}
	known := map[string]bool{}
	for e := range doc.Root.All() {
		if e.Name == "nvpair" {
			if name, ok := strings.CutPrefix(e.Attr("name"), "master-"); ok {
				known[name] = true
			}
		}
	}
	walk(slices.DeleteFunc(slices.Clone(v.Resources), func(r *scheduler.ResourceView) bool { return known[r.ChildID] }))
	if len(all) == 0 {
		return nil, nil, nil
	}
	next, err := cib.DecodeRoot(doc.File, edit.Root())
	return next, all, err
}

func grant(edit *cib.StatusEdit, clone *scheduler.ResourceView) granted {
	g := granted{who: clone.ChildID}
	for _, instance := range clone.Children {
		if instance.Kind != "primitive" {
			continue
		}
		for _, n := range instance.On {
			if state := edit.Known(n.Name); state != nil {
				state.SetTransient("status-"+state.ID(), "master-"+clone.ChildID, "1")
				g.nodes = append(g.nodes, n.Name)
			}
		}
	}
	slices.Sort(g.nodes)
	return g
}

// stage is a task of a resource on some nodes, at the same place in the order.
type stage struct {
	who, task string
	nodes     []string
	level     int
	after     []*stage
}

// tell writes the stages of a plan.
func (o *ordering) tell(plan *scheduler.Plan) {
	if n := countTold(plan.Graph); n > mostTold {
		o.line(o.word, fmt.Sprintf("%d actions: too many to tell; 'cerco simulate' shows them all.", n))
		return
	}
	stages := stagesOf(plan.Graph, names(plan.View))
	online := 0
	for _, n := range plan.View.Nodes {
		if n.Online {
			online++
		}
	}
	if probes(plan.Graph) && len(stages) > 0 && o.word == "First" {
		o.line(o.word, "the nodes look what runs on them already.")
		o.word = "Then"
	}
	for i, s := range stages {
		begin := ""
		if i == 0 || stages[i-1].level != s.level {
			begin, o.word = o.word, "Then"
		}
		o.line(begin, s.words(online)+o.reason(s)+".")
	}
	o.known = append(o.known, stages...)
}

// probes reports whether a plan looks anywhere for what runs.
func probes(g *transition.Graph) bool {
	return slices.ContainsFunc(g.Actions, func(a *transition.Action) bool {
		return a.Kind == transition.ResourceOp && a.Task == "monitor" && strings.HasSuffix(a.Key, "_monitor_0")
	})
}

// names finds by the ids of instances what users call them.
func names(v *scheduler.View) map[string]string {
	out := map[string]string{}
	var walk func(rs []*scheduler.ResourceView)
	walk = func(rs []*scheduler.ResourceView) {
		for _, r := range rs {
			if r == nil {
				continue
			}
			out[r.ID] = r.Name
			walk(r.Children)
			for _, rep := range r.Replicas {
				walk([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child})
			}
		}
	}
	walk(v.Resources)
	return out
}

// told are the tasks that people are told of, and how.
var told = map[string]string{"start": "starts", "stop": "stops", "promote": "is promoted", "demote": "is demoted",
	"migrate_to": "begins its live migration", "migrate_from": "has arrived", "stonith": "is fenced"}

// stagesOf puts the actions of a graph that people care for into stages, in their order.
func stagesOf(g *transition.Graph, names map[string]string) []*stage {
	w := &staging{byID: map[int]*transition.Action{}, near: map[int][]int{}, level: map[int]int{}, stageOf: map[int]*stage{}}
	for _, a := range g.Actions {
		w.byID[a.ID] = a
	}
	var stages []*stage
	for _, a := range g.Actions {
		if !counts(a) {
			continue
		}
		who := a.Node
		if a.Rsc != nil {
			who = cmp.Or(names[cmp.Or(a.Rsc.LongID, a.Rsc.ID)], a.Rsc.ID)
		}
		level := w.levelOf(a.ID)
		i := slices.IndexFunc(stages, func(s *stage) bool { return s.who == who && s.task == a.Task && s.level == level })
		if i < 0 {
			i = len(stages)
			stages = append(stages, &stage{who: who, task: a.Task, level: level})
		}
		if a.Rsc != nil && !slices.Contains(stages[i].nodes, a.Node) {
			stages[i].nodes = append(stages[i].nodes, a.Node)
		}
		w.stageOf[a.ID] = stages[i]
	}
	for id, s := range w.stageOf {
		for _, before := range w.nearest(id) {
			if b := w.stageOf[before]; b != s && !slices.Contains(s.after, b) {
				s.after = append(s.after, b)
			}
		}
	}
	for _, s := range stages {
		slices.Sort(s.nodes)
		slices.SortFunc(s.after, func(a, b *stage) int { return slices.Index(stages, a) - slices.Index(stages, b) })
	}
	slices.SortStableFunc(stages, func(a, b *stage) int { return a.level - b.level })
	return stages
}

// counts reports whether people are told of an action.
func counts(a *transition.Action) bool {
	_, ok := told[a.Task]
	return ok && a.Kind != transition.Pseudo
}

// countTold is how many actions of a graph people are told of.
func countTold(g *transition.Graph) int {
	n := 0
	for _, a := range g.Actions {
		if counts(a) {
			n++
		}
	}
	return n
}

// staging follows the edges of a graph over what is not told of.
type staging struct {
	byID    map[int]*transition.Action
	near    map[int][]int // the actions that are told of, before one
	level   map[int]int
	stageOf map[int]*stage
}

// nearest are the actions before one that are told of, with nothing else of that kind between.
func (w *staging) nearest(id int) []int {
	if found, ok := w.near[id]; ok {
		return found
	}
	w.near[id] = nil // a loop ends here
	var found []int
	for _, in := range w.byID[id].Inputs {
		before := w.byID[in.ID]
		if before == nil {
			continue
		}
		list := []int{in.ID}
		if !counts(before) {
			list = w.nearest(in.ID)
		}
		for _, x := range list {
			if !slices.Contains(found, x) {
				found = append(found, x)
			}
		}
	}
	w.near[id] = found
	return found
}

func (w *staging) levelOf(id int) int {
	if l, ok := w.level[id]; ok {
		return l
	}
	w.level[id] = 0
	l := 0
	for _, before := range w.nearest(id) {
		l = max(l, 1+w.levelOf(before))
	}
	w.level[id] = l
	return l
}

// words say what happens: "dlm starts on both nodes".
func (s *stage) words(online int) string {
	verb := told[s.task]
	switch {
	case len(s.nodes) == 0:
		return s.who + " " + verb
	case len(s.nodes) == 2 && online == 2:
		return s.who + " " + verb + " on both nodes"
	case len(s.nodes) == online && online > 2:
		return fmt.Sprintf("%s %s on all %d nodes", s.who, verb, online)
	}
	return s.who + " " + verb + " on " + list(s.nodes)
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// reason says what a stage has waited for, and by which constraint.
func (o *ordering) reason(s *stage) string {
	doc := o.doc
	var parts []string
	for _, before := range o.known {
		if id := orderBetween(doc, before, s); id != "" {
			parts = append(parts, before.who+" "+told[before.task]+" first ("+id+")")
		}
	}
	for _, before := range s.after {
		id := orderBetween(doc, before, s)
		switch {
		case id == "" && before.level != s.level-1: // it follows from the others
		case before.who == s.who && (before.task == "migrate_to" || before.task == "migrate_from"): // that says enough
		case before.who == s.who:
			parts = append(parts, strings.TrimSuffix("it "+told[before.task]+" on "+list(before.nodes), " on ")+" before that")
		case id != "":
			parts = append(parts, before.who+" "+told[before.task]+" first ("+id+")")
		case before.task == "stonith":
			parts = append(parts, before.who+" must be off first")
		default:
			parts = append(parts, before.who+" "+told[before.task]+" before it")
		}
	}
	if near := besides(doc, s); near != "" {
		parts = append(parts, near)
	}
	if len(parts) == 0 {
		return ""
	}
	return ", since " + list(parts)
}

// family are a resource and what it is part of.
func family(doc *cib.CIB, id string) []string {
	var ids []string
	for r := doc.Resource(id); r != nil; r = r.Parent {
		ids = append(ids, r.ID)
	}
	if len(ids) == 0 {
		ids = []string{id}
	}
	return ids
}

// orderBetween is the constraint by which one stage comes after another: for stops, the other way round.
func orderBetween(doc *cib.CIB, before, after *stage) string {
	first, then := family(doc, before.who), family(doc, after.who)
	back := map[string]string{"stop": "start", "demote": "promote"}
	for _, k := range doc.Constraints {
		o, ok := k.(*cib.Order)
		if !ok {
			continue
		}
		action := cmp.Or(o.FirstAction, "start")
		next := cmp.Or(o.ThenAction, action)
		note := o.ID
		if o.Kind != "" && o.Kind != "Mandatory" {
			note += ", " + o.Kind
		}
		switch {
		case slices.Contains(first, o.First) && slices.Contains(then, o.Then) && action == before.task && next == after.task:
			return note
		case slices.Contains(first, o.Then) && slices.Contains(then, o.First) && next == back[before.task] && action == back[after.task]:
			return note + ", the other way round"
		case setsOrder(o.Sets, first, then) && before.task == after.task, setsOrder(o.Sets, then, first) && back[before.task] != "" && before.task == after.task:
			return note
		}
	}
	return ""
}

// setsOrder reports whether sets put one resource before another.
func setsOrder(sets []*cib.ResourceSet, first, then []string) bool {
	has := func(s *cib.ResourceSet, ids []string) int {
		return slices.IndexFunc(s.Refs, func(ref string) bool { return slices.Contains(ids, ref) })
	}
	seen := false
	for _, s := range sets {
		i, j := has(s, first), has(s, then)
		if j >= 0 && (seen || i >= 0 && i < j && s.Sequential) {
			return true
		}
		seen = seen || i >= 0
	}
	return false
}

// besides is the resource that another must be together with, where that is started for it.
func besides(doc *cib.CIB, s *stage) string {
	if s.task != "start" && s.task != "promote" {
		return ""
	}
	who := family(doc, s.who)
	for _, k := range doc.Constraints {
		c, ok := k.(*cib.Colocation)
		if !ok || !slices.Contains(who, c.Rsc) || isPromoted(c.RscRole) != (s.task == "promote") {
			continue
		}
		score, ok := cib.ParseScore(c.Score)
		if !ok || score <= 0 {
			continue
		}
		role := ""
		if isPromoted(c.WithRole) {
			role = " promoted"
		}
		return "it belongs where " + c.With + " is" + role + " (" + c.ID + ")"
	}
	return ""
}

// isPromoted reports whether a role is that of a promoted instance, by its name of today or the older one.
func isPromoted(role string) bool {
	return strings.EqualFold(role, "Promoted") || strings.EqualFold(role, "Master")
}
