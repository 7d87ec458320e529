package status

import (
	"io"
	"strings"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// ResourceList writes the list of resources as crm_resource has it: all that are not orphans, without the nodes of primitives.
func ResourceList(w io.Writer, v *scheduler.View) error {
	t := &text{depth: 0, noNodes: true}
	t.out.WriteString("Full List of Resources:\n")
	none := true
	t.within(func() {
		for _, r := range v.Resources {
			if Listed(r) {
				t.resource(r)
				none = false
			}
		}
		if none {
			t.item("No resources")
		}
	})
	_, err := io.WriteString(w, t.out.String())
	return err
}

// Resource writes one resource: a line for each primitive in it, or sum for a clone, without headings or marks.
func Resource(w io.Writer, r *scheduler.ResourceView) error {
	t := &text{}
	t.resource(r)
	var b strings.Builder
	for i, l := range strings.Split(strings.TrimSuffix(t.out.String(), "\n"), "\n") {
		if i > 0 || r.Kind == "primitive" {
			b.WriteString(strings.TrimPrefix(strings.TrimLeft(l, " "), "* ") + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Line is the line of a primitive without its node.
func Line(r *scheduler.ResourceView) string { return line(r, r.Name, nil, false) }

// OpStatus is how an operation ended, in words.
func OpStatus(status int) string { return statusText(status) }

// Agent is the agent of a primitive: "class:provider:type" as far as there is a provider.
func Agent(r *scheduler.ResourceView) string { return agent(r) }
