package peer

import (
	"crypto/tls"
	"fmt"
	"net"
	"sync"
)

// maxGuests is how many connections a member may have to one of our Doors.
const maxGuests = 128

// guests is a listener of connections that members have made for a protocol that is not ours.
type guests struct {
	net.Listener
	p      *Peer
	protos []string
	queue  chan net.Conn
	done   chan struct{}
	once   sync.Once
}

// Door makes a listener for other protocols, such as the HTTPS API, of one of sockets: the same rules as on the nodes'
// own port. Its connections are *tls.Conn after their handshake, and of members (see MemberOf); whoever is none fails in
// the handshake, and who ceases to be one is cut off. Close closes l, too.
func (p *Peer) Door(l net.Listener, protos ...string) net.Listener {
	d := &guests{Listener: l, p: p, protos: protos, queue: make(chan net.Conn), done: make(chan struct{})}
	if !p.run(d.run) {
		_ = d.Close()
	}
	return d
}

// MemberOf is the name of the member at the other end of a connection of a Door; "" for others.
func MemberOf(c net.Conn) string {
	t, ok := c.(*tls.Conn)
	if !ok {
		return ""
	}
	g, ok := t.NetConn().(*gate)
	if !ok {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.node
}

// Accept waits for a member.
func (d *guests) Accept() (net.Conn, error) {
	select {
	case c := <-d.queue:
		return c, nil
	case <-d.done:
		return nil, net.ErrClosed
	}
}

// Close ends it, and what waits to be accepted.
func (d *guests) Close() error {
	err := d.Listener.Close()
	d.once.Do(func() { close(d.done) })
	return err
}

func (d *guests) run() {
	d.p.takeFrom(d.Listener, func(raw net.Conn, v *visitor) {
		if err := d.serve(raw, v); err != nil {
			d.p.refuse(raw, err)
		}
	})
	d.once.Do(func() { close(d.done) })
}

// serve sees a connection through its handshake and hands it on.
func (d *guests) serve(raw net.Conn, v *visitor) error {
	p := d.p
	g := newGate(raw, nil, "")
	if !p.hold(g) {
		return ErrStopped
	}
	var m member
	g.closed = func() { p.leaves(g, m.name) }
	t := tls.Server(g, d.config(&m))
	if err := p.shake(t, g); err != nil {
		v.failed()
		_ = g.Close()
		return err
	}
	v.proved()
	v.leave()
	err := p.seat(g, m)
	if err == nil {
		select {
		case d.queue <- t:
			return nil
		case <-d.done:
			err = net.ErrClosed
		case <-p.ctx.Done():
			err = ErrStopped
		}
	}
	_ = g.Close()
	return err
}

func (d *guests) config(m *member) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			id := d.p.cfg.Identity()
			if err := id.check(); err != nil {
				return nil, err
			}
			return &tls.Config{
				MinVersion:             tls.VersionTLS13,
				NextProtos:             d.protos,
				Certificates:           []tls.Certificate{*id.chain(false)},
				ClientAuth:             tls.RequireAnyClientCert,
				SessionTicketsDisabled: true,
				VerifyConnection: func(cs tls.ConnectionState) (err error) {
					*m, err = d.p.verify(id, cs.PeerCertificates)
					return err
				},
			}, nil
		},
	}
}

// seat notes a guest, so that it is cut off with its member.
func (p *Peer) seat(g *gate, m member) error {
	p.Refresh() // the member may have left since the handshake began
	p.mu.Lock()
	defer p.mu.Unlock()
	r, err := p.admit(m)
	switch {
	case err != nil:
		return err
	case len(r.guests) >= maxGuests:
		return fmt.Errorf("%s has %d connections already", m.name, maxGuests)
	}
	r.guests[g] = m.shown
	g.mu.Lock()
	g.node = m.name
	g.mu.Unlock()
	return nil
}

// leaves forgets a guest.
func (p *Peer) leaves(g *gate, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, g)
	if r := p.remotes[name]; r != nil {
		delete(r.guests, g)
	}
}

// showOut cuts the guests that have shown another key than the one that counts. Peer.mu is held.
func (r *remote) showOut(hash string) {
	for g, key := range r.guests {
		if key != hash {
			delete(r.guests, g)
			_ = g.Conn.Close() // whoever uses it finds out, and closes it
		}
	}
}
