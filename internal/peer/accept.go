package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// handshakeTimeout bounds everything from the first byte to the hello. A host under full load needs a while.
const handshakeTimeout = 2 * time.Second

// takeFrom takes connections from one listener, until it is closed, and has those served that may try to prove who
// they are.
func (p *Peer) takeFrom(l net.Listener, serve func(raw net.Conn, v *visitor)) {
	for {
		raw, err := l.Accept()
		if err != nil {
			if p.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			p.cfg.Log.Error("cannot take a connection of another node", "listen", l.Addr(), "err", err)
			select { // out of file descriptors, most likely
			case <-p.ctx.Done():
			case <-time.After(tickInterval):
			}
			continue
		}
		v := p.door.enter(raw.RemoteAddr().String())
		if v == nil {
			_ = raw.Close()
			continue
		}
		if !p.run(func() { defer v.leave(); serve(raw, v) }) {
			v.leave()
			_ = raw.Close()
		}
	}
}

// serveConn sees a connection through: handshake first, and nothing else before it.
func (p *Peer) serveConn(raw net.Conn, v *visitor) {
	g := newGate(raw, p.cfg.Faults, "")
	if !p.hold(g) {
		return
	}
	keep := false
	defer func() {
		if !keep {
			p.release(g)
		}
	}()
	t := tls.Server(g, p.serverTLS(g))
	if err := p.shake(t, g); err != nil {
		v.failed()
		p.refuse(raw, err)
		return
	}
	cs := t.ConnectionState()
	if cs.NegotiatedProtocol == protoJoin {
		v.leave()
		if !p.serveJoin(t, KeyHash(cs.PeerCertificates[0])) {
			v.failed()
		}
		return
	}
	m, err := p.verify(p.cfg.Identity(), cs.PeerCertificates)
	if err == nil {
		v.proved()
	}
	if err == nil && cs.NegotiatedProtocol == protoLink {
		var h hello
		if h, err = p.greet(t, 0, false); err == nil {
			v.leave()
			_ = g.SetDeadline(time.Time{})
			err = p.adopt(t, g, m, h, false)
		}
	} else if err == nil {
		keep, err = p.serveStream(t, g, m, cs.NegotiatedProtocol)
	}
	if err != nil {
		p.refuse(raw, err)
	}
}

// shake makes the handshake of TLS within its time and its number of bytes.
func (p *Peer) shake(t *tls.Conn, g *gate) error {
	deadline := time.Now().Add(handshakeTimeout)
	ctx, cancel := context.WithDeadline(p.ctx, deadline)
	defer cancel()
	_ = g.SetDeadline(deadline)
	g.allow(maxHandshakeBytes)
	if err := t.HandshakeContext(ctx); err != nil {
		return err
	}
	g.allow(-1)
	return nil
}

// refuse mentions in the log that somebody was not let in, but not each time.
func (p *Peer) refuse(raw net.Conn, err error) {
	if p.ctx.Err() != nil {
		return
	}
	if n, ok := p.door.mention(p.cfg.Now()); ok {
		p.cfg.Log.Warn("a connection was refused", "from", raw.RemoteAddr(), "why", err, "refused", n)
	}
}

// source is the host that ring k is dialled from, "" for any.
func (p *Peer) source(ring int) string {
	if ring >= len(p.cfg.Listen) {
		return ""
	}
	host, _, err := net.SplitHostPort(p.cfg.Listen[ring])
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return ""
	}
	return host
}

// connect dials a member and proves who both are. On success the socket is held.
func (p *Peer) connect(ctx context.Context, node string, ring int, addr, proto string) (*tls.Conn, *gate, member, error) {
	var m member
	if p.cfg.Faults != nil {
		if err := p.waitFault(ctx, node); err != nil {
			return nil, nil, m, err
		}
	}
	raw, err := p.cfg.Dial(ctx, p.source(ring), addr)
	if err != nil {
		return nil, nil, m, err
	}
	g := newGate(raw, p.cfg.Faults, node)
	if !p.hold(g) {
		return nil, nil, m, ErrStopped
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = g.SetDeadline(deadline)
	}
	t := tls.Client(g, p.clientTLS(node, proto, &m))
	if err := t.HandshakeContext(ctx); err != nil {
		p.release(g)
		return nil, nil, m, fmt.Errorf("handshake with %s at %s: %w", node, addr, err)
	}
	return t, g, m, nil
}

// waitFault stands in for a network that loses what is sent to connect.
func (p *Peer) waitFault(ctx context.Context, node string) error {
	end := time.NewTimer(4 * tickInterval)
	defer end.Stop()
	for blocked(p.cfg.Faults, node, true) || blocked(p.cfg.Faults, node, false) {
		again := time.NewTimer(gateInterval)
		select {
		case <-ctx.Done():
			again.Stop()
			return errBlocked
		case <-end.C:
			again.Stop()
			return errBlocked
		case <-again.C:
		}
	}
	return nil
}

// dialLink makes one attempt to connect a link, and reads from it until it ends.
func (p *Peer) dialLink(l *link, addr string) {
	node := l.r.name
	err := func() error {
		ctx, cancel := context.WithTimeout(l.r.ctx, handshakeTimeout)
		defer cancel()
		t, g, m, err := p.connect(ctx, node, l.ring, addr, protoLink)
		if err != nil {
			return err
		}
		defer p.release(g)
		h, err := p.greet(t, l.ring, true)
		if err != nil {
			return fmt.Errorf("%s at %s does not let us in: %w", node, addr, err)
		}
		_ = g.SetDeadline(time.Time{})
		return p.adopt(t, g, m, h, true)
	}()
	if err != nil {
		p.mu.Lock()
		if l.r.ctx.Err() == nil {
			l.failed(err)
		}
		p.mu.Unlock()
	}
}
