package status

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Section is one part of crm_mon's output.
type Section uint32

// Sections, in the order in which they are shown.
const (
	Stack Section = 1 << iota
	DC
	Times
	Counts
	OptionsSection
	NodeList
	Resources
	NodeAttributes
	FailCountsSection
	Operations
	Tickets
	Failed
	FencingFailed
	FencingPending
	FencingDone
	Bans

	SummarySection = Stack | DC | Times | Counts
	Fencing        = FencingFailed | FencingPending | FencingDone
	// Standard is what is shown unless asked otherwise; sections with nothing in them are left out.
	Standard = Stack | DC | Times | Counts | NodeList | Resources | Failed | FencingFailed | FencingPending
	// Everything is what XML shows.
	Everything Section = 1<<iota - 1
)

// MonOptions say what crm_mon is to show, and how.
type MonOptions struct {
	Sections  Section
	ByNode    bool // resources under the nodes that they are on
	Inactive  bool // what is not active, too
	Timing    bool // operations with their times
	Detail    bool // ids of nodes, instances of clones one by one, failures in full
	Brief     bool // resources counted, not named
	BanPrefix string
	AllFences bool // each fencing, not only the newest of a kind
	Now       time.Time
	Fencing   []cib.FenceRecord                  // oldest first
	Node      string                             // only what concerns this node
	Resource  string                             // only what concerns this resource
	Only      func(*scheduler.ResourceView) bool // only resources that pass, or of which a part does; nil: all
}

// mon is crm_mon's output as it is put together.
type mon struct {
	*text
	in *cib.CIB
	v  *scheduler.View
	o  *MonOptions
}

// Mon writes what crm_mon shows.
func Mon(w io.Writer, in *cib.CIB, v *scheduler.View, o *MonOptions) error {
	m := &mon{text: &text{depth: 1, active: !o.Inactive, detail: o.Detail, brief: o.Brief, zone: o.Now.Location()}, in: in, v: v, o: o}
	if o.Sections&(SummarySection|OptionsSection) != 0 {
		m.summary()
	}
	if o.Sections&NodeList != 0 {
		m.section("Node List:", m.nodeList)
	}
	if o.Sections&Resources != 0 {
		m.resourceSection()
	}
	if o.Sections&NodeAttributes != 0 {
		m.section("Node Attributes:", m.nodeAttributes)
	}
	switch {
	case len(in.Status.Nodes) == 0:
	case o.Sections&Operations != 0:
		m.heading("Operations:")
		m.operations(true)
	case o.Sections&FailCountsSection != 0:
		m.heading("Migration Summary:")
		m.operations(false)
	}
	if o.Sections&Tickets != 0 {
		m.section("Tickets:", m.tickets)
	}
	if o.Sections&Failed != 0 {
		m.section("Failed Resource Actions:", m.failures)
	}
	m.fencing()
	if o.Sections&Bans != 0 {
		m.section("Negative Location Constraints:", m.bans)
	}
	_, err := io.WriteString(w, m.out.String())
	return err
}

// section writes a heading and what follows it, after a blank line; nothing if nothing follows.
func (m *mon) section(heading string, f func()) {
	before := m.out.String()
	m.heading(heading)
	size := m.out.Len()
	f()
	if m.out.Len() == size {
		m.out.Reset()
		m.out.WriteString(before)
	}
}

// heading writes a heading, after a blank line.
func (m *mon) heading(text string) {
	if m.out.Len() > 0 {
		m.out.WriteByte('\n')
	}
	m.out.WriteString(text + "\n")
}

