package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// window is how much a direction holds before a writer has to wait.
const window = 256 << 10

// conn is one end of a connection. What it reads is in its own pipe; it writes into its peer's.
type conn struct {
	net           *Network
	local, remote string // hosts
	laddr, raddr  addr
	in            *pipe
	peer          *conn
	once          sync.Once
}

func newPair(n *Network, from, to string, laddr, raddr addr) (mine, theirs *conn) {
	mine = &conn{net: n, local: from, remote: to, laddr: laddr, raddr: raddr}
	theirs = &conn{net: n, local: to, remote: from, laddr: raddr, raddr: laddr, peer: mine}
	mine.peer = theirs
	mine.in, theirs.in = newPipe(n, to, from), newPipe(n, from, to)
	n.mu.Lock()
	n.conns[mine], n.conns[theirs] = struct{}{}, struct{}{}
	n.mu.Unlock()
	return mine, theirs
}

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.peer.in.write(b) }
func (c *conn) LocalAddr() net.Addr         { return c.laddr }
func (c *conn) RemoteAddr() net.Addr        { return c.raddr }

// Close ends our end at once; the other one reads what is on its way, then the end.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.in.shut(net.ErrClosed)
		c.peer.in.finish()
		c.leave()
	})
	return nil
}

// fail ends one end as a reset does. When it is silent, the other end can go on to write, into the void.
func (c *conn) fail(err error, silent bool) {
	c.in.void.Store(silent)
	c.in.shut(err)
	c.peer.in.refuse(err)
	c.leave()
}

func (c *conn) leave() {
	c.net.mu.Lock()
	delete(c.net.conns, c)
	c.net.mu.Unlock()
}

func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.peer.in.setDeadline(&c.peer.in.writeBy, t)
	return nil
}

// pipe is one direction of a connection.
type pipe struct {
	net      *Network
	from, to string

	mu      sync.Mutex
	cond    *sync.Cond
	chunks  []chunk
	size    int
	ended   bool  // the writer has closed: after the chunks comes the end
	readErr error // the reader has closed, or the connection is reset
	sendErr error // the writer's end is reset

	void    atomic.Bool // the reader is gone and nobody has told the writer
	readBy  deadline
	writeBy deadline
}

type chunk struct {
	b  []byte
	at time.Time // it is there from then on
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newPipe(n *Network, from, to string) *pipe {
	p := &pipe{net: n, from: from, to: to}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *pipe) setDeadline(d *deadline, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, p.wake)
	}
	p.cond.Broadcast()
}

// wake has everybody who waits for the pipe look again.
func (p *pipe) wake() {
	p.mu.Lock()
	p.cond.Broadcast()
	p.mu.Unlock()
}

func (p *pipe) read(b []byte) (int, error) {
	var late *time.Timer
	p.mu.Lock()
	defer func() {
		p.mu.Unlock()
		if late != nil {
			late.Stop()
		}
	}()
	for {
		switch {
		case p.readErr != nil:
			return 0, p.readErr
		case p.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		}
		if l := p.net.link(p.from, p.to); !l.cut {
			if len(p.chunks) > 0 {
				if wait := time.Until(p.chunks[0].at); wait > 0 {
					if late != nil {
						late.Stop()
					}
					late = time.AfterFunc(wait, p.wake)
				} else {
					return p.take(b), nil
				}
			} else if p.ended {
				return 0, io.EOF
			}
		}
		p.cond.Wait()
	}
}

func (p *pipe) take(b []byte) int {
	c := &p.chunks[0]
	n := copy(b, c.b)
	c.b = c.b[n:]
	if len(c.b) == 0 {
		p.chunks = p.chunks[1:]
	}
	p.size -= n
	p.cond.Broadcast()
	return n
}

func (p *pipe) write(b []byte) (n int, err error) {
	delay := p.net.link(p.from, p.to).delay
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.sendErr != nil:
			return n, p.sendErr
		case p.ended:
			return n, net.ErrClosed
		case p.void.Load():
			return n + len(b), nil
		case p.readErr != nil:
			return n, io.ErrClosedPipe
		case p.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		}
		if free := window - p.size; free > 0 {
			part := b[:min(free, len(b))]
			p.chunks = append(p.chunks, chunk{append([]byte(nil), part...), time.Now().Add(delay)})
			p.size += len(part)
			n += len(part)
			b = b[len(part):]
			p.cond.Broadcast()
			continue
		}
		p.cond.Wait()
	}
}

// shut is the reader's end.
func (p *pipe) shut(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readErr == nil {
		p.readErr = err
	}
	p.stopTimers()
	p.cond.Broadcast()
}

// finish is the writer's end.
func (p *pipe) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.writeBy.timer != nil {
		p.writeBy.timer.Stop()
	}
	p.cond.Broadcast()
}

// refuse ends writing with an error.
func (p *pipe) refuse(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sendErr == nil {
		p.sendErr = err
	}
	p.cond.Broadcast()
}

func (p *pipe) stopTimers() {
	for _, d := range []*deadline{&p.readBy, &p.writeBy} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
}
