package peer

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

var (
	errSilent = errors.New("nothing is heard of the node over this ring")
	errIdle   = errors.New("nobody uses it")
)

// Silence, in ticks. A ping goes out when nothing was heard for ticksPing, or ticksPingCold while nobody uses
// the link; the rest counts from the ping. A ping says for how long its
// sender's pings were not answered, so that the other side learns when only its way out is cut.
const (
	ticksPing       = 2
	ticksPingCold   = ticksPerSecond
	ticksSilentHere = 3  // the ring is down if another one hears the node
	ticksSilent     = 8  // the link is down
	ticksClosed     = 40 // the connection is given up
	ticksRTT        = ticksPerSecond
)

// conn is one connection of a link, after both sides have said hello. Peer.mu guards what changes.
type conn struct {
	p       *Peer
	r       *remote
	l       *link
	tls     *tls.Conn
	raw     net.Conn
	key     string // that the other side has shown
	dialled bool   // by us
	process uint64 // of the other side
	q       *queue
	heard   atomic.Bool  // something came in since the last look
	last    atomic.Int64 // when something came in, in nanoseconds since made
	made    time.Time
	busy    atomic.Bool  // and it was more than signs of life
	deaf    atomic.Int64 // for so many ticks the other side's pings were not answered, it says

	gone       bool
	err        error // why it is gone
	down       bool  // silent for too long
	born       int64 // tick
	idle       int64 // ticks since something came in
	unanswered int64 // ticks since a ping without anything coming in
	waiting    int64 // the same, or what the other side says of its own pings
	traffic    int64 // tick of the last thing that was more than a sign of life
	probed     int64 // tick of the last ping
	pinged     time.Time
	ping       uint64 // id of the last ping
	rtt        time.Duration
}

// stays reports whether it is this one that is kept of two: the one that the first of both names dialled.
func (c *conn) stays() bool { return c.dialled == (c.p.cfg.Name < c.r.name) }

// magnitude of the round-trip time; up to 5 ms all are equal.
func (c *conn) magnitude() int {
	n := 0
	for t := c.rtt; t > 5*time.Millisecond; t /= 4 {
		n++
	}
	return n
}

func (c *conn) reason() string {
	if c.err == nil {
		return ""
	}
	return c.err.Error()
}

// close ends the connection; Peer.mu is held.
func (c *conn) close(why error) {
	if c.gone {
		return
	}
	c.gone, c.err = true, why
	c.q.close()
	_ = c.raw.Close()
	c.l.lost(c)
}

// fail ends the connection from outside the lock.
func (c *conn) fail(why error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	c.close(why)
}

// look is called when ticks have passed: it counts silence, and asks for a sign of life when it is time.
func (c *conn) look(ticks int64, hot bool) {
	now := c.p.ticks
	if c.busy.Swap(false) {
		c.traffic = now
	}
	if c.heard.Swap(false) || ticks == calmTicks && c.justHeard() {
		c.idle, c.unanswered = 0, 0
	} else {
		c.idle += ticks
		if c.unanswered > 0 {
			c.unanswered += ticks
		}
	}
	patience := int64(ticksPing)
	if !hot {
		patience = ticksPingCold
	}
	quiet := c.idle >= patience && c.unanswered == 0
	if quiet {
		c.unanswered = 1
	}
	c.waiting = c.unanswered
	if deaf := c.deaf.Load(); deaf > ticksPing { // and not just one ping on its way
		c.waiting = max(c.waiting, deaf+1)
	}
	if since := now - c.probed; quiet || c.waiting > 0 && since >= ticksPing || hot && since >= ticksRTT {
		c.probed, c.pinged = now, time.Now()
		c.ping++
		c.q.putControl(kindPing, c.ping, []byte{byte(min(c.unanswered, 255))})
	}
}

// justHeard reports whether what comes at each calm look is only a little late: it comes at the same moment, a bit before
// one look or a bit after the next.
func (c *conn) justHeard() bool {
	last := c.last.Load()
	return last > 0 && time.Since(c.made)-time.Duration(last) < calmTicks*tickInterval+tickInterval/2
}

// writeLimit is how much is gathered for one write: a TLS record or two.
const writeLimit = 32 << 10

// write sends what the queue holds, until the connection ends.
func (c *conn) write() {
	var b []byte
	for {
		b = c.q.next(b[:0], writeLimit)
		if len(b) > 0 {
			if _, err := c.tls.Write(b); err != nil {
				c.fail(err)
				return
			}
			if cap(b) > 8*writeLimit {
				b = nil
			}
			continue
		}
		c.q.mu.Lock()
		closed := c.q.closed
		c.q.mu.Unlock()
		if closed {
			return
		}
		<-c.q.wake
	}
}

