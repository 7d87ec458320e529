package configure

import (
	"github.com/cerco-ha/cerco/internal/cib"
)

// IsPromotable reports whether a resource is a clone whose instances can be promoted.
func IsPromotable(c *cib.CIB, id string) bool {
	r := c.Resource(id)
	if r == nil {
		return false
	}
	v, _ := Lookup(pairsOf(r.El, "meta_attributes"), "promotable")
	return r.El.Name == "master" || r.El.Name == "clone" && isTrue(v)
}

// Whole is what has to be named to restart a resource: the clone or bundle that it is in, else itself.
func Whole(r *cib.Resource) *cib.Resource {
	for at := r; at != nil; at = at.Parent {
		if at.Kind == cib.Clone || at.Kind == cib.Bundle {
			return at
		}
	}
	return r
}

// HoldStopped has a resource stopped until Release takes that back. It returns the resource as it was and as it is.
func HoldStopped(d *Draft, id string) (was, held *cib.Element, err error) {
	p := d.resourceFor(id)
	if p == nil {
		return nil, nil, d.Refused()
	}
	now := d.SetPairs(p, "meta_attributes", []Pair{{"target-role", "Stopped"}})
	return p.Last(), now.Last(), nil
}

// Release puts a resource back to what it was before HoldStopped. What others have changed in it meanwhile stays.
func Release(d *Draft, was, held *cib.Element) error {
	if was == nil {
		return nil // nothing was held
	}
	p := d.Find(was.ID(), resourceTags()...)
	if p == nil {
		return nil // deleted meanwhile
	}
	if cib.Equal(p.Last(), held) {
		d.Put(p, was)
		return nil
	}
	role, _ := Lookup(pairsOf(was, "meta_attributes"), "target-role")
	d.SetPairs(p, "meta_attributes", []Pair{{"target-role", role}})
	return nil
}

// KeepOff keeps a resource off a node by a constraint, whose id is returned. Nothing is said of it: it is not to stay.
func KeepOff(d *Draft, id, node string) (constraint string, err error) {
	d.checkNode(node)
	if err := d.Refused(); err != nil {
		return "", err
	}
	constraint = d.Free("restart-" + id + "-on-" + node)
	d.Add(d.Section("constraints"), cib.NewElement("rsc_location", []cib.Attr{{Name: "id", Value: constraint}, {Name: "rsc", Value: id},
		{Name: "node", Value: node}, {Name: "score", Value: "-INFINITY"}}))
	return constraint, nil
}
