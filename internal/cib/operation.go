package cib

import "fmt"

// Epoch orders the plans of a cluster: term of the leader, number of its plan. Operations of a lower epoch
// than a node has seen are refused there (invariant I3).
type Epoch struct {
	Term uint64 `json:"term"`
	Plan uint64 `json:"plan"`
}

// Less reports whether e is earlier than o.
func (e Epoch) Less(o Epoch) bool { return e.Term < o.Term || e.Term == o.Term && e.Plan < o.Plan }

func (e Epoch) String() string { return fmt.Sprintf("%d/%d", e.Term, e.Plan) }

// Operation is one thing that a node is told to do to a resource. (Epoch, Action) identifies it: a node
// does it at most once, and answers a repeated order with the result it has.
type Operation struct {
	Epoch  Epoch  `json:"epoch"`
	Action int    `json:"action"` // number of the action in the plan's graph
	Node   string `json:"node"`   // uname of the node that runs it

	// What it is about. Target is the remote or guest node that it concerns; empty: Node itself.
	Target   string `json:"target,omitempty"`
	Resource string `json:"resource"` // id as agents and history know it
	LongID   string `json:"long_id,omitempty"`
	Class    string `json:"class"`
	Provider string `json:"provider,omitempty"`
	Type     string `json:"type"`

	// Name is an agent's action ("start", "stop", "monitor", "promote", "demote", "notify", "migrate_to",
	// "migrate_from", "reload", "reload-agent"), or "cancel" (end the recurring operation CancelTask with
	// IntervalMS), "delete" (forget the resource), "lrm_refresh".
	Name         string `json:"name"`
	CancelTask   string `json:"cancel_task,omitempty"`
	IntervalMS   int64  `json:"interval_ms"`
	TimeoutMS    int64  `json:"timeout_ms"`
	StartDelayMS int64  `json:"start_delay_ms,omitempty"`
	TargetRC     int    `json:"target_rc"` // what is expected; 0 except for probes and the like
	OnFail       string `json:"on_fail,omitempty"`
	ShutdownLock string `json:"shutdown_lock,omitempty"` // seconds since the epoch: with its success the resource is locked to the node

	Attrs []Attr `json:"attrs"` // of the graph's action: parameters, CRM_meta_*, crm_feature_set
	Key   string `json:"key"`   // transition-key: "ACTION:PLAN:TARGET_RC:UUID"
}

// Brief is the operation without the attributes that its history has no need of.
func (o Operation) Brief() Operation {
	var kept []Attr
	for _, a := range o.Attrs {
		switch a.Name {
		case attrMigrateSource, attrMigrateTarget, attrContainer:
			kept = append(kept, a)
		}
	}
	o.Attrs = kept
	return o
}

// Attributes of an operation that get into its history.
const (
	attrMigrateSource = "CRM_meta_migrate_source"
	attrMigrateTarget = "CRM_meta_migrate_target"
	attrContainer     = "CRM_meta_container"
)

// attr returns an attribute of the operation, empty when it is absent.
func (o *Operation) attr(name string) string {
	for _, a := range o.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// on is the node that the operation concerns.
func (o *Operation) on() string {
	if o.Target != "" {
		return o.Target
	}
	return o.Node
}

// Codes of OpResult.Status, Pacemaker's op-status.
const (
	OpUnknown      = -2
	OpPending      = -1
	OpDone         = 0
	OpCancelled    = 1
	OpTimedOut     = 2
	OpNotSupported = 3
	OpError        = 4
	OpErrorHard    = 5 // do not try again on this node
	OpErrorFatal   = 6 // do not try again anywhere
	OpNotInstalled = 7
	OpNotConnected = 8
	OpInvalid      = 9
	OpNoSecrets    = 11 // a parameter is a secret that this node does not have
)

// Exit codes of resource agents, the OCF standard's.
const (
	RCOk             = 0
	RCError          = 1
	RCArgs           = 2
	RCUnimplemented  = 3
	RCPerm           = 4
	RCInstalled      = 5
	RCConfigured     = 6
	RCNotRunning     = 7
	RCPromoted       = 8
	RCFailedPromoted = 9
	RCDegraded       = 190
	RCDegradedProm   = 191
)

// OpResult is what became of an Operation, or a change that a recurring monitor has noticed. It has all
// that an lrm_rsc_op of the CIB holds.
type OpResult struct {
	Op       Operation `json:"op"`                // Brief: of its Attrs only what history needs
	BootID   string    `json:"boot_id,omitempty"` // of the host that it ran on: results of a boot that is over count for nothing
	Serial   uint64    `json:"serial"`            // counts a node's reports: told apart and acknowledged by it
	CallID   int       `json:"call_id"`
	RC       int       `json:"rc"`
	Status   int       `json:"status"`
	Reason   string    `json:"reason,omitempty"` // exit-reason: what the agent said went wrong
	Output   string    `json:"output,omitempty"` // last lines of what it wrote, for people; not in the CIB
	Started  int64     `json:"started"`          // seconds since the epoch
	Changed  int64     `json:"changed"`          // since when the rc has been what it is
	ExecMS   int64     `json:"exec_ms"`
	QueueMS  int64     `json:"queue_ms"`
	Recovery bool      `json:"recovery,omitempty"` // found out after the daemon had been restarted in the middle of it

	// Digests of the parameters, from which later plans see that a definition has changed. Restart lists the
	// parameters of RestartDigest as " name name ", Secure those left out of SecureDigest.
	Digest        string `json:"digest,omitempty"`
	RestartDigest string `json:"restart_digest,omitempty"`
	Restart       string `json:"restart,omitempty"`
	SecureDigest  string `json:"secure_digest,omitempty"`
	Secure        string `json:"secure,omitempty"`

	// CountFailure is filled in by the controller: raise the fail count of this operation by one, or set it
	// to INFINITY with FatalFailure.
	CountFailure bool `json:"count_failure,omitempty"`
	FatalFailure bool `json:"fatal_failure,omitempty"`
}

// Failed reports whether the result is other than what was expected.
func (r *OpResult) Failed() bool {
	return r.Status != OpCancelled && r.Status != OpPending && (r.RC != r.Op.TargetRC || r.Status > OpCancelled)
}
