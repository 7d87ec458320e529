package pcs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/listing"
	"github.com/cerco-ha/cerco/internal/wire"
)

func failcountNoun(noun string) *verb {
	v := &verb{name: "failcount", args: "[show] [RESOURCE] [node=NODE] [operation=NAME [interval=TIME]]", options: []string{"full"}, run: failcount,
		what: "Show how often resources have failed on nodes. With --full each operation has a line. 'cleanup' forgets failures."}
	return &verb{name: noun, sub: []*verb{v}}
}

// failures are how often an operation of a resource has failed on a node.
type failures struct {
	resource, node, operation string
	interval                  int64 // ms
	count                     int   // cib.Infinity: it must not run there
}

// failcount shows what counts as failed.
func failcount(c *call) error {
	if len(c.words) > 0 && c.words[0] == "show" {
		c.words = c.words[1:]
	}
	f, err := c.forget()
	if err != nil {
		return err
	}
	_, every, _ := strings.Cut(strings.Join(c.words, " ")+" ", "interval=")
	every, _, _ = strings.Cut(every, " ")
	if every != "" && f.Operation == "" {
		return errors.New("if option 'interval' is specified, option 'operation' must be specified as well")
	}
	doc, _, err := c.view()
	if err != nil {
		return err
	}
	list := slices.DeleteFunc(failuresOf(doc, f.Node), func(x failures) bool {
		return f.Resource != "" && x.resource != f.Resource || f.Operation != "" && x.operation != f.Operation || every != "" && x.interval != f.IntervalMS
	})
	about := failcountTitle(f, every)
	if len(list) == 0 {
		fmt.Fprintf(c.Stdout, "No failcounts%s\n", about(f.Resource))
		return nil
	}
	var out listing.Lines
	for i := 0; i < len(list); {
		resource := list[i].resource
		out = append(out, "Failcounts"+about(resource))
		for i < len(list) && list[i].resource == resource {
			n := i
			for i < len(list) && list[i].resource == resource && list[i].node == list[n].node {
				i++
			}
			out = append(out, failcountLines(list[n:i], c.has("full"))...)
		}
	}
	_, err = out.WriteTo(c.Stdout)
	return err
}

// failcountTitle says what a list is about: the operation, the resource, the node.
func failcountTitle(f wire.Forget, every string) func(resource string) string {
	return func(resource string) string {
		text := ""
		if f.Operation != "" {
			text = " for operation '" + f.Operation + "'"
			if every != "" {
				text += " with interval '" + every + "'"
			}
		}
		if resource != "" {
			text += map[bool]string{true: " for", false: " of"}[text == ""] + " resource '" + resource + "'"
		}
		if f.Node != "" {
			text += " on node '" + f.Node + "'"
		}
		return text
	}
}

// failcountLines are the failures of a resource on a node: their sum, or a line each.
func failcountLines(list []failures, full bool) listing.Lines {
	sum := 0
	lines := listing.Lines{"  " + list[0].node + ":"}
	for _, x := range list {
		sum = cib.AddScores(sum, x.count)
		lines = append(lines, fmt.Sprintf("    %s %dms: %s", x.operation, x.interval, cib.FormatScore(x.count)))
	}
	if full {
		return lines
	}
	return listing.Lines{lines[0] + " " + cib.FormatScore(sum)}
}

// failuresOf lists what the status counts, on a node or on all, in order.
func failuresOf(doc *cib.CIB, node string) []failures {
	var list []failures
	for _, a := range wire.ListAttributes(doc, node, "") {
		name, ok := strings.CutPrefix(a.Name, "fail-count-")
		count, valid := cib.ParseScore(a.Value)
		if !ok || !valid {
			continue
		}
		x := failures{node: a.Node, count: count}
		var task string
		x.resource, task, _ = strings.Cut(name, "#")
		x.operation = task
		if at := strings.LastIndexByte(task, '_'); at >= 0 {
			if ms, err := strconv.ParseInt(task[at+1:], 10, 64); err == nil {
				x.operation, x.interval = task[:at], ms
			}
		}
		list = append(list, x)
	}
	slices.SortStableFunc(list, func(a, b failures) int {
		return cmp.Or(cmp.Compare(a.resource, b.resource), cmp.Compare(a.node, b.node), cmp.Compare(a.operation, b.operation), cmp.Compare(a.interval, b.interval))
	})
	return list
}
