package scheduler

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// What an action is told of the containers around it: agents in a container may need to know the host.

// containerMeta tells of the container a resource is in, and of the node that a container provides.
func containerMeta(out []cib.Attr, r *resource) []cib.Attr {
	if r.variant != primitive {
		return out
	}
	container := r.meta["container"]
	if r.orphan && r.container != nil {
		container = r.container.id
	}
	if container != "" && container != r.id {
		out = append(out, cib.Attr{Name: "CRM_meta_container", Value: container})
	}
	if name := r.meta["remote-node"]; name != "" {
		out = append(out, cib.Attr{Name: "CRM_meta_remote_node", Value: name})
	}
	return out
}

// hostMeta tells an action inside a guest node which node the guest is on: for what ends there, where it
// is; for what begins there, where it will be.
func hostMeta(out []cib.Attr, a *action) []cib.Attr {
	n := a.node
	if n == nil || n.kind != guestNode || n.conn == nil || n.conn.container == nil || a.rsc == nil {
		return out
	}
	task := a.task
	if task == taskNotify {
		task, _ = a.get("CRM_meta_notify_operation")
		for _, x := range a.notifyExtra {
			if x.Name == "CRM_meta_notify_operation" {
				task = x.Value
			}
		}
	}
	var host *node
	switch task {
	case taskStop, taskDemote:
		host = currentNode(n.conn.container)
	case taskStart, taskPromote, taskMonitor:
		host = n.conn.container.assigned
	}
	if host == nil {
		return out
	}
	if target := a.rsc.meta["container-attribute-target"]; target != "" {
		out = append(out, cib.Attr{Name: "CRM_meta_container_attribute_target", Value: target})
	}
	return append(out, cib.Attr{Name: "CRM_meta_physical_host", Value: host.name})
}

// externalIP is the address of the replica that a resource is in, empty if it has none.
func externalIP(a *action) string {
	if a.rsc.bundleOf == nil || a.node == nil || a.node.kind != guestNode || a.rsc.isConn {
		return ""
	}
	for _, rep := range a.rsc.bundleOf.replicas {
		if rep.remote != nil && rep.remote == a.node.conn {
			return rep.ipaddr
		}
	}
	return ""
}

// nodeMeta tells a fence agent the attributes of its target.
func nodeMeta(out []cib.Attr, n *node) []cib.Attr {
	for _, name := range sortedKeys(n.attrs) {
		if !strings.HasPrefix(name, "#") && !strings.Contains(name, ":") {
			out = append(out, cib.Attr{Name: metaName(name), Value: n.attrs[name]})
		}
	}
	return out
}

// metal is the node that a guest's container is on now; the node itself for others.
func (n *node) metal() *node {
	if n.kind == guestNode && n.conn != nil && n.conn.container != nil {
		if host := currentNode(n.conn.container); host != nil {
			return host
		}
	}
	return n
}
