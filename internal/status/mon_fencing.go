package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// FenceAction is a fence action in words.
func FenceAction(action string) string {
	switch action {
	case "on":
		return "unfencing"
	case "off":
		return "turning off"
	}
	return action
}

// Delegate is who carried a fencing out.
func Delegate(r *cib.FenceRecord) string {
	switch r.Evidence {
	case cib.ByOperator:
		return "a human"
	case cib.ByWatchdog:
		return "the watchdog"
	case cib.ByItself:
		return r.Target
	}
	return r.Node
}

// FenceClient is who asked for a fencing, and where: "controller@n1".
func FenceClient(r *cib.FenceRecord) (client, origin string) {
	return cmp.Or(r.By, "cluster"), cmp.Or(r.Node, "cluster")
}

// FenceTime is a time of the history of fencing.
func FenceTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// fences are the records of a state, newest first; only the newest of each kind unless all are wanted.
func (m *mon) fences(state string) []cib.FenceRecord {
	var list []cib.FenceRecord
	type kind struct{ target, action, by, node string }
	seen := map[kind]bool{}
	for _, r := range slices.Backward(m.o.Fencing) {
		k := kind{r.Target, r.Action, r.By, r.Node}
		if r.State != state || seen[k] && !m.o.AllFences || m.o.Node != "" && r.Target != m.o.Node {
			continue
		}
		seen[k] = true
		list = append(list, r)
	}
	return list
}

func (m *mon) fencing() {
	show := func(s Section, heading, state string, words func(r *cib.FenceRecord) string) {
		if m.o.Sections&s == 0 {
			return
		}
		m.section(heading, func() {
			for _, r := range m.fences(state) {
				client, origin := FenceClient(&r)
				text := FenceAction(r.Action) + " of " + r.Target
				if state == cib.FenceDone && Delegate(&r) != "" {
					text += " by " + Delegate(&r)
				}
				if state == cib.FencePending {
					text += " pending: client=" + client + ", origin=" + origin
				} else {
					text += " for " + client + "@" + origin
				}
				m.item(text + words(&r))
			}
		})
	}
	last := "last "
	if m.o.Sections&FencingDone != 0 {
		last = ""
	}
	show(FencingFailed, "Failed Fencing Actions:", cib.FenceFailed, func(r *cib.FenceRecord) string {
		s := " " + last + "failed at " + FenceTime(r.Completed)
		if r.Error != "" {
			s += " (" + r.Error + ")"
		}
		return s
	})
	show(FencingDone, "Fencing History:", cib.FenceDone, func(r *cib.FenceRecord) string {
		return " successful at " + FenceTime(r.Completed)
	})
	show(FencingPending, "Pending Fencing Actions:", cib.FencePending, func(*cib.FenceRecord) string { return "" })
}