// read takes in frames, until the connection ends.
func (c *conn) read() {
	var (
		buf []byte
		asm = map[kind]*assemblies{kindRequest: {}, kindReply: {}}
		in  = bufio.NewReaderSize(c.tls, 4<<10)
	)
	for {
		f, err := readFrame(in, &buf)
		if err == nil {
			c.last.Store(int64(time.Since(c.made)))
			c.heard.Store(true)
			err = c.take(f, asm)
		}
		if err != nil {
			c.fail(fmt.Errorf("the connection has ended: %w", err))
			return
		}
	}
}

// take handles one frame.
func (c *conn) take(f frame, asm map[kind]*assemblies) error {
	switch f.kind {
	case kindPing:
		if len(f.payload) == 0 {
			return errFrame
		}
		c.deaf.Store(int64(f.payload[0]))
		c.q.putControl(kindPong, f.id, nil)
		return nil
	case kindPong:
		c.deaf.Store(0)
		c.pong(f.id)
		return nil
	}
	c.busy.Store(true)
	switch f.kind {
	case kindSend:
		service, msg, err := cutService(f.payload)
		if err != nil {
			return err
		}
		c.p.mu.Lock()
		h := c.p.sends[service]
		c.p.mu.Unlock()
		if h != nil {
			h(c.r.name, c.l.ring, append([]byte(nil), msg...))
		}
	case kindRequest, kindReply:
		m, err := asm[f.kind].add(f)
		switch {
		case err != nil:
			return err
		case m == nil:
		case f.kind == kindRequest:
			c.serve(f.id, m)
		default:
			c.p.answered(c, f.id, m.reply.status, m.data)
		}
	case kindCancel:
		c.cancelled(f.id)
	default:
		return errFrame
	}
	return nil
}

func (c *conn) pong(id uint64) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if id != c.ping {
		return
	}
	rtt := time.Since(c.pinged)
	if c.rtt == 0 {
		c.rtt = rtt
	} else {
		c.rtt += (rtt - c.rtt) / 4
	}
	if c.rtt == 0 {
		c.rtt = 1 // measured, and too short for the clock
	}
}

// greet exchanges hellos on a new connection. The one who dialled says which ring it is; the other one's
// answer says that it has let us in.
func (p *Peer) greet(c *tls.Conn, ring int, dialled bool) (hello, error) {
	mine := hello{ring: uint8(ring), process: p.process}.encode()
	send := func() error {
		_, err := c.Write(append(appendHeader(nil, kindHello, 0, 0, len(mine)), mine...))
		return err
	}
	if dialled {
		if err := send(); err != nil {
			return hello{}, err
		}
	}
	var buf []byte
	f, err := readFrame(c, &buf)
	if err != nil {
		return hello{}, err
	}
	if f.kind != kindHello {
		return hello{}, errFrame
	}
	h, err := decodeHello(f.payload)
	if err != nil {
		return hello{}, err
	}
	if !dialled {
		mine[1] = h.ring
		return h, send()
	}
	if int(h.ring) != ring {
		return hello{}, fmt.Errorf("the other side takes ring %d for ring %d: %w", ring, h.ring, errFrame)
	}
	return h, nil
}

// adopt takes a greeted connection into use and reads from it until it ends.
func (p *Peer) adopt(t *tls.Conn, raw net.Conn, id member, h hello, dialled bool) error {
	p.Refresh() // the member may have left, or be new, since the handshake began
	p.mu.Lock()
	r, err := p.admit(id)
	if err != nil {
		p.mu.Unlock()
		return err
	}
	for len(r.links) <= int(h.ring) && len(r.node.Addrs) == 0 && h.ring < maxRings {
		r.links = append(r.links, newLink(r, len(r.links)))
	}
	if int(h.ring) >= len(r.links) {
		p.mu.Unlock()
		return fmt.Errorf("%s has no ring %d", id.name, h.ring)
	}
	l := r.links[h.ring]
	c := &conn{
		p: p, r: r, l: l, tls: t, raw: raw, key: id.shown, dialled: dialled, process: h.process,
		q: newQueue(), made: time.Now(), born: p.ticks, traffic: p.ticks, probed: p.ticks - ticksRTT + 1,
	}
	if dialled {
		l.dialing = false
	}
	l.add(c)
	r.inbox.meet(h.process)
	p.mu.Unlock()
	if !p.run(c.write) {
		c.fail(ErrStopped)
		return ErrStopped
	}
	c.read()
	return nil
}

// maxRings is how many rings there may be.
const maxRings = 8
