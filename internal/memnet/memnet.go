// Package memnet is a network in memory, for tests: listeners by address, and connections with buffers and
// deadlines between them. It owns no goroutine and no socket, so that whole clusters run under
// testing/synctest.
//
// It promises the semantics of TCP that programs count on: a write returns once it is buffered and waits when
// the buffer is full, a close is read as io.EOF after what was written before it, deadlines work, a connection
// to where nobody listens is refused. It never delays or loses anything by itself.
package memnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Network is a set of listeners that can be dialled. The zero value is ready.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	ports     int
}

// ErrRefused is the error of dialling where nobody listens.
var ErrRefused = errors.New("connection refused")

type addr string

func (addr) Network() string  { return "mem" }
func (a addr) String() string { return string(a) }

// Listen listens on an address, which can be any string.
func (n *Network) Listen(address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[address] != nil {
		return nil, fmt.Errorf("listen %s: address already in use", address)
	}
	if n.listeners == nil {
		n.listeners = map[string]*listener{}
	}
	l := &listener{n: n, addr: addr(address), queue: make(chan net.Conn, 128), done: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

// Dial connects to a listener. local is the host that it comes from, and may be empty.
func (n *Network) Dial(ctx context.Context, local, remote string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[remote]
	n.ports++
	if local == "" {
		local = "mem"
	}
	from := addr(fmt.Sprintf("%s:%d", local, 32768+n.ports))
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "mem", Addr: addr(remote), Err: ErrRefused}
	if l == nil {
		return nil, refused
	}
	ours, theirs := Pipe(from, addr(remote))
	select {
	case <-l.done:
		return nil, refused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case l.queue <- theirs:
		return ours, nil
	}
}

type listener struct {
	n     *Network
	addr  addr
	queue chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, net.ErrClosed
	case c := <-l.queue:
		return c, nil
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.n.mu.Lock()
		delete(l.n.listeners, string(l.addr))
		l.n.mu.Unlock()
		for {
			select {
			case c := <-l.queue:
				_ = c.Close()
			default:
				return
			}
		}
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

// Pipe makes a pair of connected connections.
func Pipe(a, b net.Addr) (net.Conn, net.Conn) {
	there, back := newHalf(), newHalf()
	return &conn{local: a, remote: b, in: back, out: there}, &conn{local: b, remote: a, in: there, out: back}
}

// bufferSize is how much one direction holds.
const bufferSize = 64 << 10

// half is one direction of a connection.
type half struct {
	mu      sync.Mutex
	changed *sync.Cond
	data    []byte
	ended   bool // the writer has closed: io.EOF after the data
	broken  bool // the reader has closed: writes fail
	read    deadline
	write   deadline
}

type deadline struct {
	passed bool
	timer  *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// set replaces a deadline of a half, whose lock is held.
func (h *half) set(d *deadline, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		h.changed.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.timer == timer {
			d.passed = true
			h.changed.Broadcast()
		}
	})
	d.timer = timer
}

type conn struct {
	local, remote net.Addr
	in, out       *half
}

func (c *conn) Read(b []byte) (int, error) {
	h := c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.broken:
			return 0, net.ErrClosed
		case h.read.passed:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(h.data) > 0:
			n := copy(b, h.data)
			h.data = h.data[n:]
			h.changed.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (c *conn) Write(b []byte) (int, error) {
	h := c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	written := 0
	for {
		switch {
		case h.ended:
			return written, net.ErrClosed
		case h.broken:
			return written, io.ErrClosedPipe
		case h.write.passed:
			return written, os.ErrDeadlineExceeded
		case len(b) == 0:
			return written, nil
		case len(h.data) < bufferSize:
			n := min(len(b), bufferSize-len(h.data))
			h.data = append(h.data, b[:n]...)
			written += n
			b = b[n:]
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

func (c *conn) Close() error {
	for _, h := range []*half{c.in, c.out} {
		h.mu.Lock()
		if h == c.in {
			h.broken = true
			h.set(&h.read, time.Time{})
		} else {
			h.ended = true
			h.set(&h.write, time.Time{})
		}
		h.changed.Broadcast()
		h.mu.Unlock()
	}
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.set(&c.in.read, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.set(&c.out.write, t)
	return nil
}
