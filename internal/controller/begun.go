package controller

import (
	"fmt"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// begun is the history of a live migration that is about to begin. It is written down before it does: if the
// node that the resource leaves is lost on the way, nobody else could tell where it went.
func (c *Controller) begun(a *transition.Action) cib.OpResult {
	return cib.OpResult{Op: c.operation(a).Brief(), Status: cib.OpPending, Started: c.now.Unix(), Changed: c.now.Unix()}
}

// takeBack is the edit that removes what was written down as begun.
func takeBack(node, resource, entry string) cib.Edit {
	return cib.Edit{Op: "delete", All: true, XPath: fmt.Sprintf(
		"//node_state[@uname='%s']//lrm_resource[@id='%s']/lrm_rsc_op[@id='%s'][@op-status='-1']", node, resource, entry)}
}

// neverBegun takes back what was written down of migrations that are not ordered any more.
func (c *Controller) neverBegun() {
	var edits []cib.Edit
	for _, w := range c.waits {
		for _, r := range w.cmd.Results {
			edits = append(edits, takeBack(subject(&r.Op), r.Op.Resource, r.Op.Resource+"_"+r.Op.Name+"_0"))
		}
	}
	if len(edits) > 0 {
		c.propose(cib.Command{Config: &cib.ConfigChange{Edits: edits}, Note: "not begun after all"})
	}
}

// stale finds what earlier leaders have written down as begun, on nodes that have answered and know nothing of it,
// so that it never was. Nodes that have been booted since are not among them: their history is gone by now.
func (c *Controller) stale() []cib.Edit {
	var edits []cib.Edit
	for _, n := range c.state.CIB.Status.Nodes {
		if !isUp(n) || !slices.Contains(c.answered, n.Name) {
			continue
		}
		for _, h := range n.Lrm {
			for i := range h.Ops {
				if o := &h.Ops[i]; o.Status == cib.OpPending && !c.flies(n.Name, h.ID, o.Operation) {
					edits = append(edits, takeBack(n.Name, h.ID, o.El.ID()))
				}
			}
		}
	}
	return edits
}

// flies reports whether such an operation is in flight.
func (c *Controller) flies(node, resource, name string) bool {
	for f := range c.flights.all() {
		if subject(&f.op) == node && f.op.Resource == resource && f.op.Name == name {
			return true
		}
	}
	return false
}

// firstPlan makes sure, before the first plan of a term, that nothing stale is taken for true. It reports whether
// that is so.
func (c *Controller) firstPlan() bool {
	if !c.first {
		return true
	}
	edits := c.stale()
	if len(edits) == 0 {
		return true
	}
	if !c.now.Before(c.tidied) {
		c.tidied = c.now.Add(askAgain)
		c.propose(cib.Command{Config: &cib.ConfigChange{Edits: edits}, Note: "begun by an earlier leader, and never carried out"})
	}
	return false
}
