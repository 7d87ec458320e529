package simulate

import "fmt"

// String is the step in crm_simulate's words, without the bullet before it.
func (s Step) String() string {
	switch s.Kind {
	case PseudoStep:
		return fmt.Sprintf("Pseudo action:   %s%s", s.Key, on(s.Node))
	case FenceStep:
		return fmt.Sprintf("Fencing %s (%s)", s.Node, s.Task)
	case ClusterStep:
		what := s.Task
		if s.Resource != "" {
			what += " for " + s.Resource
		}
		return fmt.Sprintf("Cluster action:  %s%s", what, on(s.Node))
	case FailureStep:
		return fmt.Sprintf("Pretending action %d failed with rc=%d", s.ID, s.RC)
	case AttrStep:
		return fmt.Sprintf("Injecting attribute %s=%s into /node_state '%s'", s.Attr, s.Value, s.NodeID)
	}
	what := s.Task
	if s.IntervalMS > 0 {
		what = fmt.Sprintf("%s=%d", what, s.IntervalMS)
	}
	return fmt.Sprintf("Resource action: %-15s %s%s", s.Resource, what, on(s.Node))
}

func on(node string) string {
	if node == "" {
		return ""
	}
	return " on " + node
}

// String is the modification in crm_simulate's words, without the bullet before it.
func (m Modification) String() string {
	switch m.Kind {
	case ModQuorum:
		return "Setting quorum: " + m.Name
	case ModWatchdog:
		return "Setting watchdog: " + m.Name
	case ModNodeUp:
		return "Bringing node " + m.Name + " online"
	case ModNodeDown:
		return "Taking node " + m.Name + " offline"
	case ModNodeFail:
		return "Failing node " + m.Name
	case ModTicketGrant:
		return "Granting ticket " + m.Name
	case ModTicketRevoke:
		return "Revoking ticket " + m.Name
	case ModTicketStandby:
		return "Making ticket " + m.Name + " standby"
	case ModTicketActivate:
		return "Activating ticket " + m.Name
	case ModOp:
		return "Injecting " + m.Name + " into the configuration"
	}
	return fmt.Sprintf("Injecting attribute %s=%s into /node_state '%s'", m.Name, m.Value, m.NodeID)
}
