// Package transition is the graph of actions that a plan consists of: what is to be done, where, after
// what, and why.
//
// It owns the graph's shape, its runner (which action is ready now, what a result makes of the rest) and
// its exports: Pacemaker's transition XML, Graphviz, text and JSON. The runner is pure: it is told of
// results and answers with what may start; the simulator and the live controller use the same one. It
// never decides what should happen; that is the scheduler's.
package transition

import "github.com/cerco-ha/cerco/internal/cib"

// Kind is what carries an action out.
type Kind uint8

const (
	ResourceOp   Kind = iota // rsc_op: an operation of a resource agent on a node
	ClusterEvent             // crm_event: fencing, shutdown, clearing of failures
	Pseudo                   // pseudo_event: nothing to do, a point others wait for
)

// Graph is one transition.
type Graph struct {
	ID                int
	ClusterDelay      string // as configured, "60s"
	FencingTimeout    string // stonith-timeout
	FailedStopOffset  string // "INFINITY" or "1"
	FailedStartOffset string
	BatchLimit        string // empty: not given
	MigrationLimit    string
	FeatureSet        string    // crm_feature_set; written into every action that has none among its Attrs
	RecheckBy         int64     // seconds since the epoch, 0: none
	Actions           []*Action // Actions[i] is synapse i
	Idle              []Idle    // for drawings only; may be left out
}

// Idle is an action that was considered and is not part of the transition. Its Inputs may name actions
// of the graph and idle ones.
type Idle struct {
	Action   *Action
	Optional bool  // there is no need for it; otherwise it is needed and cannot be done
	Then     []int // actions of the graph that come after it
}

// Action is one action and what must be complete before it.
type Action struct {
	ID           int // unique in the graph, from 1
	Kind         Kind
	Task         string            // "start", "stop", "monitor", "stonith", ...
	Key          string            // operation_key: RESOURCE_TASK_INTERVAL
	LongKey      string            // internal_operation_key: the key with the instance number, when it differs
	Node         string            // on_node; empty for most pseudo events
	NodeID       string            // on_node_uuid
	About        string            // node that a pseudo event without Node is about, for drawings only; may be empty
	Router       string            // router_node: the cluster node that runs it for a remote node
	Mode         string            // mode: set for actions that the node's history alone is about, else empty
	ShutdownLock string            // shutdown-lock: seconds since the epoch, to be preserved in the history
	Downed       []string          // nodes that this action takes down
	Maintenance  []MaintenanceNode // nodes whose maintenance state this action is to record
	Rsc          *Resource         // resource operations
	Attrs        []cib.Attr        // <attributes>, sorted by name
	Priority     int
	Inputs       []Input // in ascending order of ID
	Reason       string  // why, for people
	CanFail      bool    // its failure does not stop what comes after
}

// Input is an action that must be complete first.
type Input struct{ ID int }

// MaintenanceNode is a node and whether it is in maintenance.
type MaintenanceNode struct {
	ID            string
	InMaintenance bool
}

// Resource identifies the resource of an operation. Attributes of the <primitive> element.
type Resource struct {
	ID                    string // id as agents and history know it
	LongID                string // id with the instance number, empty when it is the same
	Class, Provider, Type string
	Orphan                bool
}
