package cib

import (
	"slices"
	"time"
)

// Vocabulary is a version of what can be said in commands.
type Vocabulary int

// CommandVersion is the newest vocabulary of commands that this program speaks. Version 2 knows Raise, and
// Cluster's authority and ages of keys.
//
// What a command does at a version never changes. A new field, a new word in an old one and a change of
// meaning take the next number: needs tells of the first two, Apply looks at State.Spoken for the third.
const CommandVersion Vocabulary = 2

// Command is one change of the State, as it stands in the log. Everything that is set in it is applied, in
// the order of the fields, or nothing is.
type Command struct {
	V    Vocabulary `json:"v"`              // of the vocabulary that it needs; the log stamps it (see Stamped)
	At   time.Time  `json:"at"`             // the proposer's clock: all times that get into the State come from here
	By   string     `json:"by"`             // who asked: "root", "controller", "n1"
	Note string     `json:"note,omitempty"` // why, for people

	Cluster    *Cluster          `json:"cluster,omitempty"` // replaces the cluster's description
	Lead       *LeadUpdate       `json:"lead,omitempty"`
	Nodes      []NodeUpdate      `json:"nodes,omitempty"`
	Config     *ConfigChange     `json:"config,omitempty"`
	Results    []OpResult        `json:"results,omitempty"`
	Attributes []AttributeUpdate `json:"attributes,omitempty"`
	Forget     []Forget          `json:"forget,omitempty"`
	Fencing    []FenceRecord     `json:"fencing,omitempty"`

	// Raise makes a later vocabulary the one that the cluster has agreed on. It is proposed when every member
	// speaks it, and cannot be taken back.
	Raise Vocabulary `json:"raise,omitempty"`
}

// needs is the version of the vocabulary that the command is made of.
func (c *Command) needs() Vocabulary {
	if c.Raise != 0 {
		return 2
	}
	if cl := c.Cluster; cl != nil && (cl.Authority != "" || cl.KeyDays != 0 ||
		slices.ContainsFunc(cl.Members, func(m Member) bool { return !m.KeySince.IsZero() })) {
		return 2
	}
	return 1
}

// Stamped is the command with the version that it needs, as it is to stand in the log.
func (c Command) Stamped() Command {
	c.V = max(c.V, c.needs())
	return c
}

// LeadUpdate says who decides and whether the cluster is quorate: the dc-uuid and have-quorum of the CIB.
type LeadUpdate struct {
	DC         string `json:"dc"` // member id
	HaveQuorum bool   `json:"have_quorum"`
}

// NodeUpdate sets what is known of a node: its node_state (made when it is not there; the <node> of the
// configuration too) and its NodeFacts. Empty strings leave things as they are.
type NodeUpdate struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	InCCM     string     `json:"in_ccm,omitempty"`   // "true" or "false"
	Crmd      string     `json:"crmd,omitempty"`     // "online" or "offline"
	Join      string     `json:"join,omitempty"`     // "member", "down", "pending"
	Expected  string     `json:"expected,omitempty"` // "member" or "down"
	Erase     bool       `json:"erase,omitempty"`    // history and transient attributes are void: all that ran there has ended
	BootID    string     `json:"boot_id,omitempty"`
	AwayUntil *time.Time `json:"away_until,omitempty"` // a zero time ends it
	AwayRun   string     `json:"away_run,omitempty"`   // with it: the run of the daemon that goes away
	Watchdog  *Watchdog  `json:"watchdog,omitempty"`   // told before it is disarmed, and after it is armed
}

// ConfigChange is a change of the CIB by hand or by a tool. Its edits are applied in order, all or none.
// Base, when it is set, must be the version that the CIB has (admin_epoch and epoch, num_updates left
// aside), or the command fails with ErrVersion.
type ConfigChange struct {
	Base  *Version `json:"base,omitempty"`
	Edits []Edit   `json:"edits"`
	Bump  bool     `json:"bump,omitempty"` // raise the epoch even if nothing changes
}

// Edit is one step of a ConfigChange.
type Edit struct {
	// Op is one of: "replace" (the element that XPath or else XML's name and id finds; with neither, the whole
	// document; a section such as <resources> as a whole), "modify" (merge XML over the element with its name
	// and id; fails when it is not there unless Create), "create" (add XML under the element that Parent finds),
	// "delete" (take out what XPath finds, or the element of XML's name and id), "patch" (XML is a diff in
	// Pacemaker's format 2).
	Op     string `json:"op"`
	Parent string `json:"parent,omitempty"` // XPath of the new element's parent; a section's name will do; empty: where such elements belong
	XPath  string `json:"xpath,omitempty"`
	XML    string `json:"xml,omitempty"`
	Create bool   `json:"create,omitempty"` // modify: make it when it is missing
	All    bool   `json:"all,omitempty"`    // delete: every match, and none is no error
}

// AttributeUpdate sets or removes node attributes.
type AttributeUpdate struct {
	Node      string `json:"node"`  // uname
	Name      string `json:"name"`  // of the attribute; a pattern (POSIX extended) with Pattern
	Value     string `json:"value"` // "value++" and "value+=N" add to what is there
	Delete    bool   `json:"delete,omitempty"`
	Pattern   bool   `json:"pattern,omitempty"`   // change every attribute that matches
	Permanent bool   `json:"permanent,omitempty"` // in <nodes> rather than transient
	Utilized  bool   `json:"utilized,omitempty"`  // a utilization attribute (in <nodes>)
	Set       string `json:"set,omitempty"`       // id of the nvset; empty: the first one
}

// Forget takes history away: what a clean-up or a refresh does. With failures gone and no history, the
// resource is probed again.
type Forget struct {
	Node      string `json:"node,omitempty"`     // uname; empty: all
	Resource  string `json:"resource,omitempty"` // a primitive or instance; empty: all
	Operation string `json:"operation,omitempty"`
	Interval  int64  `json:"interval,omitempty"`   // ms; counts with Operation only
	OnlyFails bool   `json:"only_fails,omitempty"` // clean-up: only where there are failures; otherwise refresh
	// KeepHistory takes only the failures away, as the action clear_failcount of a plan asks for: the counts and
	// the entry of the last failure.
	KeepHistory bool `json:"keep_history,omitempty"`
}
