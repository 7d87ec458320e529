package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// nodeList is the list of nodes, with what is on them if resources are shown by node.
func (m *mon) nodeList() {
	if !m.o.ByNode && !m.o.Detail {
		m.nodeItems(m.wantedNodes())
		return
	}
	for _, n := range m.wantedNodes() {
		head := m.nodeHead(n)
		if !m.o.ByNode {
			m.item(head)
			continue
		}
		on := m.activeOn(n)
		m.item(head + ":")
		m.within(func() {
			m.item("Resources:")
			m.within(func() {
				if m.o.Brief {
					m.briefLines(on, true, false)
					return
				}
				for _, r := range on {
					m.item(line(r, r.Name, nil, false))
				}
			})
		})
	}
}

func (m *mon) wantedNodes() []*scheduler.NodeView {
	var list []*scheduler.NodeView
	for _, n := range m.v.Nodes {
		if m.o.Node == "" || m.o.Node == n.Name || m.o.Node == n.ID {
			list = append(list, n)
		}
	}
	return list
}

func (m *mon) nodeName(n *scheduler.NodeView) string {
	switch {
	case m.o.Detail && n.Kind == "member" && n.ID != n.Name:
		return n.Name + " (" + n.ID + ")"
	case m.o.Detail && n.Kind == "guest":
		return n.Name + "@" + m.hostOf(n)
	}
	return n.Name
}

// hostOf is the node that a guest's container runs on, empty if it runs nowhere.
func (m *mon) hostOf(n *scheduler.NodeView) string {
	host := ""
	for _, r := range m.v.Resources {
		some(r, func(c *scheduler.ResourceView) bool {
			if c.ID == n.Container && len(c.On) > 0 {
				host = c.On[0].Name
			}
			return host != ""
		})
	}
	return host
}

// nodeHead is a node's line: kind, name, state.
func (m *mon) nodeHead(n *scheduler.NodeView) string {
	s := nodePrefix(n) + m.nodeName(n) + ": " + NodeState(n)
	if m.o.Detail && n.Kind == "member" && n.Online {
		feature := n.FeatureSet
		if feature == "" {
			feature = "<3.15.1"
		}
		s += ", feature set " + feature
	}
	return s
}

// activeOn are the primitives that are active on a node.
func (m *mon) activeOn(n *scheduler.NodeView) []*scheduler.ResourceView {
	var list []*scheduler.ResourceView
	var visit func(rs []*scheduler.ResourceView)
	visit = func(rs []*scheduler.ResourceView) {
		for _, r := range rs {
			if r == nil {
				continue
			}
			if r.Kind == "primitive" && !r.Internal && slices.Contains(r.On, n) && m.wanted(r) {
				list = append(list, r)
			}
			visit(r.Children)
			for _, rep := range r.Replicas {
				visit([]*scheduler.ResourceView{rep.IP, rep.Child, rep.Container})
			}
		}
	}
	visit(m.v.Resources)
	order := map[string]int{} // that of the node's history; what has none comes last
	if state := m.in.NodeState(n.ID); state != nil {
		for i, h := range state.Lrm {
			order[h.ID] = i - len(state.Lrm)
			order[plainName(h.ID)] = i - len(state.Lrm)
		}
	}
	at := func(r *scheduler.ResourceView) int {
		if i, ok := order[r.ID]; ok {
			return i
		}
		return order[r.Name]
	}
	slices.SortStableFunc(list, func(a, b *scheduler.ResourceView) int { return at(a) - at(b) })
	return list
}

// here is a resource as far as it concerns the node that is asked for: what is active elsewhere only does not.
func (m *mon) here(r *scheduler.ResourceView) *scheduler.ResourceView {
	if m.o.Node == "" || !isActive(r, false) {
		return m.onlyCandidates(r)
	}
	there := func(c *scheduler.ResourceView) bool {
		return slices.ContainsFunc(c.On, func(n *scheduler.NodeView) bool { return n.Name == m.o.Node || n.ID == m.o.Node })
	}
	if !some(r, there) {
		return nil
	}
	only := *m.onlyCandidates(r)
	if r.Kind == "clone" {
		only.Children = slices.DeleteFunc(slices.Clone(r.Children), func(c *scheduler.ResourceView) bool { return isActive(c, false) && !some(c, there) })
	}
	return &only
}

// onlyCandidates has a clone's instances be on the node that is asked for, or on none.
func (m *mon) onlyCandidates(r *scheduler.ResourceView) *scheduler.ResourceView {
	if m.o.Node == "" || r.Kind != "clone" {
		return r
	}
	only := *r
	only.Candidates = slices.DeleteFunc(slices.Clone(r.Candidates), func(n *scheduler.NodeView) bool { return n.Name != m.o.Node && n.ID != m.o.Node })
	return &only
}

// wanted reports whether a resource is to be shown.
func (m *mon) wanted(r *scheduler.ResourceView) bool {
	if m.o.Only != nil && !some(r, m.o.Only) {
		return false
	}
	return m.o.Resource == "" || some(r, func(c *scheduler.ResourceView) bool { return c.ID == m.o.Resource || c.Name == m.o.Resource })
}

