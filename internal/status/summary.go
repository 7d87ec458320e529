package status

import (
	"fmt"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// ShownChanges are the rows that crm_simulate has: not the nodes that shut down, nor what stays.
func ShownChanges(changes []scheduler.Change) []scheduler.Change {
	var shown []scheduler.Change
	for _, c := range changes {
		if c.Verb != "Shutdown" && c.Verb != "Leave" {
			shown = append(shown, c)
		}
	}
	return shown
}

// Summary lays the transition summary out in columns. The column of resources grows by two blanks
// when a longer name than fits comes, as in crm_simulate, so its width depends on the order of the rows.
func Summary(changes []scheduler.Change) []string {
	width, detailWidth := 5, 5
	for i := range changes {
		if c := &changes[i]; c.Node == "" {
			if len(c.Resource) > width {
				width = len(c.Resource) + 2
			}
			detailWidth = max(detailWidth, len(changeDetail(c)))
		}
	}
	rows := make([]string, len(changes))
	for i := range changes {
		c := &changes[i]
		if c.Node != "" {
			rows[i] = nodeRow(c)
			continue
		}
		rows[i] = fmt.Sprintf("%-8s   %-*s   ( %*s )%s", c.Verb, width, c.Resource, detailWidth, changeDetail(c), changeReason(c))
	}
	return rows
}

func nodeRow(c *scheduler.Change) string {
	s := NodeTask(c) + " " + NodeName(c)
	if c.Reason != "" {
		s += " '" + c.Reason + "'"
	}
	return s
}

// NodeTask is what happens to a node: "Fence (reboot)".
func NodeTask(c *scheduler.Change) string {
	if c.Detail == "" {
		return c.Verb
	}
	return c.Verb + " (" + c.Detail + ")"
}

// NodeName is the node of a row, with the resource that a guest node lives in.
func NodeName(c *scheduler.Change) string {
	if c.Container == "" {
		return c.Node
	}
	return c.Node + " (resource: " + c.Container + ")"
}

func changeReason(c *scheduler.Change) string {
	var s string
	if c.Reason != "" {
		s = "due to " + c.Reason
	}
	switch {
	case c.Blocked && s != "":
		s += " (blocked)"
	case c.Blocked:
		s = "blocked"
	}
	if s == "" {
		return ""
	}
	return "  " + s
}

// changeDetail is what stands in the brackets of a row: where from, where to, and as what.
func changeDetail(c *scheduler.Change) string {
	roles := c.ShowRoles
	switch {
	case c.Verb == "Start":
		return c.To
	case c.Verb == "Stop" || c.To == "":
		return place(roles, c.FromRole, c.From)
	case c.Verb == "Promote" || c.Verb == "Demote":
		return c.FromRole + " -> " + c.ToRole + " " + c.To
	case c.From != c.To && c.From != "":
		switch {
		case roles && c.FromRole != c.ToRole:
			return c.FromRole + " " + c.From + " -> " + c.ToRole + " " + c.To
		case roles:
			return c.From + " -> " + c.To + " " + c.ToRole
		}
		return c.From + " -> " + c.To
	case roles && c.FromRole != c.ToRole:
		return c.FromRole + " -> " + c.ToRole + " " + c.To
	}
	return place(roles, c.ToRole, c.To)
}

// place is a node, after the role there if that is shown.
func place(roles bool, role, node string) string {
	if roles && role != "" {
		return role + " " + node
	}
	return node
}
