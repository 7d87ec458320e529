package status

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// clone writes a clone. Instances of an anonymous clone that are as they should be are summed up by
// role; the others, and named instances, are written one by one.
func (t *text) clone(r *scheduler.ResourceView) {
	t.item("Clone Set: " + r.ID + " [" + r.ChildID + "]" + flagList(collectiveFlags(r)) + ":")
	t.within(func() {
		var promoted, started []*scheduler.NodeView
		for _, inst := range r.Children {
			up := isActive(inst, false)
			node, role := summed(r, inst, up)
			if t.detail && node != nil {
				node = nil
			}
			switch {
			case t.detail && !t.active:
				t.resource(inst)
			case node == nil && (up || inst.Pending != "" || r.Unique && !inst.Orphaned):
				t.resource(inst)
			case node == nil:
			case role == "Promoted":
				promoted = append(promoted, node)
			default:
				started = append(started, node)
			}
		}
		t.nameList("Promoted", names(promoted))
		t.nameList(startedTitle(r), names(started))
		if !r.Unique && !t.active && !t.detail && r.CloneMax > len(promoted)+len(started) {
			t.stopped(r)
		}
	})
}

// summed tells where and in which role an instance counts in the sums; nil if it is to be written out:
// named, stopped, orphaned, unmanaged, failed, only partly active, or on a node to be fenced.
func summed(c, inst *scheduler.ResourceView, up bool) (*scheduler.NodeView, string) {
	if c.Unique || !up || some(inst, orphaned) || some(inst, failed) || some(inst, unmanaged) || inst.Pending != "" || !isActive(inst, true) {
		return nil, ""
	}
	node := onlyNode(inst)
	if node == nil || !node.Online && node.Unclean {
		return nil, ""
	}
	return node, topRole(inst)
}

func orphaned(r *scheduler.ResourceView) bool  { return r.Orphaned }
func failed(r *scheduler.ResourceView) bool    { return r.Failed }
func unmanaged(r *scheduler.ResourceView) bool { return !r.Managed }

// some reports whether f holds for r or something in it.
func some(r *scheduler.ResourceView, f func(*scheduler.ResourceView) bool) bool {
	if f(r) {
		return true
	}
	for _, c := range r.Children {
		if some(c, f) {
			return true
		}
	}
	return false
}

// isActive reports whether something (all: everything) in r is active. A managed resource on a node
// that is down but need not be fenced is not.
func isActive(r *scheduler.ResourceView, all bool) bool {
	if r.Kind == "primitive" {
		for _, n := range r.On {
			if n.Unclean || n.Online || !r.Managed {
				return true
			}
		}
		return false
	}
	part, every := false, true
	children := r.Children
	for _, rep := range r.Replicas {
		for _, c := range []*scheduler.ResourceView{rep.IP, rep.Child, rep.Container, rep.Remote} {
			if c != nil {
				children = append(children[:len(children):len(children)], c)
			}
		}
	}
	for _, c := range children {
		if isActive(c, all) {
			part = true
		} else {
			every = false
		}
	}
	return part && (every || !all)
}

// onlyNode is the node that all of r is active on, nil if there are several or none.
func onlyNode(r *scheduler.ResourceView) *scheduler.NodeView {
	var only *scheduler.NodeView
	clash := false
	var visit func(r *scheduler.ResourceView)
	visit = func(r *scheduler.ResourceView) {
		if r.Kind == "primitive" {
			for _, n := range r.On {
				clash = clash || only != nil && only != n
				only = n
			}
		}
		for _, c := range r.Children {
			visit(c)
		}
	}
	visit(r)
	if clash {
		return nil
	}
	return only
}

// topRole is the highest role in r.
func topRole(r *scheduler.ResourceView) string {
	if r.Kind == "primitive" {
		return shownRole(r)
	}
	best := "Stopped"
	for _, c := range r.Children {
		if role := topRole(c); rank(role) > rank(best) {
			best = role
		}
	}
	return best
}

func rank(role string) int {
	return slices.Index([]string{"Stopped", "Started", "Unpromoted", "Promoted"}, role)
}

func startedTitle(r *scheduler.ResourceView) string {
	if !r.Promotable {
		return "Started"
	}
	if strings.EqualFold(r.Target, "unpromoted") || strings.EqualFold(r.Target, "slave") {
		return "Unpromoted (target-role)"
	}
	return "Unpromoted"
}

// names are the nodes' names in the order in which nodes are listed.
func names(nodes []*scheduler.NodeView) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = n.Name
	}
	slices.SortStableFunc(list, scheduler.CompareNames)
	return list
}

// stopped sums up the nodes that could host an instance and do not, by why.
func (t *text) stopped(r *scheduler.ResourceView) {
	plain := "Stopped"
	if strings.EqualFold(r.Target, "stopped") {
		plain = "Stopped (disabled)"
	}
	byState := map[string][]string{}
	for _, n := range r.Candidates {
		if slices.Contains(r.On, n) {
			continue
		}
		state := plain
		if rc, failed := probeFailure(r, n); failed {
			state = "Stopped (" + ExitText(rc) + ")"
		}
		byState[state] = append(byState[state], n.Name)
	}
	states := make([]string, 0, len(byState))
	for s := range byState { //house:unordered sorted below
		states = append(states, s)
	}
	slices.Sort(states)
	for _, s := range states {
		t.nameList(s, byState[s])
	}
}
