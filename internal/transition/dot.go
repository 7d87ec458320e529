package transition

import (
	"bufio"
	"io"
	"slices"
	"strings"
)

// WriteDOT writes the graph for Graphviz, with the names, order, colours and styles of crm_simulate:
// actions bold and green, pseudo events in orange type; dashed red what is needed and cannot be done; and,
// with all, dashed blue what there is no need for.
func (g *Graph) WriteDOT(w io.Writer, all bool) error {
	d := drawing{all: all, byID: make(map[int]*dotNode, len(g.Actions)+len(g.Idle))}
	for _, a := range g.Actions {
		d.add(&dotNode{action: a, inputs: a.inputIDs(), live: true})
	}
	for _, idle := range g.Idle {
		d.add(&dotNode{action: idle.Action, inputs: idle.Action.inputIDs(), optional: idle.Optional})
	}
	for _, idle := range g.Idle {
		for _, then := range idle.Then {
			if n := d.byID[then]; n != nil {
				n.inputs = append(n.inputs, idle.Action.ID)
			}
		}
	}
	slices.SortStableFunc(d.nodes, func(a, b *dotNode) int { return b.action.ID - a.action.ID })
	out := bufio.NewWriter(w)
	out.WriteString(" digraph \"g\" {\n")
	for _, n := range d.nodes {
		d.node(out, n)
	}
	for _, n := range d.nodes {
		d.edges(out, n)
	}
	out.WriteString("}\n")
	return out.Flush()
}

type dotNode struct {
	action   *Action
	inputs   []int
	live     bool // part of the transition
	optional bool
}

type drawing struct {
	all   bool
	nodes []*dotNode
	byID  map[int]*dotNode
}

func (d *drawing) add(n *dotNode) {
	d.nodes = append(d.nodes, n)
	d.byID[n.action.ID] = n
}

func (d *drawing) node(w *bufio.Writer, n *dotNode) {
	style, color := "dashed", "red"
	switch {
	case n.live:
		style, color = "bold", "green"
	case n.optional && !d.all:
		return
	case n.optional:
		color = "blue"
	}
	font := "black"
	if n.action.Kind == Pseudo {
		font = "orange"
	}
	w.WriteString(n.action.DOTName() + " [ style=" + style + ` color="` + color + `" fontcolor="` + font + "\"]\n")
}

// edges writes what leads to an action: in bold between actions of the transition; what leads to or from
// an action that cannot be done is dashed.
func (d *drawing) edges(w *bufio.Writer, n *dotNode) {
	slices.Sort(n.inputs)
	for _, id := range n.inputs {
		before := d.byID[id]
		if before == nil {
			continue
		}
		style := "dashed"
		switch {
		case before.live && n.live:
			style = "bold"
		case (before.optional || n.optional) && !d.all:
			continue
		}
		w.WriteString(before.action.DOTName() + " -> " + n.action.DOTName() + " [ style = " + style + "]\n")
	}
}

func (a *Action) inputIDs() []int {
	out := make([]int, len(a.Inputs))
	for i, in := range a.Inputs {
		out[i] = in.ID
	}
	return out
}

// DOTName is what drawings call an action: its key and its node, in quotation marks.
func (a *Action) DOTName() string {
	key, node := a.Key, a.Node
	switch {
	case a.Task == "notify" && a.Kind == ResourceOp:
		from := "_notify_" + a.Attr("CRM_meta_notify_operation") + "_"
		if to := a.Attr("CRM_meta_notify_key_operation"); to != "" {
			key = strings.Replace(key, from, "_notify_"+to+"_", 1)
		}
	case a.Task == "cancel":
		key = "Cancel " + key
	case a.Task == "stonith":
		key = "stonith '" + a.Attr("CRM_meta_stonith_action") + "'"
	case a.Kind == Pseudo:
		node = a.About
	case a.Task == "do_shutdown":
		key = a.Task
	}
	if node != "" {
		key += " " + node
	}
	return `"` + strings.ReplaceAll(key, `"`, `\"`) + `"`
}
