package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// State is a wish about resources that meta attributes carry.
type State struct {
	IDs     []string // resources, or tags that stand for them
	Monitor bool     // switch the monitors too, where it is about management
	Stonith bool     // it is said of fence devices
}

// named are the paths to the resources that ids and tags name, in order, each once.
func (d *Draft) named(ids []string) []string {
	var list []string
	add := func(id string) {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	for _, id := range ids {
		if d.Find(id, resourceTags()...) != nil {
			add(id)
			continue
		}
		tag := d.Find(id, "tag")
		if tag == nil {
			d.Fail("bundle/clone/group/resource/tag '%s' does not exist%s", id, d.near(id))
			continue
		}
		for ref := range tag.Last().Elements() {
			if d.Find(ref.ID(), resourceTags()...) != nil {
				add(ref.ID())
			}
		}
	}
	return list
}

// Disable has resources stopped.
func Disable(d *Draft, s State) error {
	ids := d.named(s.IDs)
	d.wrongNoun(s.Stonith, ids, "disable")
	if err := d.Refused(); err != nil {
		return err
	}
	for _, id := range ids {
		d.setMetaFirst(id, Pair{"target-role", "Stopped"})
	}
	return nil
}

// Enable lets resources run: with them what is around or inside of them and would keep them from it.
func Enable(d *Draft, s State) error {
	ids := d.named(s.IDs)
	d.wrongNoun(s.Stonith, ids, "enable")
	if err := d.Refused(); err != nil {
		return err
	}
	for _, id := range ids {
		p := d.Find(id, resourceTags()...)
		all := []string{id}
		switch e, around := p.Last(), p[len(p)-2]; {
		case e.Name == "clone" || e.Name == "master" || e.Name == "bundle":
			for c := range e.Elements() {
				if c.Name == "primitive" || c.Name == "group" {
					all = append(all, c.ID())
				}
			}
		case around.Name == "clone" || around.Name == "master" || around.Name == "bundle":
			all = append(all, around.ID())
		}
		for _, one := range all {
			d.dropMeta(one, "target-role")
		}
	}
	return nil
}

// Manage lets the cluster manage resources: with them what is around and inside of them.
func Manage(d *Draft, s State) error {
	ids := d.named(s.IDs)
	if err := d.Refused(); err != nil {
		return err
	}
	for _, id := range ids {
		p := d.Find(id, resourceTags()...)
		var all []string
		for _, e := range p {
			if slices.Contains(resourceTags(), e.Name) {
				all = append(all, e.ID())
			}
		}
		for e := range p.Last().All() {
			if slices.Contains(resourceTags(), e.Name) {
				all = append(all, e.ID())
			}
		}
		for _, one := range all {
			d.dropMeta(one, "is-managed")
		}
		if s.Monitor {
			d.switchMonitors(all, true)
		} else {
			d.warnOfMonitors(all)
		}
	}
	return nil
}

// Unmanage has the cluster leave resources alone.
func Unmanage(d *Draft, s State) error {
	ids := d.named(s.IDs)
	if err := d.Refused(); err != nil {
		return err
	}
	for _, id := range ids {
		p := d.Find(id, resourceTags()...)
		var all []string
		for e := range p.Last().All() {
			if e.Name == "primitive" || e.Name == "bundle" {
				all = append(all, e.ID())
			}
		}
		for _, one := range all {
			d.setMetaFirst(one, Pair{"is-managed", "false"})
		}
		if s.Monitor {
			d.switchMonitors(all, false)
		}
	}
	return nil
}

// setMetaFirst sets a meta attribute; where there is no block of them, it is made the first thing of the resource.
func (d *Draft) setMetaFirst(id string, pair Pair) {
	p := d.Find(id, resourceTags()...)
	if Child(p, "meta_attributes") != nil {
		d.SetPairs(p, "meta_attributes", []Pair{pair})
		return
	}
	d.Put(p, p.Last().Insert(0, d.NewSet("meta_attributes", d.Free(id+"-meta_attributes"), []Pair{pair})))
}

func (d *Draft) dropMeta(id, name string) {
	if p := d.Find(id, resourceTags()...); Child(p, "meta_attributes") != nil {
		d.SetPairs(p, "meta_attributes", []Pair{{Name: name}})
	}
}

// switchMonitors enables or disables the monitors of primitives. A primitive without any gets one.
func (d *Draft) switchMonitors(ids []string, on bool) {
	for _, id := range ids {
		p := d.Find(id, "primitive")
		if p == nil {
			continue
		}
		for op := range p.Last().Child("operations").Elements() {
			if op.Name != "op" || op.Attr("name") != "monitor" {
				continue
			}
			changed := op.With("enabled", "false")
			if on {
				changed = op.Without("enabled")
			}
			d.Put(d.Find(op.ID(), "op"), changed)
		}
	}
}

func (d *Draft) warnOfMonitors(ids []string) {
	for _, id := range ids {
		p := d.Find(id, "primitive")
		if p == nil {
			continue
		}
		monitors, off := 0, 0
		for op := range p.Last().Child("operations").Elements() {
			if op.Attr("name") == "monitor" {
				monitors++
				if enabled, ok := cib.ParseBool(op.Attr("enabled")); ok && !enabled {
					off++
				}
			}
		}
		if monitors > 0 && monitors == off {
			d.Warn("Resource '%s' has no enabled monitor operations", id)
		}
	}
}

// wrongNoun notes that a resource was called a fence device, or the other way round.
func (d *Draft) wrongNoun(stonith bool, ids []string, verb string) {
	for _, id := range ids {
		p := d.Find(id, resourceTags()...)
		if p == nil {
			continue
		}
		is := p.Last().Attr("class") == "stonith"
		switch {
		case stonith && !is:
			d.Deprecate("Ability of this command to accept resources is deprecated and will be removed in a future release. Please use 'pcs resource %s' instead.", verb)
		case !stonith && is:
			d.Deprecate("Ability of this command to accept stonith resources is deprecated and will be removed in a future release. Please use 'pcs stonith %s' instead.", verb)
		default:
			continue
		}
		return
	}
}
