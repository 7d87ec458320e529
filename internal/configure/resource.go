package configure

import "github.com/cerco-ha/cerco/internal/cib"

// resourceTags are the elements that are resources.
func resourceTags() []string { return []string{"primitive", "group", "clone", "master", "bundle"} }

// resource is the path to a resource, nil with a problem noted if there is none of that id.
func (d *Draft) resource(id string, tags ...string) cib.Path {
	if tags == nil {
		tags = resourceTags()
	}
	p := d.Find(id, tags...)
	if p == nil {
		d.Fail("unable to find a resource/clone/group/bundle: %s", id)
	}
	return p
}
