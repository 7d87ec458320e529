package status

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Attributes writes the attributes of the nodes that are online, those apart that the cluster keeps for
// itself; nothing if there are none.
func Attributes(w io.Writer, v *scheduler.View) error {
	t := &text{depth: 1}
	t.within(func() {
		for _, n := range v.Nodes {
			names := shownAttributes(n)
			if len(names) == 0 {
				continue
			}
			t.item("Node: " + n.Name + ":")
			t.within(func() {
				for _, name := range names {
					t.item(fmt.Sprintf("%-32s\t: %-10s", name, n.Attrs[name]))
				}
			})
		}
	})
	return writeList(w, "Node Attributes", t.out.String(), false)
}

// writeList writes a list with its heading, after a blank line. An empty one is written only with always.
func writeList(w io.Writer, heading, list string, always bool) error {
	if list == "" && !always {
		return nil
	}
	_, err := io.WriteString(w, "\n  * "+heading+":\n"+list)
	return err
}

func shownAttributes(n *scheduler.NodeView) []string {
	if !n.Online {
		return nil
	}
	var names []string
	for name := range n.Attrs { // sorted below
		if !internalAttribute(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func internalAttribute(name string) bool {
	for _, prefix := range []string{"#", "fail-count-", "last-failure-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == "shutdown" || name == "terminate" || name == "standby"
}

// failCount is what a node remembers of a resource's failures.
type failCount struct {
	node, resource string
	orphan         bool
	anyInstance    bool // what is counted for any instance of the same name counts
	threshold      int
	count          int
	last           int64 // seconds since the epoch, 0: not known
}

// FailCounts writes the fail counts of the resources that have one, node by node.
func FailCounts(w io.Writer, v *scheduler.View, in *cib.CIB) error {
	t := &text{depth: 2}
	node, up := "", false
	for _, n := range v.Nodes {
		up = up || n.Online
	}
	for _, f := range failCounts(v, in) {
		if f.node != node {
			node = f.node
			t.item("Node: " + node + ":")
		}
		t.within(func() { t.item(f.resource + ": " + f.words()) })
	}
	return writeList(w, "Migration Summary", t.out.String(), up)
}

func (f *failCount) words() string { return f.wordsIn(time.UTC) }

func (f *failCount) wordsIn(zone *time.Location) string {
	s := fmt.Sprintf("migration-threshold=%d fail-count=%d", f.threshold, f.count)
	if f.last != 0 {
		s += " last-failure='" + timeWords(f.last, zone) + "'"
	}
	return s
}

// failCounts goes through the histories in their order.
func failCounts(v *scheduler.View, in *cib.CIB) []failCount {
	nodes := map[string]*scheduler.NodeView{}
	for _, n := range v.Nodes {
		nodes[n.Name] = n
	}
	primitives := map[string]*scheduler.ResourceView{}
	collectPrimitives(v.Resources, primitives)
	var out []failCount
	for _, state := range in.Status.Nodes {
		n := nodes[state.Name]
		if n == nil || !n.Online {
			continue
		}
		for _, h := range state.Lrm {
			f := failCount{node: n.Name, resource: h.ID}
			r := primitives[h.ID]
			if r == nil {
				r = primitives[plainName(h.ID)]
			}
			if f.orphan = r == nil; !f.orphan {
				f.threshold, f.anyInstance = r.MigrationThreshold, !r.Unique
			}
			f.add(n.Attrs)
			if f.count > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}

// add sums up what a node's attributes say of the resource: a count for all operations, or one for each.
func (f *failCount) add(attrs map[string]string) {
	for name, value := range attrs { // sums and maxima: order does not matter
		count, isCount := strings.CutPrefix(name, "fail-count-")
		last, isLast := strings.CutPrefix(name, "last-failure-")
		switch {
		case isCount && f.concerns(count):
			if n, ok := cib.ParseScore(value); ok {
				f.count = cib.AddScores(f.count, n)
			}
		case isLast && f.concerns(last):
			if at, err := strconv.ParseInt(value, 10, 64); err == nil {
				f.last = max(f.last, at)
			}
		}
	}
}

// concerns reports whether RESOURCE#OPERATION is about the resource.
func (f *failCount) concerns(what string) bool {
	rsc, _, _ := strings.Cut(what, "#")
	return rsc == f.resource || f.anyInstance && plainName(rsc) == plainName(f.resource)
}

// plainName takes the instance number off a name.
func plainName(id string) string {
	i := strings.LastIndexByte(id, ':')
	if i < 0 {
		return id
	}
	if _, err := strconv.Atoi(id[i+1:]); err != nil {
		return id
	}
	return id[:i]
}

func collectPrimitives(rs []*scheduler.ResourceView, m map[string]*scheduler.ResourceView) {
	for _, r := range rs {
		if r == nil {
			continue
		}
		if r.Kind == "primitive" {
			m[r.ID], m[r.Name] = r, r
		}
		collectPrimitives(r.Children, m)
		for _, rep := range r.Replicas {
			collectPrimitives([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child}, m)
		}
	}
}
