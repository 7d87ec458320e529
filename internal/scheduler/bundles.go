package scheduler

import (
	"maps"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// defaultControlPort is where the executor inside of a container listens.
const defaultControlPort = "3121"

// hostName stands for the name of the node that a container runs on, as the address of the connection into it.
const hostName = "#uname"

// buildBundle makes what a bundle implies: a clone of its primitive and, for each replica, an address,
// a container, a connection and the guest node that the instance runs on.
func (p *planner) buildBundle(r *resource) {
	s := r.spec
	if s == nil {
		p.warn("bundle " + r.id + " has no container")
		return
	}
	perHost := max(1, s.ReplicasPerHost)
	withChild := len(r.cfg.Children) > 0
	if withChild && s.IPRangeStart == "" {
		if s.ControlPort == "" {
			p.warn("bundle " + r.id + " needs ip-range-start or control-port to reach " + r.cfg.Children[0].ID)
			withChild = false
		} else if perHost > 1 {
			p.warn("bundle " + r.id + " with control-port cannot have more than one replica a host")
			perHost = 1
		}
	}
	r.unique = perHost > 1
	r.promotable = s.PromotedMax > 0
	r.cloneMax, r.cloneNodeMax = max(1, s.Replicas), perHost
	r.promotedMax, r.promotedNodeMax = s.PromotedMax, 1
	p.guestRoom += r.cloneMax
	var inner *resource
	if withChild {
		inner = p.buildBundleClone(r, perHost)
		r.children = append(r.children, inner)
		// An agent that knows no instances makes one of all of them.
		r.cloneMax = min(r.cloneMax, len(inner.children))
	}
	for i, ip := range bundleAddresses(s, r.cloneMax) {
		p.buildReplica(r, inner, i, ip)
	}
}

// buildBundleClone makes the clone that a bundle's primitive runs as.
func (p *planner) buildBundleClone(r *resource, perHost int) *resource {
	suffix := "-clone"
	meta := []cib.NV{{Name: "ordered", Value: "true"},
		{Name: "clone-max", Value: strconv.Itoa(r.cloneMax)},
		{Name: "clone-node-max", Value: strconv.Itoa(perHost)},
		{Name: "globally-unique", Value: strconv.FormatBool(perHost > 1)}}
	if r.promotable {
		suffix = "-master"
		meta = append(meta, cib.NV{Name: "promotable", Value: "true"},
			cib.NV{Name: "promoted-max", Value: strconv.Itoa(r.promotedMax)})
	}
	id := r.id + suffix
	cfg := &cib.Resource{Kind: cib.Clone, ID: id, Meta: implicitSet(id+"-meta", meta),
		Children: r.cfg.Children[:1]}
	inner := p.build(cfg, r, -1)
	inner.each(func(part *resource) { part.bundleOf = r })
	return inner
}

// bundleAddresses are the addresses of a bundle's replicas, empty without a range to take them from.
func bundleAddresses(s *cib.BundleSpec, replicas int) []string {
	list := make([]string, replicas)
	if s.IPRangeStart == "" {
		return list
	}
	list[0] = s.IPRangeStart
	for i := 1; i < replicas; i++ {
		list[i] = nextAddress(list[i-1])
	}
	return list
}

// nextAddress counts up an IPv4 address, leaving out hosts 0, 254 and 255 of each block; empty at the end.
func nextAddress(ip string) string {
	part := strings.Split(ip, ".")
	if len(part) != 4 {
		return ""
	}
	third, err3 := strconv.Atoi(part[2])
	host, err4 := strconv.Atoi(part[3])
	if err3 != nil || err4 != nil {
		return ""
	}
	if host++; host > 254 {
		third, host = third+1, 1
	}
	if third > 254 {
		return ""
	}
	return part[0] + "." + part[1] + "." + strconv.Itoa(third) + "." + strconv.Itoa(host)
}

// buildReplica makes one replica of a bundle.
func (p *planner) buildReplica(b, inner *resource, offset int, ip string) {
	rep := &replica{offset: offset, ipaddr: ip}
	if inner != nil {
		rep.child = inner.children[offset]
		inner.notify = inner.notify || rep.child.notify // the primitive may ask for it on its own
	}
	implicit := func(c *cib.Resource) *resource {
		r := p.build(c, b, -1)
		r.bundleOf = b
		b.children = append(b.children, r)
		return r
	}
	if ip != "" {
		rep.ip = implicit(bundleIP(b, ip))
	}
	rep.container = implicit(bundleContainer(b, offset, ip, inner != nil, bundleAddresses(b.spec, b.cloneMax)))
	b.replicas = append(b.replicas, rep)
	if rep.child == nil {
		return
	}
	// What the contained resource takes is taken where the container runs, not on the guest node.
	rep.container.utilization = rep.child.utilization
	rep.child.utilization = nil
	p.buildGuest(rep, b, implicit)
	if ip != "" {
		rep.child.each(func(part *resource) {
			part.meta = maps.Clone(part.meta)
			part.meta["external-ip"] = ip
		})
	}
}

// buildGuest makes the guest node of a replica and the connection to it. The node is for the replica's
// own instance alone: everything else is kept off it.
func (p *planner) buildGuest(rep *replica, b *resource, implicit func(*cib.Resource) *resource) {
	name := b.id + "-" + strconv.Itoa(rep.offset)
	n := p.nodeByName[name]
	if n == nil {
		n = p.addNode(name, name, guestNode)
	}
	n.score, n.kind, n.ofBundle = -infinity, guestNode, true
	n.unclean = false
	n.attrs["#kind"] = "container"
	for _, top := range p.resources {
		top.each(func(r *resource) { r.forbid(n) })
	}
	rep.node = n
	rep.child.each(func(part *resource) {
		part.allowed = make(nodeTable, len(p.nodes), len(p.nodes)+p.guestRoom)
		part.allowed[n.idx] = nodeScore{score: 500, in: true, discover: discoverExclusive}
	})
	inner := rep.child.parent
	for len(inner.allowed) < len(p.nodes) {
		inner.allowed = append(inner.allowed, nodeScore{})
	}
	inner.allowed[n.idx] = nodeScore{score: -infinity, in: true, discover: discoverExclusive}

	addr, port := rep.ipaddr, b.spec.ControlPort
	if addr == "" {
		addr = hostName
	}
	if port == "" {
		port = defaultControlPort
	}
	rep.remote = implicit(connection(name, rep.container.id, addr, port, "", "", ""))
	rep.remote.container = rep.container
	for _, at := range p.nodes {
		if at.isRemote() {
			rep.remote.forbid(at)
		}
	}
	rep.container.fillers = append(rep.container.fillers, rep.remote)
	p.linkRemote(rep.remote)
}

// forbid keeps r off a node that turned out to be not for it.
func (r *resource) forbid(n *node) {
	if n.idx < len(r.allowed) && r.allowed[n.idx].in {
		r.allowed[n.idx].score, r.allowed[n.idx].discover = -infinity, discoverNever
	}
}

// bundleIP is the configuration of a replica's address.
func bundleIP(b *resource, ip string) *cib.Resource {
	id := b.id + "-ip-" + ip
	params := []cib.NV{{Name: "ip", Value: ip}}
	if b.spec.HostInterface != "" {
		params = append(params, cib.NV{Name: "nic", Value: b.spec.HostInterface})
	}
	mask := b.spec.HostNetmask
	if mask == "" {
		mask = "32"
	}
	params = append(params, cib.NV{Name: "cidr_netmask", Value: mask})
	return &cib.Resource{Kind: cib.Primitive, ID: id, Class: "ocf", Provider: "heartbeat", Type: "IPaddr2",
		Params: implicitSet(id+"-attributes", params), Ops: []*cib.Op{implicitOp(id, "monitor", "60s", 60000, "")}}
}
