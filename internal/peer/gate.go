package peer

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// gate is a socket on which the lab can cut a node off: what would be sent or received then waits, as it
// does in a network that loses everything, until the fault is over or the connection is closed. Without
// faults it only passes on.
type gate struct {
	net.Conn
	faults Faults
	done   chan struct{}
	once   sync.Once

	held   []byte // read, and not yet handed out
	left   int64  // bytes that may still be read, while limited
	limit  bool
	closed func() // when it is closed; may be nil

	mu    sync.Mutex
	node  string // "" before it is known
	read  time.Time
	write time.Time
}

// gateInterval is how often a fault is looked at again.
const gateInterval = 10 * time.Millisecond

var errBlocked = errors.New("the network is cut by a fault of the lab")

func newGate(c net.Conn, f Faults, node string) *gate {
	return &gate{Conn: c, faults: f, done: make(chan struct{}), node: node}
}

// blocked reports whether a fault cuts what we send to a node, or what it sends to us.
func blocked(f Faults, node string, sending bool) bool {
	if f == nil || node == "" {
		return false
	}
	if f.Blocked(node) {
		return true
	}
	one, ok := f.(OneWayFaults)
	return ok && (sending && one.BlockedTo(node) || !sending && one.BlockedFrom(node))
}

// name says who is at the other end; it fails when that node is cut off.
func (g *gate) name(node string) error {
	g.mu.Lock()
	g.node = node
	g.mu.Unlock()
	if blocked(g.faults, node, true) || blocked(g.faults, node, false) {
		return errBlocked
	}
	return nil
}

func (g *gate) wait(sending bool) error {
	if g.faults == nil {
		return nil
	}
	for {
		g.mu.Lock()
		node, deadline := g.node, g.read
		if sending {
			deadline = g.write
		}
		g.mu.Unlock()
		if !blocked(g.faults, node, sending) {
			return nil
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return os.ErrDeadlineExceeded
		}
		t := time.NewTimer(gateInterval)
		select {
		case <-g.done:
			t.Stop()
			return net.ErrClosed
		case <-t.C:
		}
	}
}

// allow says how many bytes may be read from now on; a negative number: any. It is not for use beside a Read.
func (g *gate) allow(n int64) { g.left, g.limit = n, n >= 0 }

var errTooMuch = errors.New("too much was said before it was clear who speaks")

func (g *gate) Read(b []byte) (int, error) {
	if g.limit {
		if g.left <= 0 {
			return 0, errTooMuch
		}
		b = b[:min(int64(len(b)), g.left)]
	}
	n, err := g.receive(b)
	g.left -= int64(n)
	return n, err
}

func (g *gate) receive(b []byte) (int, error) {
	if g.faults == nil {
		return g.Conn.Read(b)
	}
	var err error
	if len(g.held) == 0 {
		var n int
		n, err = g.Conn.Read(b)
		g.held = append(g.held, b[:n]...)
	}
	if werr := g.wait(false); werr != nil {
		return 0, werr
	}
	n := copy(b, g.held)
	g.held = g.held[n:]
	return n, err
}

func (g *gate) Write(b []byte) (int, error) {
	if err := g.wait(true); err != nil {
		return 0, err
	}
	return g.Conn.Write(b)
}

func (g *gate) Close() error {
	g.once.Do(func() {
		close(g.done)
		if g.closed != nil {
			g.closed()
		}
	})
	return g.Conn.Close()
}

func (g *gate) SetDeadline(t time.Time) error {
	g.mu.Lock()
	g.read, g.write = t, t
	g.mu.Unlock()
	return g.Conn.SetDeadline(t)
}

func (g *gate) SetReadDeadline(t time.Time) error {
	g.mu.Lock()
	g.read = t
	g.mu.Unlock()
	return g.Conn.SetReadDeadline(t)
}

func (g *gate) SetWriteDeadline(t time.Time) error {
	g.mu.Lock()
	g.write = t
	g.mu.Unlock()
	return g.Conn.SetWriteDeadline(t)
}