// summary is the head: who decides, since when things are as they are, how much there is.
func (m *mon) summary() {
	m.out.WriteString("Cluster Summary:\n")
	s := m.o.Sections
	if s&Stack != 0 {
		m.item("Stack: " + cmp.Or(option(m.in, "cluster-infrastructure"), "unknown"))
	}
	if s&DC != 0 {
		m.item("Current DC: " + m.dc())
	}
	if s&Times != 0 {
		m.item("Last updated: " + m.o.Now.Format("Mon Jan _2 15:04:05 2006"))
		m.item("Last change:  " + m.lastChange())
	}
	if s&Counts != 0 {
		nodes, _ := m.counts()
		m.item(plural(nodes, "node") + " configured")
		m.item(m.instances())
	}
	if s&OptionsSection != 0 {
		m.options()
	}
	switch {
	case m.v.Maintenance:
		m.out.WriteString("\n              *** Resource management is DISABLED ***\n" +
			"  The cluster will not attempt to start, stop or recover services\n")
	case m.v.StopAll && s&OptionsSection == 0:
		m.out.WriteString("\n    *** Resource management: STOPPED ***\n" +
			"  The cluster will keep all resources stopped\n")
	}
}

// option is a cluster option as it is set, empty if it is not.
func option(in *cib.CIB, name string) string {
	for _, set := range in.Properties {
		for _, p := range set.Pairs {
			if p.Name == name {
				return p.Value
			}
		}
	}
	return ""
}

func (m *mon) dc() string {
	if m.v.DC == "" {
		return "NONE"
	}
	name := m.v.DC
	for _, n := range m.v.Nodes {
		if n.Name == name && m.o.Detail && n.ID != name {
			name += " (" + n.ID + ")"
			break
		}
	}
	quorum := "partition with quorum"
	if !m.v.Quorate {
		quorum = "partition WITHOUT quorum"
	}
	return fmt.Sprintf("%s (version %s) - %s", name, cmp.Or(option(m.in, "dc-version"), "unknown"), quorum)
}

func (m *mon) lastChange() string {
	root := m.in.Root
	s := root.Attr("cib-last-written")
	for _, part := range [...][2]string{{"by", "update-user"}, {"via", "update-client"}, {"on", "update-origin"}} {
		if v := root.Attr(part[1]); v != "" {
			s += " " + part[0] + " " + v
		}
	}
	return s
}

// counts are the numbers of configured nodes and of resource instances.
func (m *mon) counts() (nodes, resources int) {
	return len(m.in.Nodes) + m.implied(), m.v.Total
}

// implied counts the nodes that the configuration does not list: guests and remote nodes.
func (m *mon) implied() int {
	n := 0
	for _, v := range m.v.Nodes {
		if m.in.NodeByName(v.Name) == nil && (v.Kind == "remote" || v.Kind == "guest") {
			n++
		}
	}
	return n
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func (m *mon) instances() string {
	s := plural(m.v.Total, "resource instance") + " configured"
	var notes []string
	if m.v.Disabled > 0 {
		notes = append(notes, fmt.Sprintf("%d DISABLED", m.v.Disabled))
	}
	if m.v.Blocked > 0 {
		notes = append(notes, fmt.Sprintf("%d BLOCKED from further action due to failure", m.v.Blocked))
	}
	if len(notes) > 0 {
		s += " (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// options are the cluster's options that matter most.
func (m *mon) options() {
	yes := func(name string, standard bool) bool {
		if v, ok := cib.ParseBool(option(m.in, name)); ok {
			return v
		}
		return standard
	}
	if yes("stonith-enabled", true) {
		m.item("STONITH of failed nodes enabled")
	} else {
		m.item("STONITH of failed nodes disabled")
	}
	if yes("symmetric-cluster", true) {
		m.item("Cluster is symmetric")
	} else {
		m.item("Cluster is asymmetric")
	}
	switch option(m.in, "no-quorum-policy") {
	case "freeze":
		m.item("No quorum policy: Freeze resources")
	case "ignore":
		m.item("No quorum policy: Ignore")
	case "demote":
		m.item("No quorum policy: Demote promotable resources and stop all other resources")
	case "suicide":
		m.item("No quorum policy: Suicide")
	default:
		m.item("No quorum policy: Stop ALL resources")
	}
	switch {
	case m.v.Maintenance:
		m.item("Resource management: DISABLED (the cluster will not attempt to start, stop, or recover services)")
	case m.v.StopAll:
		m.item("Resource management: STOPPED (the cluster will keep all resources stopped)")
	}
}
