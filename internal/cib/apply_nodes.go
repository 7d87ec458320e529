package cib

import (
	"strings"
	"time"
)

// Who wrote a part of the status, as crm-debug-origin tells.
const (
	originNode    = "node_update"
	originResult  = "operation_result"
	originFencing = "node_fenced"
)

// node sets what is known of a node.
func (a *applying) node(u *NodeUpdate) error {
	id, name, err := a.nodeOf(u)
	if err != nil {
		return err
	}
	if a.saidBefore(id, u) {
		return nil
	}
	a.nodeFacts(id, u)
	if m := a.state.Cluster.Member(name); m != nil && m.Witness {
		return nil
	}
	if a.cib.Node(id) == nil {
		if err := a.addNode(id, name, ""); err != nil {
			return err
		}
	}
	attrs := make([]Attr, 0, 8)
	for _, p := range [...]Attr{{"in_ccm", u.InCCM}, {"crmd", u.Crmd}, {"join", u.Join}, {"expected", u.Expected}} {
		if p.Value != "" {
			attrs = append(attrs, p)
		}
	}
	known := a.edit().Known(name)
	if known == nil && len(attrs) == 0 && !u.Erase {
		return nil
	}
	n := a.edit().Node(name, id)
	if known == nil || !n.has(attrs) {
		n.Set(append(attrs, Attr{"crm-debug-origin", originNode})...)
	}
	if u.Erase && n.holdsAnything() {
		a.empty(n)
	}
	return nil
}

// saidBefore reports whether an update tells of the end of a boot that has been told of already: the node has come
// up since with the boot that the update names, and what has happened since must not be erased.
func (a *applying) saidBefore(id string, u *NodeUpdate) bool {
	if !u.Erase || u.BootID == "" {
		return false
	}
	f, n := a.state.Facts(id), a.cib.NodeState(id)
	return f != nil && f.BootID == u.BootID && n != nil && n.InCCM == "true" && n.Crmd == "online" && n.Join == "member"
}

// nodeOf finds out whom an update is about.
func (a *applying) nodeOf(u *NodeUpdate) (id, name string, err error) {
	id, name = u.ID, u.Name
	for _, m := range a.state.Cluster.Members {
		if m.ID == id || id == "" && m.Name == name {
			return m.ID, m.Name, nil
		}
	}
	if id == "" || name == "" {
		return "", "", refuse("give both its id and its name", "no member has id %q or name %q", u.ID, u.Name)
	}
	if other := a.cib.NodeByName(name); other != nil && other.ID != id {
		return "", "", refuse("use another name", "the node %q has id %s, not %s", name, other.ID, id)
	}
	return id, name, nil
}

func (a *applying) nodeFacts(id string, u *NodeUpdate) {
	if u.BootID == "" && u.AwayUntil == nil && u.Watchdog == nil {
		return
	}
	f := a.facts(id)
	if u.Watchdog != nil {
		f.Watchdog = *u.Watchdog
	}
	if u.AwayUntil != nil {
		f.AwayUntil, f.AwayRun = u.AwayUntil.UTC(), u.AwayRun
		if u.AwayUntil.IsZero() {
			f.AwayUntil, f.AwayRun = time.Time{}, ""
		}
	}
	if u.BootID == "" {
		return
	}
	if f.BootID != "" && f.BootID != u.BootID {
		f.Ended = f.BootID
	}
	f.BootID, f.Unverified = u.BootID, false
	if u.InCCM == "true" && f.Ended == f.BootID { // taken in again, whatever was said of it
		f.Ended = ""
	}
}

// has reports whether the node state has all the attributes already.
func (n *NodeEdit) has(attrs []Attr) bool {
	for _, p := range attrs {
		if n.attrsChanged {
			if !holdsAttr(n.attrs, p) {
				return false
			}
		} else if n.orig.El.Attr(p.Name) != p.Value {
			return false
		}
	}
	return true
}

func holdsAttr(attrs []Attr, p Attr) bool {
	for _, a := range attrs {
		if a == p {
			return true
		}
	}
	return false
}

// holdsAnything reports whether there is any history, or a transient attribute.
func (n *NodeEdit) holdsAnything() bool {
	if n.transient != nil || len(n.histories) > 0 {
		return true
	}
	if n.emptied || n.orig == nil {
		return false
	}
	return n.orig.El.Child("lrm") != nil || n.orig.El.Child("transient_attributes") != nil
}

// target finds a node by its name: a member, another node of the configuration, or a remote or guest node. ok
// is false when nothing is called that.
func (a *applying) target(name string) (id string, remote, ok bool) {
	if m := a.state.Cluster.Member(name); m != nil {
		return m.ID, false, !m.Witness
	}
	if n := a.cib.NodeByName(name); n != nil {
		return n.ID, n.Kind == NodeRemote, true
	}
	if n := a.edit().Known(name); n != nil {
		return n.id, n.orig != nil && n.orig.Remote, true
	}
	return name, true, isRemote(a.cib, name)
}

// isRemote reports whether a resource of the configuration makes a remote or guest node of that name.
func isRemote(c *CIB, name string) bool {
	for r := range c.AllResources() {
		switch {
		case r.Kind == Bundle && strings.HasPrefix(name, r.ID+"-"):
			return true
		case r.Kind != Primitive:
		case r.ID == name && r.Class == "ocf" && r.Provider == "pacemaker" && r.Type == "remote":
			return true
		default:
			for _, set := range r.Meta {
				for _, p := range set.Pairs {
					if p.Name == "remote-node" && p.Value == name {
						return true
					}
				}
			}
		}
	}
	return false
}

// nodeState is the state of a node, made if there is none.
func (a *applying) nodeState(name, id string, remote bool) *NodeEdit {
	known := a.edit().Known(name)
	if known != nil {
		return known
	}
	n := a.edit().Node(name, id)
	if remote {
		n.Set(Attr{"remote_node", "true"}, Attr{"in_ccm", "true"})
	}
	n.Set(Attr{"crm-debug-origin", originNode})
	return n
}
