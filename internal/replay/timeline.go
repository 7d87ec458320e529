package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// mark is something that a time-line shows.
type mark struct {
	at   time.Duration
	node *Node // nil: it is about all, or about those in on
	on   []string
	text string
}

func (w *World) mark(n *Node, text string) {
	if w.cfg.Draw {
		w.marks = append(w.marks, mark{at: w.at(), node: n, text: text})
	}
}

func (w *World) markAll(text string, nodes ...string) {
	if w.cfg.Draw {
		w.marks = append(w.marks, mark{at: w.at(), text: text, on: nodes})
	}
}

func join(names []string) string { return strings.Join(names, " ") }

// Timeline draws the last things that happened: a line each, a column a node. What all nodes run and are at that time
// stands in the columns; what has just changed is spelled out.
func (w *World) Timeline(most int) string {
	const width = 26
	var b strings.Builder
	fmt.Fprintf(&b, "%9s  ", "seconds")
	for _, n := range w.nodes {
		fmt.Fprintf(&b, "%-*s", width, n.Name)
	}
	b.WriteByte('\n')
	state := map[*Node]byte{}
	for _, n := range w.nodes {
		state[n] = '|'
	}
	first := max(0, len(w.marks)-most)
	for i, m := range w.marks {
		line := ""
		for _, n := range w.nodes {
			cell := string(state[n])
			if m.node == n {
				if strings.ContainsRune("|X:~L", rune(m.text[0])) {
					state[n] = m.text[0]
					cell = m.text
				} else {
					cell = string(state[n]) + " " + m.text
				}
			}
			line += fmt.Sprintf("%-*s", width, cell)
		}
		if m.node == nil {
			line = m.text
			if len(m.on) > 0 {
				line += " from " + join(w.others(m.on))
			}
		}
		if i >= first {
			fmt.Fprintf(&b, "%9.3f  %s\n", m.at.Seconds(), strings.TrimRight(line, " "))
		}
	}
	return b.String()
}

func (w *World) others(names []string) []string {
	var rest []string
	for _, n := range w.nodes {
		if !slices.Contains(names, n.Name) {
			rest = append(rest, n.Name)
		}
	}
	return rest
}

// Legend says what the signs of a time-line mean.
const Legend = `| on, L leads, X off, : without daemon, ~ paused; + starts, - stops, * promoted; F fences; = a change is acknowledged; -/> nothing goes there any more`
