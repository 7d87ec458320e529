// Package wire is what the two ends of Cerco's API say to each other: the bodies of requests and answers.
//
// It owns their shapes and the names of errors. It promises that the field of a body is never given
// another meaning: new ones are added, and readers of answers ignore what they do not know. It decides nothing
// and does no IO.
package wire

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Error is the body of every answer that is not a success.
type Error struct {
	Code string `json:"code"`          // one of the codes below
	What string `json:"what"`          // what is wrong and where
	Fix  string `json:"fix,omitempty"` // what to do about it
}

// Codes of errors.
const (
	CodeRequest  = "request"   // the request cannot be understood
	CodeNotFound = "not-found" // what it is about is not there
	CodeExists   = "exists"    // an id is taken
	CodeVersion  = "version"   // the CIB is no longer the version that the change was made for
	CodeRefused  = "refused"   // the change is not valid
	CodeDenied   = "denied"    // the caller may not do that
	CodeNoLeader = "no-leader" // nobody decides at the moment: no quorum, or an election goes on
	CodeInternal = "internal"
)

// Node is the node that answers, and what it knows of who decides.
type Node struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Cluster    string `json:"cluster"`
	Leader     string `json:"leader,omitempty"` // name of the DC; empty while there is none
	Term       uint64 `json:"term"`
	Quorate    bool   `json:"quorate"`
	Why        string `json:"why,omitempty"` // of the quorum: what it rests on, or what it lacks
	Index      uint64 `json:"index"`         // last command that is in its state
	Generation uint64 `json:"generation"`
	BootID     string `json:"boot_id,omitempty"`
	Version    string `json:"version"` // of Cerco
}

// Changed answers a change that has been committed.
type Changed struct {
	Index   uint64 `json:"index"`   // of the command in the log
	Version string `json:"version"` // of the CIB afterwards, "admin_epoch.epoch.num_updates"
	Rest    *Rest  `json:"rest,omitempty"`
}

// Rest says whether the cluster has come to rest: no action is in flight and none is left to do.
type Rest struct {
	Settled bool      `json:"settled"`
	Plan    string    `json:"plan,omitempty"` // the current or last plan, "term/number"
	Waiting []Waiting `json:"waiting,omitempty"`

	Upgrade *Upgrade `json:"upgrade,omitempty"` // while not everybody speaks what the cluster could agree on
}

// Upgrade is how far the nodes are on the way to a new version: what the cluster has agreed on, and what the
// members that are heard speak.
type Upgrade struct {
	Agreed  cib.Vocabulary `json:"agreed"`
	Members []Speaks       `json:"members"`
	Final   bool           `json:"final"` // all speak more than was agreed on: it can be made final
}

// Speaks is the newest vocabulary of commands that a member knows; 0: it is not heard.
type Speaks struct {
	Node   string         `json:"node"`
	Speaks cib.Vocabulary `json:"speaks"`
}

// Waiting is one thing that the cluster waits for.
type Waiting struct {
	What     string    `json:"what"` // in words: "start web on n2", "fencing of n3"
	Node     string    `json:"node,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Task     string    `json:"task,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Why      string    `json:"why,omitempty"`     // what it is held up by
	Release  string    `json:"release,omitempty"` // the command that would release it
}

// Edit is the body of a change of the CIB.
type Edit struct {
	Base  string     `json:"base,omitempty"` // version that it was made for; empty: any
	Edits []cib.Edit `json:"edits,omitempty"`
	Bump  bool       `json:"bump,omitempty"` // raise the epoch even if nothing changes
	Note  string     `json:"note,omitempty"`
}

// Found is one match of a query.
type Found struct {
	Path  string `json:"path"`            // "/cib/configuration/resources/primitive[@id='a']"
	XML   string `json:"xml,omitempty"`   // the element
	Attr  string `json:"attr,omitempty"`  // name of the attribute, if one was asked for
	Value string `json:"value,omitempty"` // its value
}

// Attributes is the body of a change of node attributes.
type Attributes struct {
	Updates []cib.AttributeUpdate `json:"updates"`
	Note    string                `json:"note,omitempty"`
}

// Attribute is one attribute of one node.
type Attribute struct {
	Node      string `json:"node"`
	NodeID    string `json:"node_id"`
	Name      string `json:"name"`
	Value     string `json:"value"`
	Set       string `json:"set,omitempty"`       // id of its nvset
	ID        string `json:"id,omitempty"`        // of its nvpair
	Permanent bool   `json:"permanent,omitempty"` // from <nodes>
	Utilized  bool   `json:"utilized,omitempty"`
}

// Fence is the body of a request to fence a node.
type Fence struct {
	Target      string `json:"target"`
	Action      string `json:"action"` // "off", "reboot" or "on"
	TimeoutMS   int64  `json:"timeout_ms,omitempty"`
	DelayMS     int64  `json:"delay_ms,omitempty"`
	ToleranceMS int64  `json:"tolerance_ms,omitempty"`
	Why         string `json:"why,omitempty"`
}

