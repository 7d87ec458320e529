// Package events is what happened in the cluster, told one by one: nodes that come and go, operations,
// fencings, attributes, changes of the configuration, plans.
//
// It owns the shape of an event, how events follow from a committed command, and a journal of the last ones
// that readers can follow and resume. It promises that Derive is pure, that numbers only rise, and that a reader
// who was away too long is told so. It never blocks who adds to a journal.
package events

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Kinds of events.
const (
	KindNode      = "node"      // came, went, is known to be lost
	KindOperation = "operation" // of a resource, with its result
	KindFencing   = "fencing"   // requested, done, failed
	KindAttribute = "attribute" // of a node
	KindConfig    = "config"    // the configuration was changed
	KindCluster   = "cluster"   // members, votes, invitations
	KindLead      = "lead"      // who decides; quorum gained or lost
	KindForget    = "forget"    // history was cleaned up
	KindPlan      = "plan"      // begun, ended
	KindLink      = "link"      // a connection between nodes came or went
	KindNote      = "note"      // anything else that people should know
	KindGap       = "gap"       // events that a reader has missed are no longer kept
)

// Event is one thing that happened.
type Event struct {
	Seq   uint64    `json:"seq"`             // rises; what a reader resumes from
	Index uint64    `json:"index,omitempty"` // of the command it follows from
	At    time.Time `json:"at"`
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`           // in words
	Plan  string    `json:"plan,omitempty"` // "term/number" of the plan it belongs to
	Node  string    `json:"node,omitempty"` // that it is about
	Bad   bool      `json:"bad,omitempty"`  // a failure or a loss

	NodeState *NodeState       `json:"node_state,omitempty"`
	Operation *Operation       `json:"operation,omitempty"`
	Fencing   *cib.FenceRecord `json:"fencing,omitempty"`
	Attribute *Attribute       `json:"attribute,omitempty"`
	Lead      *cib.LeadUpdate  `json:"lead,omitempty"`
}

// NodeState is a node's coming or going: State is "member" or "lost".
type NodeState struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"`
}

// Operation is an operation's result.
type Operation struct {
	Resource   string `json:"resource"`
	Task       string `json:"task"`
	IntervalMS int64  `json:"interval_ms"`
	RC         int    `json:"rc"`
	TargetRC   int    `json:"target_rc"`
	Status     int    `json:"status"`
	Reason     string `json:"reason,omitempty"`
	ExecMS     int64  `json:"exec_ms"`
	Class      string `json:"class,omitempty"`
	Failed     bool   `json:"failed,omitempty"`
}

// Attribute is a change of a node's attribute.
type Attribute struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	NodeID string `json:"node_id,omitempty"`
	Gone   bool   `json:"gone,omitempty"`
}
