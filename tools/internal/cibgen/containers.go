package cibgen

import (
	"fmt"
	"strconv"
)

// makeBundle makes a resource inside containers. It has no history: only a cluster that the oracle has
// brought to rest has bundles that run.
func (g *generator) makeBundle(n int, budget *int) *rsc {
	id := fmt.Sprintf("b%d", n)
	r := &rsc{id: id, kind: "bundle", el: newElement("bundle", "id", id)}
	r.el.nvset("meta_attributes", id+"-meta", g.meta(false)...)
	engine := r.el.add(pick(g, "podman", "docker"), "image", "example:1")
	replicas := 1 + g.rng.IntN(3)
	engine.set("replicas", strconv.Itoa(replicas))
	if g.chance(20) {
		engine.set("replicas-per-host", "2")
	}
	promotable := g.when("promotable", 40)
	if promotable {
		engine.set("promoted-max", "1")
	}
	address := g.chance(60)
	inside := g.chance(75)
	if address || inside {
		network := r.el.add("network")
		if address {
			network.set("ip-range-start", fmt.Sprintf("192.168.%d.10", n))
		} else {
			network.set("control-port", "9999")
		}
	}
	if g.chance(40) {
		s := r.el.add("storage")
		s.add("storage-mapping", "id", id+"-map", "source-dir", "/srv/"+id, "target-dir", "/data")
	}
	*budget -= replicas
	if inside {
		r.promotable, r.promotedMax = promotable, 1
		r.inside = g.makePrimitive(fmt.Sprintf("br%d", n), promotable)
		r.el.Kids = append(r.el.Kids, r.inside.el)
	}
	return r
}

// makeRemote makes the connection to a remote node, or a resource with a guest node in it. The node itself
// comes from the resource.
func (g *generator) makeRemote(n int) *rsc {
	if g.chance(50) {
		id := fmt.Sprintf("remote%d", n)
		r := &rsc{id: id, kind: "primitive", class: "ocf", provider: "pacemaker", typ: "remote", params: []string{"server", "192.168.0.1"}}
		r.el = newElement("primitive", "id", id, "class", r.class, "provider", r.provider, "type", r.typ)
		r.el.nvset("instance_attributes", id+"-params", r.params...)
		if g.chance(60) {
			r.el.nvset("meta_attributes", id+"-meta", "reconnect_interval", "60s")
		}
		g.operations(r, false)
		g.prims = append(g.prims, r)
		return r
	}
	r := g.makePrimitive(fmt.Sprintf("r%d", n), false)
	for _, k := range r.el.Kids {
		if k.Name == "meta_attributes" {
			k.setPair("remote-node", fmt.Sprintf("guest%d", n))
			return r
		}
	}
	set := newElement("meta_attributes", "id", r.id+"-meta")
	set.setPair("remote-node", fmt.Sprintf("guest%d", n))
	r.el.Kids = append([]*Element{set}, r.el.Kids...)
	return r
}
