package status

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Text writes the list of nodes and the full list of resources as crm_simulate does, each line indented
// by indent more than two spaces.
func Text(w io.Writer, v *scheduler.View) error {
	t := &text{depth: 1, zone: time.UTC}
	t.nodes(v)
	t.out.WriteByte('\n')
	t.resources(v)
	_, err := io.WriteString(w, t.out.String())
	return err
}

// Notes writes what comes before any status: that the whole cluster is in maintenance, and how many
// instances are disabled or blocked. Nothing is written when there is nothing to say.
func Notes(w io.Writer, v *scheduler.View) error {
	var out strings.Builder
	switch {
	case v.Maintenance:
		out.WriteString("\n              *** Resource management is DISABLED ***\n" +
			"  The cluster will not attempt to start, stop or recover services\n\n")
	case v.StopAll:
	}
	if v.Disabled > 0 || v.Blocked > 0 {
		fmt.Fprintf(&out, "%d of %d resource instances DISABLED and %d BLOCKED from further action due to failure\n\n",
			v.Disabled, v.Total, v.Blocked)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// text collects lines of nested lists.
type text struct {
	out     strings.Builder
	depth   int
	noNodes bool           // primitives without their nodes
	active  bool           // only what is active
	detail  bool           // instances one by one
	brief   bool           // members of groups counted, not named
	zone    *time.Location // of times
}

// item writes one line of the current list.
func (t *text) item(s string) {
	for range t.depth {
		t.out.WriteString("  ")
	}
	t.out.WriteString("* ")
	t.out.WriteString(s)
	t.out.WriteByte('\n')
}

// within writes what f writes one level deeper.
func (t *text) within(f func()) {
	t.depth++
	f()
	t.depth--
}

// nameList writes "TITLE: [ a b ]"; nothing for an empty list.
func (t *text) nameList(title string, names []string) {
	if len(names) > 0 {
		t.item(title + ": [ " + strings.Join(names, " ") + " ]")
	}
}
