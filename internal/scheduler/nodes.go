package scheduler

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackNodes makes the configured nodes.
func (p *planner) unpackNodes() {
	p.nodeByID = make(map[string]*node, len(p.in.Nodes))
	p.nodeByName = make(map[string]*node, len(p.in.Nodes))
	for _, c := range p.in.Nodes {
		if c.ID == "" || c.Name == "" {
			p.warn("a node without id or uname is ignored")
			continue
		}
		kind := memberNode
		switch c.Kind {
		case cib.NodeRemote:
			kind = remoteNode
		case cib.NodePing:
			kind = pingNode
		}
		n := p.addNode(c.ID, c.Name, kind)
		n.cfg = c
		n.score, _ = cib.ParseScore(c.Score)
		if kind == memberNode || kind == pingNode {
			n.unclean = p.cfg.fencing && p.cfg.startupFencing
		}
		p.configuredAttrs(n)
	}
}

// addNode makes a node that nothing is known of yet.
func (p *planner) addNode(id, name string, kind nodeKind) *node {
	n := &node{idx: len(p.nodes), id: id, name: name, kind: kind, unseen: true, discovery: true}
	n.attrs = map[string]string{"#kind": "cluster"}
	if kind == remoteNode {
		n.attrs["#kind"] = "remote"
	}
	if id != "" && id == p.in.DCUUID {
		p.dc = n
	}
	if kind == remoteNode || kind == guestNode {
		p.haveRemote = true
	}
	p.nodes = append(p.nodes, n)
	p.nodeByID[id] = n
	p.nodeByName[name] = n
	return n
}

// identify sets the attributes that every node has by itself. A remote node that neither the configuration
// nor the status section knows goes without: no rule and no colocation can name it.
func (p *planner) identify(n *node) {
	n.attrs["#uname"], n.attrs["#id"], n.attrs["#is_dc"] = n.name, n.id, strconv.FormatBool(n == p.dc)
	if c, ok := p.cfg.props["cluster-name"]; ok {
		n.attrs["#cluster-name"] = c
	}
}

// configuredAttrs adds the permanent attributes and the capacity of a configured node.
func (p *planner) configuredAttrs(n *node) {
	p.identify(n)
	in := &cib.RuleInput{Now: p.now, NodeAttr: n.attr}
	attrs, change := cib.Evaluate(n.cfg.Attrs, in, "")
	p.changesAt(change)
	for k, v := range attrs {
		if _, set := n.attrs[k]; !set {
			n.attrs[k] = v
		}
	}
	n.setSite()
	if len(n.cfg.Utilization) > 0 {
		values, change := cib.Evaluate(n.cfg.Utilization, in, "")
		p.changesAt(change)
		n.utilization = integers(values)
	}
}

// transientAttrs adds the attributes of the status section, which beat the permanent ones.
func (p *planner) transientAttrs(n *node, s *cib.NodeState) {
	p.identify(n)
	attrs, change := cib.Evaluate(s.Attrs, &cib.RuleInput{Now: p.now, NodeAttr: n.attr}, "")
	p.changesAt(change)
	for k, v := range attrs {
		n.attrs[k] = v
	}
	n.setSite()
}

// setSite names the site a node belongs to: its own attribute, else the cluster.
func (n *node) setSite() {
	if site := n.attrs["site-name"]; site != "" {
		n.attrs["#site-name"] = site
	} else if c, ok := n.attrs["#cluster-name"]; ok {
		n.attrs["#site-name"] = c
	}
}

// isRemote reports whether the node is reached through a connection resource.
func (n *node) isRemote() bool { return n.kind == remoteNode || n.kind == guestNode }

// integers reads utilisation values; what is no number counts as 0.
func integers(values map[string]string) map[string]int {
	out := make(map[string]int, len(values))
	for k, v := range values {
		i, _ := strconv.Atoi(v)
		out[k] = i
	}
	return out
}
