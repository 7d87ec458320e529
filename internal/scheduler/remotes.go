package scheduler

import (
	"cmp"

	"github.com/cerco-ha/cerco/internal/cib"
)

// declareRemotes makes the nodes that exist only through resources: a top level connection resource
// is a remote node, a primitive with the remote-node meta attribute is the container of a guest node.
// Guest nodes get an implicit connection resource, which implicitConnections collects.
func (p *planner) declareRemotes() {
	for _, c := range p.in.Resources {
		switch {
		case c.Kind == cib.Primitive && isConnection(c):
			p.remoteNodeNamed(c.ID)
		case c.Kind == cib.Primitive:
			p.declareGuest(c)
		case c.Kind == cib.Group:
			for _, m := range c.Children {
				p.declareGuest(m)
			}
		}
	}
}

func isConnection(c *cib.Resource) bool {
	return c.Class == "ocf" && c.Provider == "pacemaker" && c.Type == "remote"
}

// remoteNodeNamed is the remote node of that name, made if need be.
func (p *planner) remoteNodeNamed(name string) *node {
	if n := p.nodeByName[name]; n != nil {
		return n
	}
	return p.addNode(name, name, remoteNode)
}

// declareGuest makes the guest node that runs inside of c, if any, and its connection.
func (p *planner) declareGuest(c *cib.Resource) {
	meta := guestMeta(c)
	name := meta["remote-node"]
	if name == "" {
		return
	}
	if p.configured(name) {
		p.warn("remote-node " + name + " of resource " + c.ID + " is the id of another resource")
		return
	}
	p.remoteNodeNamed(name)
	p.guestConns = append(p.guestConns, connection(name, c.ID, meta["remote-addr"], meta["remote-port"],
		cmp.Or(meta["remote-connect-timeout"], "60s"), meta["remote-allow-migrate"], meta["is-managed"]))
}

// guestMeta is what a container says of the guest in it: plain values, the last one wins.
func guestMeta(c *cib.Resource) map[string]string {
	meta := map[string]string{}
	for _, set := range c.Meta {
		for _, nv := range set.Pairs {
			meta[nv.Name] = nv.Value
		}
	}
	return meta
}

// configured reports whether the configuration has a resource of that id.
func (p *planner) configured(id string) bool {
	var among func(list []*cib.Resource) bool
	among = func(list []*cib.Resource) bool {
		for _, c := range list {
			if c.ID == id || among(c.Children) {
				return true
			}
		}
		return false
	}
	return among(p.in.Resources)
}

// connection is the configuration of an implicit connection resource.
func connection(name, container, addr, port, timeout, migrate, managed string) *cib.Resource {
	meta := []cib.NV{{Name: "internal", Value: "true"}, {Name: "container", Value: container}}
	if migrate != "" {
		meta = append(meta, cib.NV{Name: "allow-migrate", Value: migrate})
	}
	if managed != "" {
		meta = append(meta, cib.NV{Name: "is-managed", Value: managed})
	}
	ops := []*cib.Op{implicitOp(name, "monitor", "30s", 30000, "30s")}
	if timeout != "" {
		ops = append(ops, implicitOp(name, "start", "0", 0, timeout))
	}
	var params []cib.NV
	if addr != "" {
		params = append(params, cib.NV{Name: "addr", Value: addr})
	}
	if port != "" {
		params = append(params, cib.NV{Name: "port", Value: port})
	}
	return &cib.Resource{Kind: cib.Primitive, ID: name, Class: "ocf", Provider: "pacemaker", Type: "remote",
		Meta: implicitSet(name+"-meta", meta), Params: implicitSet(name+"-params", params), Ops: ops}
}

func implicitSet(id string, pairs []cib.NV) []*cib.NVSet {
	if len(pairs) == 0 {
		return nil
	}
	return []*cib.NVSet{{ID: id, Pairs: pairs}}
}

func implicitOp(rsc, name, interval string, ms int64, timeout string) *cib.Op {
	op := &cib.Op{ID: rsc + "-" + name + "-" + interval, Name: name, Interval: interval, IntervalMS: ms}
	op.Attrs = []cib.Attr{{Name: "id", Value: op.ID}, {Name: "interval", Value: interval},
		{Name: "name", Value: name}}
	if timeout != "" {
		op.Attrs = append(op.Attrs, cib.Attr{Name: "timeout", Value: timeout})
	}
	return op
}

// linkRemote ties a connection resource to its node.
func (p *planner) linkRemote(r *resource) {
	if !r.isConn {
		return
	}
	n := p.nodeByName[r.id]
	if n == nil {
		return
	}
	n.conn, r.remote = r, n
	if r.container != nil {
		n.kind = guestNode
		n.attrs["#kind"] = "container"
	} else if n.unseen {
		n.unclean = p.cfg.fencing && p.cfg.startupFencing
	}
}

// linkContainer puts a resource with the container meta attribute into its container.
func (p *planner) linkContainer(r *resource) {
	for _, c := range r.children {
		p.linkContainer(c)
	}
	if r.container != nil || r.meta["container"] == "" {
		return
	}
	box := p.find(r.meta["container"])
	if box == nil || box == r {
		p.warn("container " + r.meta["container"] + " of resource " + r.id + " does not exist")
		return
	}
	r.container = box
	box.fillers = append(box.fillers, r)
}

// guestHost is the node that a guest is connected from, which is where its container runs; nil when it
// is not exactly one.
func (n *node) guestHost() *node {
	if n.conn == nil || n.conn.container == nil || len(n.conn.runningOn) != 1 {
		return nil
	}
	return n.conn.runningOn[0]
}
