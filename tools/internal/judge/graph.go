// Package judge compares what two schedulers made of the same cluster: their transition graphs, scores
// and summaries.
//
// It owns the levels of agreement that the project is measured by. Numbers that are mere bookkeeping
// (ids, the order of synapses, the instance numbers of anonymous clones) do not count. It reads text and
// says what differs; it never runs anything.
package judge

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

// Graph is a transition graph reduced to what is compared.
type Graph struct {
	acts  []act
	succ  [][]int // direct successors, no duplicates
	reach []bitset
	loop  bool // the graph has a cycle
}

// act is one action. Its key names what it is, where; two pseudo events may share a key.
type act struct {
	key  string
	real bool
}

// rawAction is an action element before ids are resolved.
type rawAction struct {
	id     string
	action act
}

// LoadGraph reads a graph file.
func LoadGraph(path string) (*Graph, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	g, err := ParseGraph(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, nil
}

// ParseGraph reads a transition graph in Pacemaker's XML.
func ParseGraph(data []byte) (*Graph, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	if root = root.find("transition_graph"); root == nil {
		return nil, errors.New("no transition_graph element")
	}
	g := &Graph{}
	byID := map[string]int{}
	type trigger struct{ from, to string }
	var triggers []trigger
	for _, syn := range root.children {
		if syn.name != "synapse" {
			continue
		}
		var here []string
		for _, e := range syn.below("action_set") {
			r := readAction(e)
			if _, dup := byID[r.id]; dup {
				return nil, fmt.Errorf("two actions have id %s", r.id)
			}
			byID[r.id] = len(g.acts)
			g.acts = append(g.acts, r.action)
			here = append(here, r.id)
		}
		for _, t := range syn.below("inputs") {
			for _, e := range t.children {
				for _, to := range here {
					triggers = append(triggers, trigger{e.attr("id"), to})
				}
			}
		}
	}
	g.succ = make([][]int, len(g.acts))
	seen := map[[2]int]bool{}
	for _, t := range triggers {
		from, ok := byID[t.from]
		to := byID[t.to]
		if ok && !seen[[2]int{from, to}] {
			seen[[2]int{from, to}] = true
			g.succ[from] = append(g.succ[from], to)
		}
	}
	g.close()
	return g, nil
}

func readAction(e *element) rawAction {
	key := e.attr("internal_operation_key")
	if key == "" {
		key = e.attr("operation_key")
	}
	for _, c := range e.children {
		if c.name != "attributes" || c.attr("CRM_meta_globally_unique") != "false" {
			continue
		}
		if n, ok := c.attrs["CRM_meta_clone"]; ok {
			key = strings.Replace(key, ":"+n+"_", "_", 1)
		}
	}
	return rawAction{id: e.attr("id"), action: act{
		key:  fmt.Sprintf("%s %s on %s", e.name, key, e.attr("on_node")),
		real: e.name != "pseudo_event",
	}}
}

// close computes which actions come after which, along any path.
func (g *Graph) close() {
	n := len(g.acts)
	waits := make([]int, n)
	for _, out := range g.succ {
		for _, d := range out {
			waits[d]++
		}
	}
	var order, queue []int
	for i, w := range waits {
		if w == 0 {
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		order = append(order, i)
		for _, d := range g.succ[i] {
			if waits[d]--; waits[d] == 0 {
				queue = append(queue, d)
			}
		}
	}
	g.loop = len(order) != n
	g.reach = make([]bitset, n)
	for i := range g.reach {
		g.reach[i] = make(bitset, (n+63)/64)
	}
	// In a graph without cycles one pass from the end is enough; with one, repeat until nothing changes.
	pass := order
	if g.loop {
		pass = pass[:0]
		for i := range n {
			pass = append(pass, i)
		}
	}
	for again := true; again; {
		again = false
		for k := len(pass) - 1; k >= 0; k-- {
			for _, d := range g.succ[pass[k]] {
				if g.reach[pass[k]].or(g.reach[d], d) && g.loop {
					again = true
				}
			}
		}
	}
}

// RealActions returns how many actions the graph has that somebody must carry out.
func (g *Graph) RealActions() int {
	n := 0
	for _, a := range g.acts {
		if a.real {
			n++
		}
	}
	return n
}

// HasCycle reports whether the graph can never be completed.
func (g *Graph) HasCycle() bool { return g.loop }

func (g *Graph) keys(real bool) counter {
	c := counter{}
	for _, a := range g.acts {
		if a.real == real {
			c[a.key]++
		}
	}
	return c
}

// orderings returns "first -> then" for each pair of real actions of which one must wait for the other.
func (g *Graph) orderings() counter {
	c := counter{}
	for i, a := range g.acts {
		if !a.real {
			continue
		}
		for j, b := range g.acts {
			if b.real && g.reach[i].has(j) {
				c[a.key+"  ->  "+b.key] = 1
			}
		}
	}
	return c
}

type bitset []uint64

func (b bitset) has(i int) bool { return b[i>>6]&(1<<(i&63)) != 0 }

// or adds other and the bit i, and reports whether that changed anything.
func (b bitset) or(other bitset, i int) bool {
	changed := !b.has(i)
	b[i>>6] |= 1 << (i & 63)
	for w := range b {
		if n := b[w] | other[w]; n != b[w] {
			b[w], changed = n, true
		}
	}
	return changed
}

// counter is a multiset of lines.
type counter map[string]int

// minus lists what is in c more often than in other, sorted.
func (c counter) minus(other counter) []string {
	var out []string
	for k, n := range c {
		for range max(0, n-other[k]) {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

// element is an XML element; text does not matter here.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
}

func (e *element) attr(name string) string { return e.attrs[name] }

// find returns the first element of that name in e's tree.
func (e *element) find(name string) *element {
	if e.name == name {
		return e
	}
	for _, c := range e.children {
		if f := c.find(name); f != nil {
			return f
		}
	}
	return nil
}

// below returns the children of the first child of that name.
func (e *element) below(name string) []*element {
	for _, c := range e.children {
		if c.name == name {
			return c.children
		}
	}
	return nil
}

func parse(data []byte) (*element, error) {
	top := &element{}
	stack := []*element{top}
	d := xml.NewDecoder(bytes.NewReader(data))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			up := stack[len(stack)-1]
			up.children = append(up.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	return top, nil
}
