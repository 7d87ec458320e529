package cib

import "time"

// FenceRequest asks for a node to be cut off, or let in again ("on": unfencing).
type FenceRequest struct {
	ID        string `json:"id"`     // the same for every try of one request; its record has it
	Target    string `json:"target"` // uname
	TargetID  string `json:"target_id"`
	Action    string `json:"action"` // "off", "reboot" or "on"
	By        string `json:"by"`     // who asks: "controller", "root", ...
	Why       string `json:"why"`
	Epoch     Epoch  `json:"epoch"`
	Graph     int    `json:"graph,omitempty"`      // number of the action in the plan's graph
	TimeoutMS int64  `json:"timeout_ms,omitempty"` // 0: from devices and stonith-timeout
	DelayMS   int64  `json:"delay_ms,omitempty"`   // priority-fencing-delay; -1: no delay at all, not even the devices' own
	// Digests of the devices' parameters, of "on": node attributes #digests-all and #digests-secure hold them
	// afterwards, so that a change of a device leads to unfencing anew.
	DigestsAll    string `json:"digests_all,omitempty"`
	DigestsSecure string `json:"digests_secure,omitempty"`

	Tolerance int64 `json:"tolerance_ms,omitempty"` // a success not longer ago than that will do
}

// Evidence says why we believe that a node is off.
type Evidence string

// What counts as proof.
const (
	ByAgent     Evidence = "agent"       // a fence agent said that it has done it
	AlreadyOff  Evidence = "already-off" // a fence agent found it off
	ByWatchdog  Evidence = "watchdog"    // its watchdog's time has passed without a sign of life
	ByOperator  Evidence = "operator"    // a person said so
	ByContainer Evidence = "container"   // a guest node: what it ran in was stopped
	ByItself    Evidence = "itself"      // it came back with another boot id
)

// States of a FenceRecord.
const (
	FencePending = "pending"
	FenceDone    = "success"
	FenceFailed  = "failed"
)

// FenceRecord is one fencing, from the request to its outcome. In a Command it replaces the record of the
// same ID. A successful "off" or "reboot" erases what was known of the target in the same step.
type FenceRecord struct {
	FenceRequest
	State     string     `json:"state"`
	Evidence  Evidence   `json:"evidence,omitempty"`
	Node      string     `json:"node,omitempty"`    // that ran the agent
	Devices   []string   `json:"devices,omitempty"` // that were used
	Tries     []FenceTry `json:"tries,omitempty"`
	Error     string     `json:"error,omitempty"` // of a failed one: what happened, and what to do
	Requested time.Time  `json:"requested"`
	Completed time.Time  `json:"completed,omitzero"`
}

// FenceTry is one call of a fence agent.
type FenceTry struct {
	Device string    `json:"device"`
	Level  int       `json:"level,omitempty"`
	Node   string    `json:"node"` // that ran it
	Action string    `json:"action"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	RC     int       `json:"rc"`
	Output string    `json:"output,omitempty"` // of the agent; secrets taken out
}
