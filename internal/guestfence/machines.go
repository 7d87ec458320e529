package guestfence

import (
	"context"
	"errors"
	"time"
)

// Machines is what a request acts on: the machines of this host, of several hosts watched from here, or of a
// cluster, whose owner is looked up.
//
// An id is what a guest sent: a machine's name or its UUID. Machines finds by UUID what parses as one, without
// regard to case, and by name otherwise, with regard to case. All methods may be called concurrently and end
// soon after ctx does. Errors wrap ErrUnknown, ErrElsewhere, ErrRefused or ErrUnreachable where they apply.
type Machines interface {
	// List returns the machines that this host can speak for, in any order.
	List(ctx context.Context) ([]Machine, error)
	// Find tells who id is and which state it is in now, from the hypervisor and not from memory.
	Find(ctx context.Context, id string) (Machine, error)
	// Off cuts the machine off at once and returns when it is proved that it runs no more. One that is off
	// already is a success, with the proof of that.
	Off(ctx context.Context, id string) (Proof, error)
	// On starts the machine. One that runs already is a success.
	On(ctx context.Context, id string) error
	// Reboot is Off, and then On as well as it goes: once the machine is proved off the reboot is a success. A
	// machine that was off before stays off. A restart that failed is told in the proof's detail.
	Reboot(ctx context.Context, id string) (Proof, error)
	// Check goes the whole way that a request would go, without harm to any machine.
	Check(ctx context.Context) error
}

var (
	// ErrUnknown is returned for a machine that nobody this host can ask knows.
	ErrUnknown = errors.New("no such machine")
	// ErrElsewhere is returned for a machine that another host answers for: this one stays silent.
	ErrElsewhere = errors.New("another host answers for this machine")
	// ErrRefused is returned for what may not be done; the error that wraps it says why.
	ErrRefused = errors.New("refused")
	// ErrUnreachable is returned when the hypervisor cannot be asked.
	ErrUnreachable = errors.New("the hypervisor cannot be reached")
)

// Machine is one virtual machine, as a guest may see it.
type Machine struct {
	Name  string
	UUID  string // 36 characters, lower case
	State State
}

// State is libvirt's state of a domain (virDomainState); the numbers go over the wire.
type State byte

const (
	NoState      State = 0
	Running      State = 1
	Blocked      State = 2
	Paused       State = 3
	ShuttingDown State = 4
	ShutOff      State = 5
	Crashed      State = 6
	Suspended    State = 7 // by the guest's power management
)

// Off tells whether a machine in this state runs nothing any more. Whatever is not known to be off is not off.
func (s State) Off() bool { return s == ShutOff }

var stateNames = [...]string{"no state", "running", "blocked", "paused", "shutting down", "shut off", "crashed", "suspended"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown state"
}

// Proof is why a machine is known to be off. The zero Proof is none.
type Proof struct {
	Kind   ProofKind `json:"kind"`
	Detail string    `json:"detail,omitempty"` // in words, with the numbers: "QEMU, process 4711, ended; libvirt says shut off"
	Host   string    `json:"host,omitempty"`   // where it was seen
	At     time.Time `json:"at,omitzero"`
}

// ProofKind is how it was seen that a machine is off.
type ProofKind string

const (
	ProcessGone ProofKind = "process-gone" // the process that was the machine has ended
	SaidOff     ProofKind = "shut-off"     // the hypervisor says so, and there is no process to look at
	AlreadyOff  ProofKind = "already-off"  // it was off before it was asked for
	HostFenced  ProofKind = "host-fenced"  // the host that it ran on is proved off
)

// Ports tells where guests' serial ports come out on this host. A Machines that can tell implements it too;
// without it there is no serial listener.
type Ports interface {
	// Ports lists the ports of the machines that run now.
	Ports(ctx context.Context) ([]Port, error)
}

// Port is a unix socket that the hypervisor has bound for a machine: a serial device or a channel of type
// "unix" whose source has mode "bind".
type Port struct {
	Machine Machine
	Path    string
	Channel bool // a channel to a forwarded address ("vmchannel"), not a serial device
}