// resourceSection is the list of resources; by node only those that are on none.
func (m *mon) resourceSection() {
	heading, none := "Active Resources:", "No active resources"
	switch {
	case m.o.ByNode && !m.o.Inactive:
		return
	case m.o.ByNode:
		heading, none = "Inactive Resources:", "No inactive resources"
	case m.o.Inactive:
		heading, none = "Full List of Resources:", "No resources"
	}
	m.section(heading, func() {
		size := m.out.Len()
		if m.o.Brief && !m.o.ByNode {
			m.briefPrimitives()
		}
		for _, r := range m.v.Resources {
			if r = m.here(r); r != nil && m.listed(r) {
				m.resource(r)
			}
		}
		if m.out.Len() == size {
			m.item(none)
		}
	})
}

// listed reports whether a top level resource is in the list.
func (m *mon) listed(r *scheduler.ResourceView) bool {
	active := isActive(r, true)
	partly := isActive(r, false)
	switch {
	case r.Internal && !m.o.Detail || r.Orphaned && !partly || !m.wanted(r):
		return false
	case r.Kind == "primitive" && m.o.Brief && !m.o.ByNode:
		return false
	case m.o.ByNode:
		return !active && (r.Kind != "primitive" || !partly)
	}
	return m.o.Inactive || partly
}

// briefPrimitives counts the primitives at top level by agent and node.
func (m *mon) briefPrimitives() {
	var list []*scheduler.ResourceView
	for _, r := range m.v.Resources {
		if r.Kind == "primitive" && !r.Internal && (!r.Orphaned || isActive(r, false)) {
			list = append(list, r)
		}
	}
	m.briefLines(list, false, false)
}

// briefLines writes how many primitives of each agent are active, and where.
func (t *text) briefLines(list []*scheduler.ResourceView, noNode, group bool) {
	total := map[string]int{}
	active := map[string]map[string]int{}
	agents := []string{}
	for _, r := range list {
		a := agent(r)
		if active[a] == nil {
			active[a] = map[string]int{}
			agents = append(agents, a)
		}
		total[a]++
		for _, n := range r.On {
			if n.Online || n.Unclean {
				active[a][n.Name]++
			}
		}
	}
	slices.Sort(agents)
	for _, a := range agents {
		t.briefAgent(a, active[a], total[a], noNode, !t.active || group)
	}
}

func (t *text) briefAgent(agent string, active map[string]int, total int, noNode, ofAll bool) {
	var nodes []string
	sum := 0
	for n, count := range active { //house:unordered sorted below
		nodes = append(nodes, n)
		sum += count
	}
	slices.SortFunc(nodes, scheduler.CompareNames)
	if noNode {
		t.item(fmt.Sprintf("%d\t(%s):\tActive ", sum, agent))
		return
	}
	for _, n := range nodes {
		number := fmt.Sprint(active[n])
		if ofAll {
			number += "/" + fmt.Sprint(total)
		}
		t.item(fmt.Sprintf("%s\t(%s):\tActive %s", number, agent, n))
	}
	if sum == 0 && ofAll {
		t.item(fmt.Sprintf("%d/%d\t(%s):\tActive", sum, total, agent))
	}
}

// nodeAttributes are the attributes of the nodes that are up.
func (m *mon) nodeAttributes() {
	for _, n := range m.wantedNodes() {
		names := shownAttributes(n)
		if len(names) == 0 {
			continue
		}
		m.item("Node: " + m.nodeName(n) + ":")
		m.within(func() {
			for _, name := range names {
				m.item(fmt.Sprintf("%-32s\t: %-10s%s", name, n.Attrs[name], m.connectivity(name, n.Attrs[name])))
			}
		})
	}
}

// paramOr is a resource's parameter as it is written, or what it is without.
func paramOr(sets []*cib.NVSet, name, standard string) string {
	for _, set := range sets {
		for _, p := range set.Pairs {
			if p.Name == name {
				return p.Value
			}
		}
	}
	return standard
}

// connectivity remarks on an attribute that a ping resource keeps: how many hosts should answer.
func (m *mon) connectivity(name, value string) string {
	want, ok := m.reachable(name)
	if !ok {
		return ""
	}
	got := 0
	fmt.Sscan(value, &got)
	switch {
	case got == 0:
		return "\t: Connectivity is lost"
	case got < want:
		return fmt.Sprintf("\t: Connectivity is degraded (Expected=%d)", want)
	}
	return ""
}

// reachable is what an attribute should be if all hosts answer that a ping resource asks; ok is false if none keeps it.
func (m *mon) reachable(name string) (want int, ok bool) {
	var expected, multiplier = 0, 1
	var visit func(rs []*scheduler.ResourceView) bool
	visit = func(rs []*scheduler.ResourceView) bool {
		for _, r := range rs {
			if r.Kind == "primitive" && (r.Type == "ping" || r.Type == "pingd") {
				if conf := m.in.Resource(plainName(r.ID)); conf != nil && paramOr(conf.Params, "name", "pingd") == name {
					expected = len(strings.Fields(paramOr(conf.Params, "host_list", "")))
					fmt.Sscan(paramOr(conf.Params, "multiplier", "1"), &multiplier)
					return true
				}
			}
			if visit(r.Children) {
				return true
			}
		}
		return false
	}
	ok = visit(m.v.Resources)
	return expected * multiplier, ok
}
