package status

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// nodes writes the list of nodes: those that something is to be said of one by one, then the rest by
// kind and whether they are up. Guests that are down are their containers' business.
func (t *text) nodes(v *scheduler.View) {
	t.item("Node List:")
	t.within(func() { t.nodeItems(v.Nodes) })
}

func (t *text) nodeItems(nodes []*scheduler.NodeView) {
	var online, offline, remoteUp, remoteDown, guestUp []string
	for _, n := range nodes {
		switch {
		case remarkable(n):
			t.item(nodePrefix(n) + n.Name + ": " + NodeState(n))
		case n.Kind == "guest":
			if n.Online {
				guestUp = append(guestUp, n.Name)
			}
		case n.Kind == "remote" && n.Online:
			remoteUp = append(remoteUp, n.Name)
		case n.Kind == "remote":
			remoteDown = append(remoteDown, n.Name)
		case n.Online:
			online = append(online, n.Name)
		default:
			offline = append(offline, n.Name)
		}
	}
	t.nameList("Online", online)
	t.nameList("OFFLINE", offline)
	t.nameList("RemoteOnline", remoteUp)
	t.nameList("RemoteOFFLINE", remoteDown)
	t.nameList("GuestOnline", guestUp)
}

// remarkable reports whether a node gets a line of its own.
func remarkable(n *scheduler.NodeView) bool {
	return n.Unclean || n.Pending || n.StandbyOnFail && n.Online || n.Standby || n.Maintenance || n.Health != ""
}

func nodePrefix(n *scheduler.NodeView) string {
	switch n.Kind {
	case "remote":
		return "RemoteNode "
	case "guest":
		return "GuestNode "
	}
	return "Node "
}

// NodeState is the state of a node in words: "online", "UNCLEAN (offline)", "standby", ...
func NodeState(n *scheduler.NodeView) string {
	state := baseState(n)
	if n.Health != "" {
		state += " (health is " + strings.ToUpper(n.Health) + ")"
	}
	return state
}

func baseState(n *scheduler.NodeView) string {
	switch {
	case n.Unclean && n.Online:
		return "UNCLEAN (online)"
	case n.Unclean && n.Pending:
		return "UNCLEAN (pending)"
	case n.Unclean:
		return "UNCLEAN (offline)"
	case n.Pending:
		return "pending"
	case n.StandbyOnFail && n.Online:
		return "standby (on-fail)"
	case n.Standby && n.Online && n.Running > 0:
		return "standby (with active resources)"
	case n.Standby && n.Online:
		return "standby"
	case n.Standby:
		return "OFFLINE (standby)"
	case n.Maintenance && n.Online:
		return "maintenance"
	case n.Maintenance:
		return "OFFLINE (maintenance)"
	case n.Online:
		return "online"
	}
	return "OFFLINE"
}
