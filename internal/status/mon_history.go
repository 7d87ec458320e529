package status

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// operations lists what resources have done, node by node; without all only those that have failed.
func (m *mon) operations(all bool) {
	counts := map[[2]string]failCount{}
	for _, f := range failCounts(m.v, m.in) {
		counts[[2]string{f.node, f.resource}] = f
	}
	views := map[string]*scheduler.ResourceView{}
	collectPrimitives(m.v.Resources, views)
	for _, state := range m.in.Status.Nodes {
		n := m.node(state.Name)
		if n == nil || !n.Online {
			continue
		}
		first := true
		for _, h := range state.Lrm {
			f, counted := counts[[2]string{state.Name, h.ID}]
			ops := shownOps(h)
			if !all && !counted || all && len(ops) == 0 {
				continue
			}
			if first {
				m.item("Node: " + m.nodeName(n) + ":")
				first = false
			}
			m.within(func() { m.history(h, views, &f, counted, ops, all) })
		}
	}
}

// history writes what is known of a resource on a node.
func (m *mon) history(h *cib.LrmResource, views map[string]*scheduler.ResourceView, f *failCount, counted bool, ops []cib.LrmOp, all bool) {
	r := views[h.ID]
	if r == nil {
		r = views[plainName(h.ID)]
	}
	if r == nil {
		m.item(h.ID + ": orphan" + map[bool]string{true: ":"}[all])
	} else {
		s := r.Name + ": migration-threshold=" + strconv.Itoa(r.MigrationThreshold)
		if counted {
			s = r.Name + ": " + f.wordsIn(m.zone)
		}
		if all {
			s += ":"
		}
		m.item(s)
	}
	if !all {
		return
	}
	m.within(func() {
		for i := range ops {
			m.item(m.opWords(&ops[i]))
		}
	})
}

// shownOps are the operations of a history that are shown, in the order of the calls.
func shownOps(h *cib.LrmResource) []cib.LrmOp {
	var ops []cib.LrmOp
	for _, op := range h.Ops {
		if op.Status == cib.OpPending || op.Operation == "notify" || op.RC == 7 && op.Operation == "monitor" && op.IntervalMS == 0 {
			continue
		}
		ops = append(ops, op)
	}
	slices.SortStableFunc(ops, func(a, b cib.LrmOp) int { return cmp.Compare(a.CallID, b.CallID) })
	return ops
}

// task is an operation's name; a monitor that is done once is a probe.
func task(op *cib.LrmOp) string {
	if op.Operation == "monitor" && op.IntervalMS == 0 {
		return "probe"
	}
	return op.Operation
}

func (m *mon) opWords(op *cib.LrmOp) string {
	s := fmt.Sprintf("(%d) %s", op.CallID, task(op))
	var notes []string
	if op.IntervalMS != 0 {
		notes = append(notes, fmt.Sprintf("interval=\"%dms\"", op.IntervalMS))
	}
	if m.o.Timing {
		if op.LastRCChange > 0 {
			notes = append(notes, fmt.Sprintf("last-rc-change=%q", m.time(op.LastRCChange)))
		}
		for _, name := range [...]string{"exec-time", "queue-time"} {
			if v := op.El.Attr(name); v != "" {
				notes = append(notes, fmt.Sprintf("%s=\"%sms\"", name, v))
			}
		}
		notes = append(notes, fmt.Sprintf("rc=%d (%s)", op.RC, codeText(op.RC)))
	}
	if len(notes) > 0 {
		s += ": " + strings.Join(notes, " ")
	}
	return s
}

func (t *text) time(epoch int64) string {
	return time.Unix(epoch, 0).In(t.zone).Format("Mon Jan _2 15:04:05 2006")
}

func (m *mon) node(name string) *scheduler.NodeView {
	for _, n := range m.wantedNodes() {
		if n.Name == name {
			return n
		}
	}
	return nil
}

