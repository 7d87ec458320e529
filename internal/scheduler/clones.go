package scheduler

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// readClone reads what only clones have. Stickiness is 1 unless configured, so that instances stay.
func (p *planner) readClone(r *resource) {
	if r.meta["resource-stickiness"] == "" {
		r.meta["resource-stickiness"] = "1"
	}
	r.unique = p.metaBool(r, "globally-unique", false)
	r.interleave = p.metaBool(r, "interleave", false)
	r.ordered = p.metaBool(r, "ordered", false)
	r.promotable = r.cfg.Master || p.metaBool(r, "promotable", false)
	r.cloneMax = p.metaInt(r, max(1, len(p.nodes)), "clone-max")
	r.cloneNodeMax = p.metaInt(r, 1, "clone-node-max")
	r.cloneMin = p.metaInt(r, 0, "clone-min")
	if len(r.cfg.Children) > 0 && r.unique && !canBeUnique(r.cfg.Children[0]) {
		p.warn("clone " + r.id + " can only be anonymous, since not all of it are OCF agents")
		r.unique, r.cloneNodeMax, r.cloneMax = false, 1, min(r.cloneMax, max(1, len(p.nodes)))
		r.meta["globally-unique"] = "false"
	}
	if r.cloneNodeMax > 1 && !r.unique {
		p.warn("clone-node-max of " + r.id + " is more than 1 but the clone is anonymous; taking 1")
		r.cloneNodeMax = 1
	}
	if r.promotable {
		r.meta["promotable"] = "true"
		r.promotedMax = p.metaInt(r, 1, "promoted-max", "master-max")
		r.promotedNodeMax = p.metaInt(r, 1, "promoted-node-max", "master-node-max")
	}
}

// canBeUnique reports whether instances of a resource can be told apart: only OCF agents and fence
// devices are told which instance they are.
func canBeUnique(c *cib.Resource) bool {
	for _, m := range c.Children {
		if !canBeUnique(m) {
			return false
		}
	}
	return c.Kind != cib.Primitive || c.Class == "ocf" || c.Class == "stonith"
}

// metaInt is the first of the named meta attributes that is set.
func (p *planner) metaInt(r *resource, fallback int, names ...string) int {
	for _, name := range names {
		if v := r.meta[name]; v != "" {
			i, ok := cib.ParseScore(v)
			if !ok {
				p.warn(name + " of " + r.id + " is not a number: " + v)
			}
			return max(0, i)
		}
	}
	return fallback
}

// buildInstances makes the instances of a clone, at least one: with clone-max=0 that one is the template
// for what history may still find, and itself an orphan.
func (p *planner) buildInstances(r *resource) {
	if len(r.cfg.Children) == 0 {
		p.warn("clone " + r.id + " has nothing to clone")
		return
	}
	if len(r.cfg.Children) > 1 {
		p.warn("clone " + r.id + " has more than one child; only the first counts")
	}
	for i := 0; i < max(1, r.cloneMax); i++ {
		p.addInstance(r)
	}
	c := r.cfg.Children[0]
	p.alias(c.ID, r.children[0])
	for i, m := range c.Children {
		p.alias(m.ID, r.children[0].children[i])
	}
}

// alias lets find know a resource by another name, unless something has that id.
func (p *planner) alias(name string, r *resource) {
	if p.byID[name] == nil {
		p.byID[name] = r
	}
}

// addInstance makes one more instance; those beyond clone-max are orphans.
func (p *planner) addInstance(r *resource) *resource {
	n := len(r.children)
	var inst *resource
	if n == 0 || r.proto == nil {
		inst = p.build(r.cfg.Children[0], r, n)
		r.proto = inst.copyInstance(r, n)
	} else {
		inst = r.proto.copyInstance(r, n)
		inst.each(func(part *resource) { p.byID[part.id] = part })
	}
	if n >= r.cloneMax {
		inst.each(func(part *resource) { part.orphan = true })
	}
	r.children = append(r.children, inst)
	return inst
}

// copyInstance copies an instance that nothing was observed of yet under another number. What comes
// from the configuration is shared; tables of scores are not.
func (r *resource) copyInstance(parent *resource, number int) *resource {
	c := *r
	c.parent, c.instance = parent, number
	c.id = c.cfg.ID + ":" + strconv.Itoa(number)
	if c.unique && c.variant == primitive {
		c.name = c.id
	}
	c.allowed = append(make(nodeTable, 0, cap(r.allowed)), r.allowed...)
	c.children = nil
	for _, child := range r.children {
		c.children = append(c.children, child.copyInstance(&c, number))
	}
	return &c
}
