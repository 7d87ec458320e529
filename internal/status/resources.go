package status

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// resources writes the full list of resources.
func (t *text) resources(v *scheduler.View) {
	t.item("Full List of Resources:")
	t.within(func() {
		none := true
		for _, r := range v.Resources {
			if Listed(r) {
				t.resource(r)
				none = false
			}
		}
		if none {
			t.item("No resources")
		}
	})
}

// Listed reports whether a top level resource is of interest: connections that guests bring along are
// not, nor are orphans that are not active.
func Listed(r *scheduler.ResourceView) bool {
	return !r.Internal && (!r.Orphaned || isActive(r, false))
}

func (t *text) resource(r *scheduler.ResourceView) {
	switch r.Kind {
	case "primitive":
		t.item(line(r, r.Name, t.where(r), !t.noNodes))
	case "group":
		t.item("Resource Group: " + r.ID + flagList(append(t.inactive(r), collectiveFlags(r)...)) + ":")
		t.within(func() {
			if t.brief {
				t.briefLines(r.Children, false, true)
				return
			}
			for _, c := range r.Children {
				if !t.active || isActive(c, false) {
					t.resource(c)
				}
			}
		})
	case "clone":
		t.clone(r)
	case "bundle":
		t.bundle(r)
	}
}

// inactive remarks on the members of a group that a list of what is active leaves out.
func (t *text) inactive(r *scheduler.ResourceView) []string {
	n := 0
	for _, c := range r.Children {
		if t.active && !isActive(c, false) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []string{plural(n, "member") + " inactive"}
}

// collectiveFlags are the remarks on a group or clone as a whole.
func collectiveFlags(r *scheduler.ResourceView) []string {
	var flags []string
	if r.Kind == "clone" && r.Promotable {
		flags = append(flags, "promotable")
	}
	if r.Kind == "clone" && r.Unique {
		flags = append(flags, "unique")
	}
	if !r.Managed {
		flags = append(flags, "unmanaged")
	}
	if r.Disabled {
		flags = append(flags, "disabled")
	}
	return flags
}

func flagList(flags []string) string {
	if len(flags) == 0 {
		return ""
	}
	return " (" + strings.Join(flags, ", ") + ")"
}

// agent is "class:provider:type" as far as there is a provider.
func agent(r *scheduler.ResourceView) string {
	if r.Provider == "" {
		return r.Class + ":" + r.Type
	}
	return r.Class + ":" + r.Provider + ":" + r.Type
}

// where is the node that a primitive is shown on.
func (t *text) where(r *scheduler.ResourceView) *scheduler.NodeView {
	if t.noNodes {
		return nil
	}
	return r.Where
}

// line is the line of one primitive under a name, seen on a node (nil: nowhere). With several nodes
// these are listed at the end instead, if nodes are wanted at all.
func line(r *scheduler.ResourceView, name string, on *scheduler.NodeView, nodes bool) string {
	var b strings.Builder
	b.WriteString(name + "\t(" + agent(r) + "):\t")
	if r.Orphaned {
		b.WriteString(" ORPHANED")
	}
	role := shownRole(r)
	switch {
	case r.Failed && role == "Promoted":
		b.WriteString(" FAILED Promoted")
	case r.Failed:
		b.WriteString(" FAILED")
	default:
		b.WriteString(" " + State(r))
	}
	several := nodes && len(r.On) > 1
	if several {
		on = nil
	}
	if on != nil {
		b.WriteString(" " + on.Name)
	}
	if role == "Stopped" {
		if rc, failed := probeFailure(r, on); failed {
			b.WriteString(" (" + ExitText(rc) + ") ")
		}
	}
	b.WriteString(flagList(lineFlags(r, on)))
	if several {
		b.WriteString(" [")
		for _, n := range r.On {
			b.WriteString(" " + n.Name)
		}
		b.WriteString(" ]")
	}
	return b.String()
}

// lineFlags are the remarks on one primitive.
func lineFlags(r *scheduler.ResourceView, on *scheduler.NodeView) []string {
	var flags []string
	if on != nil && !on.Online && on.Unclean {
		flags = append(flags, "UNCLEAN")
	}
	if on != nil && on == r.Locked {
		flags = append(flags, "LOCKED")
	}
	if r.Pending == "monitor" {
		flags = append(flags, "Monitoring")
	}
	if r.Disabled {
		if strings.EqualFold(r.Target, "stopped") {
			flags = append(flags, "disabled")
		} else {
			flags = append(flags, "target-role:"+r.Target)
		}
	}
	switch {
	case r.Blocked:
		flags = append(flags, "blocked")
	case !r.Managed:
		flags = append(flags, "unmanaged")
	}
	if r.FailureIgnored {
		flags = append(flags, "failure ignored")
	}
	return flags
}

// shownRole is a resource's role; what can be promoted and is not is unpromoted.
func shownRole(r *scheduler.ResourceView) string {
	if r.Role == "Started" && r.InPromotable {
		return "Unpromoted"
	}
	return r.Role
}

// State is a resource's role, or what is being done to it.
func State(r *scheduler.ResourceView) string {
	switch r.Pending {
	case "start":
		return "Starting"
	case "stop":
		return "Stopping"
	case "migrate_to", "migrate_from":
		return "Migrating"
	case "promote":
		return "Promoting"
	case "demote":
		return "Demoting"
	}
	return shownRole(r)
}

// probeFailure is the exit code of a probe that failed on a node, or on any for nil.
func probeFailure(r *scheduler.ResourceView, on *scheduler.NodeView) (rc int, failed bool) {
	for _, f := range r.ProbeFailed {
		if on == nil || f.Node == on.Name {
			return f.RC, true
		}
	}
	return 0, false
}

// ExitText is an agent's exit code in words.
func ExitText(rc int) string {
	switch rc {
	case 0:
		return "ok"
	case 1:
		return "error"
	case 2:
		return "invalid parameter"
	case 3:
		return "unimplemented feature"
	case 4:
		return "insufficient privileges"
	case 5:
		return "not installed"
	case 6:
		return "not configured"
	case 7:
		return "not running"
	case 8:
		return "promoted"
	case 9:
		return "promoted (failed)"
	}
	return "OCF_TIMEOUT"
}
