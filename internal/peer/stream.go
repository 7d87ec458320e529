package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// stream is a connection of its own between two nodes, for raft or HTTP.
type stream struct {
	*tls.Conn
	p    *Peer
	r    *remote
	g    *gate
	key  string // that the other side has shown
	ring int
	once sync.Once
	err  error
}

// nodeAddr is the address of a stream's other end: the name of the node.
type nodeAddr string

func (nodeAddr) Network() string  { return "cerco" }
func (a nodeAddr) String() string { return string(a) }

// RemoteAddr is the name of the node at the other end, as its certificate proved it.
func (s *stream) RemoteAddr() net.Addr { return nodeAddr(s.r.name) }

// closePatience is how long a stream's end may take to be told to the other side.
const closePatience = 200 * time.Millisecond

// Close ends the stream.
func (s *stream) Close() error {
	s.once.Do(func() {
		late := time.AfterFunc(closePatience, func() { _ = s.g.Close() })
		s.err = s.Conn.Close()
		late.Stop()
		s.p.mu.Lock()
		delete(s.r.streams, s)
		s.p.mu.Unlock()
		s.p.release(s.g)
	})
	return s.err
}

// kill cuts the stream; whoever uses it finds out and closes it.
func (s *stream) kill() { _ = s.g.Close() }

// letIn is the byte by which the other side of a stream says that it has let us in.
const letIn = 0x06

// Stream opens a connection to whoever accepts a protocol (such as "cerco/raft") at a node, over the best
// link. It fails with ErrUnreachable. The connection is cut when its ring falls silent while another one
// works; then the next Stream takes that one.
func (p *Peer) Stream(node, proto string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, timeout)
	defer cancel()
	r, err := p.member(node)
	if err != nil {
		return nil, fmt.Errorf("open %s to %s: %w", proto, node, err)
	}
	var errs []error
	tried := map[int]bool{}
	for {
		ring, addr, err := p.route(ctx, r, tried)
		if err != nil {
			return nil, fmt.Errorf("open %s to %s: %w: %w", proto, node, errors.Join(append(errs, err)...), ErrUnreachable)
		}
		s, err := p.openStream(ctx, r, ring, addr, proto)
		if err == nil {
			return s, nil
		}
		tried[ring] = true
		errs = append(errs, fmt.Errorf("ring %d: %w", ring, err))
	}
}

// route finds the best ring that was not tried, and waits until there is a link at all.
func (p *Peer) route(ctx context.Context, r *remote, tried map[int]bool) (ring int, addr string, err error) {
	p.mu.Lock()
	start := p.attempts
	r.use()
	for {
		if c := r.best(); c != nil && !tried[c.l.ring] && c.l.remote != "" {
			defer p.mu.Unlock()
			return c.l.ring, c.l.remote, nil
		}
		for _, l := range r.links {
			if c := l.best(); c != nil && !c.down && !tried[l.ring] && l.remote != "" {
				defer p.mu.Unlock()
				return l.ring, l.remote, nil
			}
		}
		if len(tried) > 0 || r.refusedSince(start) {
			defer p.mu.Unlock()
			return 0, "", errors.New(r.excuses())
		}
		r.hurry()
		changed := r.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-r.ctx.Done():
			return 0, "", errors.New("it is no member any longer")
		case <-ctx.Done():
			return 0, "", errors.New("no link came up in time")
		}
		p.mu.Lock()
	}
}

func (p *Peer) openStream(ctx context.Context, r *remote, ring int, addr, proto string) (*stream, error) {
	t, g, m, err := p.connect(ctx, r.name, ring, addr, proto)
	if err != nil {
		return nil, err
	}
	b := [1]byte{byte(ring)}
	if _, err = t.Write(b[:]); err == nil {
		_, err = io.ReadFull(t, b[:])
	}
	if err == nil && b[0] != letIn {
		err = errFrame
	}
	var s *stream
	if err == nil {
		_ = g.SetDeadline(time.Time{})
		s, err = p.newStream(t, g, m, ring)
	}
	if err != nil {
		p.release(g)
		return nil, err
	}
	return s, nil
}

// newStream notes a stream that both sides want, so that it can be cut.
func (p *Peer) newStream(t *tls.Conn, g *gate, m member, ring int) (*stream, error) {
	p.Refresh()
	p.mu.Lock()
	defer p.mu.Unlock()
	r, err := p.admit(m)
	if err != nil {
		return nil, err
	}
	s := &stream{Conn: t, p: p, r: r, g: g, key: m.shown, ring: ring}
	r.streams[s] = struct{}{}
	r.used = p.ticks
	return s, nil
}

// serveStream hands a stream of another node to whoever accepts its protocol. It reports whether the
// connection lives on.
func (p *Peer) serveStream(t *tls.Conn, g *gate, m member, proto string) (bool, error) {
	var b [1]byte
	if _, err := io.ReadFull(t, b[:]); err != nil {
		return false, err
	}
	s, err := p.newStream(t, g, m, int(b[0]))
	if err != nil {
		return false, err
	}
	p.mu.Lock()
	a := p.accepts[proto]
	p.mu.Unlock()
	if _, err = t.Write([]byte{letIn}); err == nil {
		_ = g.SetDeadline(time.Time{})
		err = a.put(s)
	}
	if err != nil {
		_ = s.Close()
	}
	return err == nil, err
}

// acceptor is a listener of streams of one protocol.
type acceptor struct {
	p     *Peer
	proto string
	queue chan *stream
	done  chan struct{}
	once  sync.Once
}

var _ net.Listener = (*acceptor)(nil)

// maxStreams is how many streams wait to be accepted.
const maxStreams = 64

// Accept makes a listener of the streams of a protocol. Before there is one, and after it was closed, such
// streams are refused.
func (p *Peer) Accept(proto string) net.Listener {
	a := &acceptor{p: p, proto: proto, queue: make(chan *stream, maxStreams), done: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.accepts[proto]; old != nil {
		old.close()
	}
	p.accepts[proto] = a
	if p.stopped {
		a.close()
	}
	return a
}

func (a *acceptor) put(s *stream) error {
	if a == nil {
		return net.ErrClosed
	}
	select {
	case <-a.done:
		return net.ErrClosed
	default:
	}
	select {
	case a.queue <- s:
		return nil
	default:
		return fmt.Errorf("over %d streams of %s wait to be accepted", maxStreams, a.proto)
	}
}

// Accept waits for a stream. RemoteAddr of it is the node's name.
func (a *acceptor) Accept() (net.Conn, error) {
	select {
	case <-a.done:
		return nil, net.ErrClosed
	case s := <-a.queue:
		return s, nil
	}
}

func (a *acceptor) close() { a.once.Do(func() { close(a.done) }) }

// Close ends the listener, and with it the streams that nobody has accepted.
func (a *acceptor) Close() error {
	a.p.mu.Lock()
	if a.p.accepts[a.proto] == a {
		delete(a.p.accepts, a.proto)
	}
	a.p.mu.Unlock()
	a.close()
	for {
		select {
		case s := <-a.queue:
			_ = s.Close()
		default:
			return nil
		}
	}
}

// Addr names the protocol.
func (a *acceptor) Addr() net.Addr { return nodeAddr(a.p.cfg.Name + "/" + a.proto) }
