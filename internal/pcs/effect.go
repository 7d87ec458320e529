package pcs

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// plan is what the cluster would do about a configuration.
func (c *call) plan(doc *cib.CIB) *scheduler.Plan {
	return scheduler.Schedule(doc, scheduler.Options{Now: c.now(), Masked: true})
}

// affected are the resources that a plan does something to, besides those named; with harmed only those that are stopped or
// demoted.
func (c *call) affected(plan *scheduler.Plan, but []string, harmed bool) []string {
	var list []string
	for i := range plan.Summary {
		row := &plan.Summary[i]
		name := plainName(row.Resource)
		if name == "" || row.Verb == "Leave" || slices.Contains(but, name) || slices.Contains(list, name) {
			continue
		}
		if !harmed || row.To == "" || row.ToRole == "Stopped" || row.FromRole == "Promoted" && row.ToRole != "Promoted" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
