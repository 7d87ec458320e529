package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Timeline shows what led to a violation: a column a node, a line a moment, faults right across. It holds what
// concerns the violation's resource, and all that happened to hosts, in the time before it.
func Timeline(events []Event, v Violation, before time.Duration) string {
	var nodes []string
	for _, e := range events {
		for _, n := range []string{e.Node, e.target()} {
			if n != "" && !slices.Contains(nodes, n) {
				nodes = append(nodes, n)
			}
		}
	}
	slices.Sort(nodes)
	var b strings.Builder
	fmt.Fprintf(&b, "%10s", "seconds")
	for _, n := range nodes {
		fmt.Fprintf(&b, "  %-*s", cell, n)
	}
	b.WriteByte('\n')
	for _, e := range events {
		if e.At < v.At-before || e.At > v.At || !e.concerns(v) {
			continue
		}
		fmt.Fprintf(&b, "%10.2f", e.At.Seconds())
		if e.Node == "" {
			fmt.Fprintf(&b, "  ** %s %s\n", e.What, strings.Join(e.Rest, " "))
			continue
		}
		for _, n := range nodes[:slices.Index(nodes, e.Node)] {
			fmt.Fprintf(&b, "  %-*s", cell, strings.Repeat(".", min(1, len(n))))
		}
		fmt.Fprintf(&b, "  %s\n", e.short())
	}
	fmt.Fprintf(&b, "%10.2f  ## %s: %s\n", v.At.Seconds(), v.Invariant, v.What)
	return b.String()
}

// cell is the width of a node's column.
const cell = 20

func (e *Event) target() string {
	if e.What == "fence" {
		return e.Resource
	}
	return ""
}

func (e *Event) concerns(v Violation) bool {
	switch e.What {
	case "tried", "acked", "seen", "cleared":
		return v.Invariant == "I9"
	case "start", "stop", "promote", "demote", "migrate_to", "migrate_from", "died":
		return v.Resource == "" || e.Resource == v.Resource
	case "monitor": // those that change what is known
		return e.Resource == v.Resource && e.ends() && e.rc() != 0
	}
	return true
}

// short is an event in a node's column.
func (e *Event) short() string {
	words := []string{e.What}
	switch {
	case e.What == "fence":
		words = append(words, e.Resource, e.word(1))
	case e.Resource != "":
		words = append(words, e.Resource)
	case len(e.Rest) > 0:
		words = append(words, e.Rest[0])
	}
	switch {
	case e.begins():
		words = append(words, "...")
	case e.ends() && e.rc() == 0:
		words = append(words, "ok")
	case e.ends():
		words = append(words, fmt.Sprint("-> ", e.rc()))
	}
	return strings.Join(words, " ")
}
