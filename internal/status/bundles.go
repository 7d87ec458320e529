package status

import "github.com/cerco-ha/cerco/internal/scheduler"

// bundle writes a bundle: each replica as its instance, or its container where there is none, under the
// name of its guest node and on the node that the container is on.
func (t *text) bundle(r *scheduler.ResourceView) {
	title := "Container bundle"
	if len(r.Replicas) > 1 {
		title += " set"
	}
	title += ": " + r.ID + " [" + r.Image + "]"
	if r.Unique {
		title += " (unique)"
	}
	if !r.Managed {
		title += " (unmanaged)"
	}
	t.item(title + ":")
	t.within(func() {
		for _, rep := range r.Replicas {
			shown, name := rep.Container, rep.Container.ID
			if rep.Child != nil {
				shown = rep.Child
			}
			if rep.Remote != nil {
				name = rep.Remote.ID
			}
			if rep.Address != "" {
				name += " (" + rep.Address + ")"
			}
			t.item(line(shown, name, t.where(rep.Container), !t.noNodes))
		}
	})
}
