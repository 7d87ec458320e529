package cib

import (
	"strings"
	"time"
)

// noPlan is the key of an operation that no plan has asked for, and that should have returned 0.
const noPlan = "0:0:0:00000000-0000-0000-0000-000000000000"

// FailedMonitor makes the result of a monitor that nobody has run: it says that a resource has failed on a node.
// ok is false when nothing is known of the resource there that could have failed.
func (c *CIB) FailedMonitor(node, resource, reason string, now time.Time) (r OpResult, ok bool) {
	h := c.historyOf(node, resource)
	if h == nil {
		return OpResult{}, false
	}
	call := 0
	for i := range h.Ops {
		call = max(call, h.Ops[i].CallID)
	}
	at := now.Unix()
	return OpResult{
		Op: Operation{Node: node, Resource: h.ID, Class: h.Class, Provider: h.Provider, Type: h.Type, Name: "asyncmon", Key: noPlan},
		RC: RCError, Status: OpDone, CallID: call + 1, Reason: reason, Started: at, Changed: at, CountFailure: true}, true
}

// historyOf is what is known of a resource or one of its instances on a node, nil if nothing is.
func (c *CIB) historyOf(node, resource string) *LrmResource {
	n := c.NodeStateByName(node)
	if n == nil {
		return nil
	}
	if h := n.History(resource); h != nil {
		return h
	}
	for _, h := range n.Lrm {
		if plain, _, numbered := strings.Cut(h.ID, ":"); numbered && plain == resource {
			return h
		}
	}
	return nil
}