// Confirm is the body of an operator's word that a node is off.
type Confirm struct {
	Target string `json:"target"`
}

// Device is a fence device that can reach a target, and through whom.
type Device struct {
	ID    string   `json:"id"`
	Agent string   `json:"agent"`
	Nodes []string `json:"nodes,omitempty"` // that can run it
	Level int      `json:"level,omitempty"` // of the topology; 0: none
}

// Transition is one plan of the past or the present.
type Transition struct {
	ID      string    `json:"id"` // "term-number"; newest first in lists
	Epoch   cib.Epoch `json:"epoch"`
	At      time.Time `json:"at"`
	Ended   time.Time `json:"ended,omitzero"`
	Why     string    `json:"why"` // what made a new plan necessary
	Actions int       `json:"actions"`
	Summary []string  `json:"summary,omitempty"` // what it changes, in words
	Outcome string    `json:"outcome,omitempty"` // "complete", "stopped", ...; empty: still running
}

// Cluster is who belongs to the cluster and how each is heard.
type Cluster struct {
	cib.Cluster
	Seen   []Seen   `json:"seen,omitempty"`
	Quorum Quorum   `json:"votes"`
	Links  []Link   `json:"links,omitempty"`  // of the node that was asked
	Voters []string `json:"voters,omitempty"` // members that have a vote on the log
}

// Counted is whom the one that counts the votes hears, and what that is worth.
type Counted struct {
	Seen   []Seen `json:"seen,omitempty"`
	Quorum Quorum `json:"votes"`
}

// Seen is how a member is heard.
type Seen struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	Heard     bool      `json:"heard"`
	LastHeard time.Time `json:"last_heard,omitzero"`
	Ready     bool      `json:"ready"`

	Speaks cib.Vocabulary `json:"speaks,omitempty"` // of commands, the newest that it knows
}

// Quorum is the count of votes.
type Quorum struct {
	Quorate  bool   `json:"quorate"`
	Why      string `json:"why,omitempty"`
	Votes    int    `json:"votes"`
	Expected int    `json:"expected"`
	Needed   int    `json:"needed"`
}

// Link is one connection to a peer as this node sees it.
type Link struct {
	Peer   string    `json:"peer"`
	Ring   int       `json:"ring"`
	Local  string    `json:"local,omitempty"`
	Remote string    `json:"remote"`
	Up     bool      `json:"up"`
	RTTMS  float64   `json:"rtt_ms,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Error  string    `json:"error,omitempty"`
}

// Invite is the body of an invitation to join.
type Invite struct {
	ValidMS int64 `json:"valid_ms,omitempty"` // default: an hour
	Witness bool  `json:"witness,omitempty"`
}

// Invited answers it.
type Invited struct {
	Token   string    `json:"token"` // secret: whoever has it may join, once
	Expires time.Time `json:"expires"`
}

// Rotate is the body of an exchange of keys: a node's, by default that of the node that is asked, or the certificate
// authority's.
type Rotate struct {
	Node string `json:"node,omitempty"`
	CA   bool   `json:"ca,omitempty"`
}

// Options is the body of a change of the cluster's options. What is left out stays as it is.
type Options struct {
	Quorum *cib.QuorumOptions `json:"quorum,omitempty"`
	Timing *cib.Timing        `json:"timing,omitempty"`

	KeyDays *int `json:"key_days,omitempty"` // after how many days nodes exchange their keys; 0: never
}

// OnNode is the body of what concerns a whole node: remove, stop, standby.
type OnNode struct {
	Node  string `json:"node"`
	On    bool   `json:"on,omitempty"`    // standby: true sets it, false ends it
	Force bool   `json:"force,omitempty"` // remove: even while it is up
	Until string `json:"until,omitempty"` // standby: "reboot" or "forever" (default)
}

// Forget is the body of a clean-up or a refresh.
type Forget struct {
	Resource   string `json:"resource,omitempty"`
	Node       string `json:"node,omitempty"`
	Operation  string `json:"operation,omitempty"`
	IntervalMS int64  `json:"interval_ms,omitempty"`
}

// Fail is the body of a pretended failure of a monitor.
type Fail struct {
	Resource string `json:"resource"`
	Node     string `json:"node"`
}

// Located is where a resource is.
type Located struct {
	Resource string  `json:"resource"`
	On       []Where `json:"on"`
}

// Where is one place of a resource.
type Where struct {
	Node string `json:"node"`
	Role string `json:"role"`
}

// Status is the whole picture: the CIB as XML and what it has no place for. Whoever asks for cib=after gets an object
// without the CIB, a line break, and the CIB as it is.
type Status struct {
	Node    Node              `json:"node"`
	Cluster Cluster           `json:"cluster"`
	Rest    Rest              `json:"rest"`
	Fencing []cib.FenceRecord `json:"fencing,omitempty"`
	CIB     string            `json:"cib"`
}
