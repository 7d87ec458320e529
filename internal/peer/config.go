package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// ErrUnreachable says that a call surely did not run at the other side.
var ErrUnreachable = errors.New("node cannot be reached")

// ErrNoService says that the other side does not know the service: it runs another version, or has stopped. It
// wraps ErrUnreachable.
var ErrNoService = fmt.Errorf("it has no such service, now or in its version of cerco: %w", ErrUnreachable)

// ErrUnknownOutcome says that a call was sent and no answer came: it may have run, be running, or never
// have arrived.
var ErrUnknownOutcome = errors.New("no answer: it is unknown whether the call was carried out")

// ErrStopped is returned by everything after Stop, and wraps ErrUnreachable.
var ErrStopped = fmt.Errorf("the transport has stopped: %w", ErrUnreachable)

// RemoteError is an error that the other side's handler returned: the call ran, and that is its answer.
type RemoteError struct {
	Node, Service, Message string
}

func (e *RemoteError) Error() string {
	return fmt.Sprintf("%s at %s: %s", e.Service, e.Node, e.Message)
}

// Node is a member of the cluster as this package needs to know it.
type Node struct {
	Name    string
	Addrs   []string // host:port, ring 0 first
	KeyHash string   // of its certificate's key, as KeyHash makes it
}

// Faults are what the lab does to the network, asked whenever something is sent, received or dialled.
// A node that is blocked is cut off in both directions. When the value also has the methods of OneWayFaults,
// these count, too.
type Faults interface {
	Blocked(node string) bool
}

// OneWayFaults block one direction: what we send to the node, or what it sends to us.
type OneWayFaults interface {
	BlockedTo(node string) bool
	BlockedFrom(node string) bool
}

// Config is what a Peer is made from. Name, Listen, Identity and Peers must be set.
type Config struct {
	Name   string   // this node
	Listen []string // host:port of this node, ring 0 first; ring k dials from the address of Listen[k]

	// Identity is asked at every handshake, so that certificates can be exchanged while running.
	Identity func() *Identity
	// Peers are all members, with or without this node. It is asked at every handshake, by Refresh, and
	// once a second; it must be quick. While it returns none, any certificate of the cluster's authority
	// will do, under the name that stands in it.
	Peers func() []Node
	// Invited reports whether a key (as KeyHash makes it) is one of an open invitation. Nil: none is.
	Invited func(keyHash string) bool

	Faults Faults       // nil: none
	Log    *slog.Logger // nil: silent
	// LinkChanged, when set, is told each time a link comes up or goes down. It must not block.
	LinkChanged func(LinkStatus)

	// Dial and Listener replace TCP, for tests. local is the host to dial from, or "".
	Dial     func(ctx context.Context, local, remote string) (net.Conn, error)
	Listener func(addr string) (net.Listener, error)
	Now      func() time.Time
}

func (c *Config) fill() {
	if c.Invited == nil {
		c.Invited = func(string) bool { return false }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.LinkChanged == nil {
		c.LinkChanged = func(LinkStatus) {}
	}
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	if c.Listener == nil {
		c.Listener = listenTCP
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// LinkStatus is the state of one link: one ring to one node.
type LinkStatus struct {
	Peer   string
	Ring   int
	Local  string // address of this side
	Remote string // address of the other side
	Up     bool
	Idle   bool          // down because nobody needs it: it is dialled when somebody does
	RTT    time.Duration // of the last pings, smoothed; 0 when none was answered
	Since  time.Time     // when Up changed last
	Error  string        // why it is down
}
