package controller

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Event is something that happened. Exactly one of the types below.
type Event interface{ event() }

// Lead says that this node decides from now on. State is that of the log up to the barrier of the new term;
// every later commit must follow as Applied, and Members as well: what was said of members before does not
// count. The rest is from the ledgers of the nodes that could be asked, and are bound to the new term by that.
type Lead struct {
	Term     uint64
	State    cib.State
	Answered []string        // names of those nodes
	InFlight []cib.Operation // what is being carried out there for earlier leaders, or waits to be; with all Attrs
	Unacked  []cib.OpResult  // what is done and may not be known yet
}

// Ledger is the same of nodes that have answered after Lead. It must come before the Members that call them ready.
type Ledger struct {
	Answered []string
	InFlight []cib.Operation
	Unacked  []cib.OpResult
}

// Follow says that another node decides, or nobody.
type Follow struct{}

// Applied says that a command has been committed, and what the state is with it.
type Applied struct {
	State   cib.State
	Command cib.Command
}

// Members says who is heard, and whether those who are have quorum. It is whole: it replaces the one before.
// Members of the cluster that are not in it are those of which nothing can be said yet.
type Members struct {
	Heard   []Heard
	Quorate bool
	Why     string // why quorate, or why not
}

// Heard is what is known of one member.
type Heard struct {
	ID, Name, BootID string
	Run              string // of its daemon: another one after each start
	Lost             bool   // silent for longer than the token
	LastHeard        time.Time
	Ready            bool // its daemon takes orders; false while it starts and once it has begun to stop
	Slots            int  // operations that it carries out at a time; 0: it sees to that itself
}

// Reported are results that a node's executor has sent and will send again until they are acknowledged.
type Reported struct{ Results []cib.OpResult }

// Undelivered says that an order did not get through, or that nobody can tell whether it did.
type Undelivered struct {
	Op      cib.Operation
	Err     string
	Refused bool // the node has seen a later epoch: it will never carry the order out
}

// Fenced is news of a fencing from the fencer: begun, tried, done or failed.
type Fenced struct{ Record cib.FenceRecord }

// Refused says that a command that was proposed cannot be committed as it is. What it was for is proposed
// again later if it is still needed.
type Refused struct {
	Command cib.Command
	Err     string
}

// Tick says that time has passed. It is wanted at the time of the last Wake, and does no harm at others.
type Tick struct{}

func (Lead) event()        {}
func (Ledger) event()      {}
func (Follow) event()      {}
func (Applied) event()     {}
func (Members) event()     {}
func (Reported) event()    {}
func (Undelivered) event() {}
func (Fenced) event()      {}
func (Refused) event()     {}
func (Tick) event()        {}

// Effect is something to be done, in the order returned. Exactly one of the types below.
type Effect interface{ effect() }

// Propose a command to the replicated state.
type Propose struct{ Command cib.Command }

// Dispatch an operation to the executor of Op.Node. The same operation may be dispatched again when it is
// uncertain whether it arrived. An operation named "do_shutdown" is for the node's daemon: it stops, and
// leaves no result.
type Dispatch struct{ Op cib.Operation }

// Fence a node, or unfence it.
type Fence struct{ Request cib.FenceRequest }

// CancelFence gives a fencing up that is no longer wanted; one that cannot be stopped any more goes on.
type CancelFence struct{ ID string }

// Wake asks for a Tick at a time. It replaces the Wake before it; a zero time: none is needed.
type Wake struct{ At time.Time }

// Keep a plan, with the CIB that it was made from.
type Keep struct{ Transition Transition }

// Ended says what became of a plan.
type Ended struct {
	Epoch   cib.Epoch
	Outcome string // "complete", or why it was given up
}

// Ack tells a node's executor that a result is a committed fact, or needs not become one.
type Ack struct {
	Node   string
	Serial uint64
}

// Note is something for the log.
type Note struct {
	Level string // "info", "warn" or "error"
	Text  string
	Args  []any // keys and values, as slog has them
}

func (Propose) effect()     {}
func (Dispatch) effect()    {}
func (Fence) effect()       {}
func (CancelFence) effect() {}
func (Wake) effect()        {}
func (Keep) effect()        {}
func (Ended) effect()       {}
func (Ack) effect()         {}
func (Note) effect()        {}

// Transition is one plan as it is kept for history.
type Transition struct {
	Epoch  cib.Epoch
	Number int // of the graph
	At     time.Time
	Input  *cib.CIB // what it was made from, operations in flight included
	Plan   *scheduler.Plan
	Why    string // what made it necessary
}
