package hypervisor

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/digitalocean/go-libvirt"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// Host is the machines of one hypervisor. An id is a machine's UUID if it reads as one, else its name. Errors
// wrap guestfence.ErrUnknown, guestfence.ErrUnreachable or ErrMigrating where they apply.
type Host interface {
	// List returns all machines, those that are off too, in order of their names.
	List(ctx context.Context) ([]Machine, error)
	// Find returns the state of one machine as it is now.
	Find(ctx context.Context, id string) (Machine, error)
	// Off cuts a machine off and returns with the proof.
	Off(ctx context.Context, id string) (guestfence.Proof, error)
	// On starts a machine; one that runs already is a success.
	On(ctx context.Context, id string) error
	// Reboot is Off and then On; one that is off stays off. What the start said is in the proof's detail.
	Reboot(ctx context.Context, id string) (guestfence.Proof, error)
	// Events tells what happens to machines, until ctx ends; then the channel is closed. The first event, and
	// the first after each time that the connection was lost, is Again: what came before was not told.
	Events(ctx context.Context) <-chan Event
	// Check goes the whole way to the hypervisor.
	Check(ctx context.Context) error
}

// Machine is a virtual machine as its hypervisor sees it.
type Machine struct {
	guestfence.Machine
	Migration Migration
}

// Migration is whether a machine is on its way between hosts.
type Migration byte

const (
	Settled Migration = iota
	Leaving           // it may go on running elsewhere from any moment
	Coming            // its process is here, what runs is not yet
	Left              // it is shut off here since it runs elsewhere
)

// Here tells whether what runs, runs here.
func (m Machine) Here() bool { return !m.State.Off() && m.Migration != Coming }

// ErrMigrating is returned for a machine that is between two hosts: ending its process here proves nothing.
var ErrMigrating = errors.New("the machine is being migrated")

// Event is one thing that happened to a machine.
type Event struct {
	Kind EventKind
	Name string
	UUID string
}

// EventKind is what happened.
type EventKind string

const (
	Again     EventKind = "again" // the connection is new: look at everything
	Defined   EventKind = "defined"
	Undefined EventKind = "undefined"
	Started   EventKind = "started"
	Paused    EventKind = "paused"
	Resumed   EventKind = "resumed"
	Stopped   EventKind = "stopped"
	Moved     EventKind = "moved" // stopped here, because it runs elsewhere now
	Other     EventKind = "other"
)

// uuidOf returns the UUID that an id is, in lower case with its dashes, or "" if it is a name.
func uuidOf(id string) string {
	if len(id) != 36 {
		return ""
	}
	for i, c := range []byte(id) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return ""
		}
	}
	return strings.ToLower(id)
}

// uuidBytes turns what uuidOf returned into libvirt's form.
func uuidBytes(u string) (out libvirt.UUID) {
	b, _ := hex.DecodeString(strings.ReplaceAll(u, "-", "")) // uuidOf has seen that it is one
	copy(out[:], b)
	return out
}

func uuidText(u libvirt.UUID) string {
	s := hex.EncodeToString(u[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
