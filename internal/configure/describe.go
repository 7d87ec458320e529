package configure

import "fmt"

// Describable are the elements that can have a description.
func Describable() []string {
	return []string{"acl_role", "alert", "bundle", "clone", "group", "master", "node", "op", "primitive", "recipient", "template"}
}

// Describe sets the description of an element; an empty one removes it.
func Describe(d *Draft, id, text string) error {
	p := d.Find(id, Describable()...)
	if p == nil {
		return fmt.Errorf("there is no element '%s' that can have a description", id)
	}
	if text == "" {
		d.Put(p, p.Last().Without("description"))
	} else {
		d.Put(p, p.Last().With("description", text))
	}
	return nil
}
