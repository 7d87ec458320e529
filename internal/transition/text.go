package transition

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteText writes the graph for people: a line an action, in an order in which it can be carried out,
// with its number, what it waits for and why it is done. Pseudo events are left out: what waits for one is said to
// wait for what comes before it.
func (g *Graph) WriteText(w io.Writer) error {
	out := bufio.NewWriter(w)
	number := make(map[int]int, len(g.Actions))
	before := make(map[int][]int, len(g.Actions)) // id -> numbers of the real actions it waits for
	r := NewRunner(g)
	for a := r.Next(); a != nil; a = r.Next() {
		r.Finish(a.ID, true)
		var after []int
		for _, in := range a.Inputs {
			if n, ok := number[in.ID]; ok {
				after = append(after, n)
			} else {
				after = append(after, before[in.ID]...)
			}
		}
		after = sortedUnique(after)
		if a.Kind == Pseudo {
			before[a.ID] = after
			continue
		}
		number[a.ID] = len(number) + 1
		fmt.Fprintf(out, "%4d  %s", number[a.ID], a.Words())
		if len(after) > 0 {
			out.WriteString(", after " + ranges(after))
		}
		if a.Reason != "" {
			out.WriteString(": " + a.Reason)
		}
		out.WriteString("\n")
	}
	return out.Flush()
}

// Words says what an action does: "start web on blue".
func (a *Action) Words() string {
	switch {
	case a.Task == "stonith":
		return fmt.Sprintf("fence %s (%s)", a.Node, a.Attr("CRM_meta_stonith_action"))
	case a.Task == "do_shutdown":
		return "shut down " + a.Node
	case a.Rsc == nil:
		return strings.TrimSpace(a.Task + " " + a.Node)
	}
	task := a.Task
	interval := a.Interval()
	switch {
	case task == "monitor" && interval == 0:
		task = "probe"
	case interval > 0:
		task += " every " + duration(interval) + " of"
	}
	name := a.Rsc.LongID
	if name == "" {
		name = a.Rsc.ID
	}
	return task + " " + name + " on " + a.Node
}

// Interval is the interval of a recurring operation in milliseconds, from the end of its key.
func (a *Action) Interval() int64 {
	i := strings.LastIndexByte(a.Key, '_')
	if i < 0 {
		return 0
	}
	n, err := strconv.ParseInt(a.Key[i+1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func duration(ms int64) string {
	if ms%1000 == 0 {
		return strconv.FormatInt(ms/1000, 10) + "s"
	}
	return strconv.FormatInt(ms, 10) + "ms"
}

func sortedUnique(s []int) []int {
	slices.Sort(s)
	return slices.Compact(s)
}

// ranges writes ascending numbers shortly: "1-3, 7".
func ranges(s []int) string {
	var parts []string
	for i := 0; i < len(s); {
		j := i
		for j+1 < len(s) && s[j+1] == s[j]+1 {
			j++
		}
		part := strconv.Itoa(s[i])
		if j > i {
			part += "-" + strconv.Itoa(s[j])
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