func (m *mon) failures() {
	for i := range m.v.Failures {
		f := &m.v.Failures[i]
		if f.Task == "monitor" && f.IntervalMS == 0 && f.RC == 5 {
			continue // a probe that found that it is not installed: that is why the resource is elsewhere
		}
		if m.o.Resource != "" && plainName(f.Resource) != m.o.Resource || m.o.Node != "" && f.Node != m.o.Node {
			continue
		}
		if m.o.Detail {
			m.item(failureWords(f, m.zone))
		} else {
			m.item(friendlyFailure(f, m.zone))
		}
	}
}

// friendlyFailure is a failed operation in few words.
func friendlyFailure(f *scheduler.FailureView, zone *time.Location) string {
	s := f.Resource
	if key := f.Key; key != "" { // the name that the history has
		if i := strings.LastIndex(key, "_"+f.Task+"_"); i > 0 {
			s = key[:i]
		}
	}
	if f.IntervalMS != 0 {
		s += " " + interval(f.IntervalMS) + "-interval"
	}
	task := f.Task
	if task == "monitor" && f.IntervalMS == 0 {
		task = "probe"
	}
	s += " " + task + " on " + f.Node
	switch {
	case f.Status != 0 && f.ExitReason != "":
		s += " could not be executed (" + statusText(f.Status) + ": " + f.ExitReason + ")"
	case f.Status != 0:
		s += " could not be executed (" + statusText(f.Status) + ")"
	default:
		s += " returned '" + codeText(f.RC) + "'"
		if f.ExitReason != "" {
			s += " (" + f.ExitReason + ")"
		}
	}
	if f.LastRCChange != 0 {
		s += " at " + time.Unix(f.LastRCChange, 0).In(zone).Format("Mon Jan _2 15:04:05 2006")
	}
	if ms, err := strconv.ParseInt(f.Exec, 10, 64); err == nil && ms > 0 {
		s += " after " + interval(ms)
	}
	return s
}

// interval is a duration in the units that people use: "10s", "1m30s", "1.500s", "500ms". A unit is used for more than one of it.
func interval(ms int64) string {
	var b strings.Builder
	for _, u := range [...]struct {
		name string
		ms   int64
	}{{"d", 86400000}, {"h", 3600000}, {"m", 60000}} {
		if ms > u.ms {
			fmt.Fprintf(&b, "%d%s", ms/u.ms, u.name)
			ms %= u.ms
		}
	}
	switch {
	case ms > 1000 && ms%1000 != 0:
		fmt.Fprintf(&b, "%d.%03ds", ms/1000, ms%1000)
	case ms > 1000:
		fmt.Fprintf(&b, "%ds", ms/1000)
	case ms > 0:
		fmt.Fprintf(&b, "%dms", ms)
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// tickets are the tickets of the cluster and whether it holds them.
func (m *mon) tickets() {
	for _, t := range m.in.Status.Tickets {
		s := t.ID + "\t"
		if t.Granted {
			s += "granted"
		} else {
			s += "revoked"
		}
		if t.Standby {
			s += " [standby]"
		}
		if t.LastGranted > 0 {
			s += " last-granted=\"" + m.time(t.LastGranted) + "\""
		}
		m.item(s)
	}
}

// ban is a resource that may not run on a node.
type ban struct {
	location *cib.Location
	node     *scheduler.NodeView
	score    int
}

func (m *mon) banList() []ban {
	var list []ban
	for _, l := range slices.Backward(m.in.Locations) {
		score, ok := cib.ParseScore(l.Score)
		if !ok || score >= 0 || l.Node == "" || !strings.HasPrefix(l.ID, m.o.BanPrefix) {
			continue
		}
		for _, n := range m.v.Nodes {
			if n.Name == l.Node || n.ID == l.Node {
				list = append(list, ban{l, n, score})
			}
		}
	}
	return list
}

func (m *mon) bans() {
	for _, b := range m.banList() {
		what := "running"
		if strings.EqualFold(b.location.Role, "promoted") || strings.EqualFold(b.location.Role, "master") {
			what = "becoming promoted"
		}
		m.item(fmt.Sprintf("%s\tprevents %s from %s on %s", b.location.ID, b.location.Rsc, what, m.nodeName(b.node)))
	}
}
