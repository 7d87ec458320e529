package api

import (
	"context"
	"errors"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// Errors of a Backend that the API has an answer for. Others are answered as internal errors.
var (
	ErrNotFound = errors.New("not found")
	ErrNoLeader = errors.New("nobody decides at the moment")
	ErrDenied   = errors.New("denied")
)

// Store is the replicated state.
type Store interface {
	// State is the committed state. With fresh it is no older than the call; that needs a leader. Without, it is
	// what this node has.
	State(ctx context.Context, fresh bool) (cib.State, error)
	// Propose has the command committed, through the leader wherever it is, and returns a state of this node that
	// has it. The caller has set By, Note and what is to be done; V and At are filled in.
	Propose(ctx context.Context, c cib.Command) (cib.State, error)
}

// Activity is what the cluster is doing.
type Activity interface {
	// Rest says whether the plan that knows the command of that index has come to rest, and what it waits for.
	Rest(ctx context.Context, index uint64) (wire.Rest, error)
	// Settle waits for that. When the context ends first it returns what it waits for, and no error.
	Settle(ctx context.Context, index uint64) (wire.Rest, error)
}

// Fencing cuts nodes off.
type Fencing interface {
	// Fence returns once the request is decided; a failed fencing is a record, not an error.
	Fence(ctx context.Context, r cib.FenceRequest) (cib.FenceRecord, error)
	// Confirm takes an operator's word that the target is off.
	Confirm(ctx context.Context, target, by string) (cib.FenceRecord, error)
	// Devices lists the devices that can fence the target; all devices for an empty one.
	Devices(ctx context.Context, target string) ([]wire.Device, error)
}

// Plans are the transitions that are kept, newest first.
type Plans interface {
	Transitions(ctx context.Context) ([]wire.Transition, error)
	// TransitionInput is the CIB that a transition was made from, TransitionGraph what was made of it; both XML.
	TransitionInput(ctx context.Context, id string) ([]byte, error)
	TransitionGraph(ctx context.Context, id string) ([]byte, error)
}

// Members is the cluster as a set of nodes.
type Members interface {
	Self() wire.Node
	Cluster(ctx context.Context) (wire.Cluster, error)
	Invite(ctx context.Context, i wire.Invite, by string) (wire.Invited, error)
	Remove(ctx context.Context, node string, force bool, by string) error
	// Options changes how votes are counted, how fast losses are noticed and how old keys get; nil leaves each as it is.
	Options(ctx context.Context, o wire.Options, by string) error
	// Upgrade says how far an upgrade of the nodes is; with final it ends it.
	Upgrade(ctx context.Context, final bool, by string) (wire.Upgrade, error)
	// Rotate has a node exchange its key, RotateCA makes a new certificate authority.
	Rotate(ctx context.Context, node, by string) error
	RotateCA(ctx context.Context, by string) error
	// Stop has the node's resources moved away and its daemon end.
	Stop(ctx context.Context, node, by string) error
}

// Reports are what nodes tell for the sake of a report.
type Reports interface {
	// Report is an archive of package report with what a node has to tell of a time, without secrets.
	Report(ctx context.Context, node string, from, to time.Time) ([]byte, error)
}

// Debugger tells of the inside: what names a topic, empty for the list of topics.
type Debugger interface {
	Debug(ctx context.Context, what string) (any, error)
}

// Backend is all that the API stands on. The daemon implements it.
type Backend interface {
	Store
	Activity
	Fencing
	Plans
	Members
	Reports
	Debugger
}
