package configure

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Delete takes a resource or a fence device out, and with it what is inside of it, what it leaves empty, and what names it.
func Delete(d *Draft, id string, stonith bool) error {
	p := d.Find(id, resourceTags()...)
	if p == nil {
		return d.refuse("Resource '%s' does not exist%s", id, d.near(id))
	}
	d.wrongNoun(stonith, []string{id}, "delete")
	gone := d.goesWith(p)
	var ids []string
	for e := range gone.Last().All() {
		if slices.Contains(resourceTags(), e.Name) {
			ids = append(ids, e.ID())
		}
	}
	for _, one := range ids {
		var tags []string
		for _, t := range d.Where(func(e *cib.Element) bool { return e.Name == "tag" && e.Find("obj_ref", one) != nil }) {
			tags = append(tags, t.Last().ID())
		}
		switch {
		case len(tags) == 1:
			d.Fail("Unable to remove resource '%s' because it is referenced in the tag: '%s'", one, tags[0])
		case len(tags) > 1:
			d.Fail("Unable to remove resource '%s' because it is referenced in tags: %s", one, quoted(tags))
		}
	}
	if err := d.Refused(); err != nil {
		return err
	}
	var nodes []string
	for e := range gone.Last().All() {
		nodes = append(nodes, madeNodes(e)...)
	}
	for _, one := range ids {
		d.dropReferences(one)
		d.dropLevels(one)
	}
	for _, n := range nodes {
		d.dropNode(n)
	}
	d.Put(d.Find(gone.Last().ID(), resourceTags()...), nil)
	for _, one := range ids {
		d.Info("Deleting Resource - %s", one)
	}
	return nil
}

// goesWith is the outermost of what a resource leaves empty when it goes.
func (d *Draft) goesWith(p cib.Path) cib.Path {
	for {
		around := p[len(p)-2]
		if around.Name == "clone" || around.Name == "master" || around.Name == "group" && members(around) < 2 {
			p = p[:len(p)-1]
			continue
		}
		return p
	}
}

// madeNodes are the names of the node that a primitive makes: a remote node or a guest.
func madeNodes(e *cib.Element) []string {
	if e.Name != "primitive" {
		return nil
	}
	if AgentOf(e) == remoteAgent() {
		return []string{e.ID()}
	}
	if node, ok := Lookup(pairsOf(e, "meta_attributes"), "remote-node"); ok {
		return []string{node}
	}
	return nil
}
