package peer

import (
	"fmt"
	"slices"
	"time"
)

// link is one ring to one node. There is one connection at rest, or none; for moments there are two, when
// both sides dialled, or when one is about to replace another that fell silent. Peer.mu guards it.
type link struct {
	r      *remote
	ring   int
	remote string  // the address to dial
	conns  []*conn // oldest first
	mail   map[string]letter

	dialing  bool
	failures int   // attempts to dial that failed in a row
	tried    int64 // tick of the last attempt's begin
	attempt  int64 // its number
	next     int64 // tick of the next attempt, at the earliest

	up    bool
	since time.Time // when up changed
	why   string    // why it is down
}

// letter is a message that waits for a connection.
type letter struct {
	msg []byte
	at  int64 // tick
}

// maxLetterAge is how old a message may be, in ticks, to be delivered when a connection comes up.
const maxLetterAge = ticksPerSecond / 2

func newLink(r *remote, ring int) *link {
	return &link{r: r, ring: ring, since: r.p.cfg.Now(), tried: -ticksPerSecond, mail: map[string]letter{}}
}

// best is the connection to send on: one that is heard, and of two the one that will stay.
func (l *link) best() *conn {
	var best *conn
	for _, c := range l.conns {
		if best == nil || best.down && !c.down || best.down == c.down && (c.stays() || !best.stays()) {
			best = c
		}
	}
	return best
}

// put sends a message over this ring, now or when there is a connection.
func (l *link) put(service string, msg []byte) {
	if c := l.best(); c != nil {
		c.q.putSend(service, msg)
		return
	}
	l.mail[service] = letter{msg, l.r.p.ticks}
}

// dial begins an attempt to connect when there is need of one and it is time.
func (l *link) dial() {
	p := l.r.p
	if l.dialing || l.remote == "" || p.ticks < l.next || p.stopped {
		return
	}
	if c := l.best(); c != nil && !c.down {
		return
	}
	p.attempts++
	l.dialing, l.tried, l.attempt = true, p.ticks, p.attempts
	addr := l.remote
	p.runLocked(func() { p.dialLink(l, addr) })
}

// hurry makes the next attempt due now, unless there was one just now.
func (l *link) hurry() {
	l.next = min(l.next, l.tried+1)
	l.dial()
}

// failed notes that an attempt failed: the next one is due at once, then after 50 ms, doubled up to 1 s.
func (l *link) failed(err error) {
	l.dialing = false
	l.failures++
	l.next = l.r.p.ticks
	if l.failures > 1 {
		l.next += min(int64(1)<<min(l.failures-2, 10), ticksPerSecond)
	}
	l.setUp(false, err.Error())
	l.r.broadcast()
}

// add takes a new connection into use.
func (l *link) add(c *conn) {
	for _, old := range slices.Clone(l.conns) {
		if old.down || old.process != c.process {
			old.close(fmt.Errorf("replaced by a new connection"))
		}
	}
	l.conns = append(l.conns, c)
	l.failures, l.next = 0, 0
	for service, m := range l.mail {
		if l.r.p.ticks-m.at <= maxLetterAge {
			c.q.putSend(service, m.msg)
		}
	}
	clear(l.mail)
	if !l.up {
		l.r.p.healed()
	}
	l.setUp(true, "")
	l.r.broadcast()
}

// healed has every link tried at once that is down and wanted: when one comes back, the others most likely can, too,
// and whoever is heard late may be taken for lost.
func (p *Peer) healed() {
	for _, r := range p.remotes {
		for _, l := range r.links {
			if l.best() == nil && r.wanted() {
				l.hurry()
			}
		}
	}
}

// lost notes that a connection has ended.
func (l *link) lost(c *conn) {
	l.conns = slices.DeleteFunc(l.conns, func(x *conn) bool { return x == c })
	if best := l.best(); best == nil || best.down {
		l.setUp(false, c.reason())
		if l.r.wanted() && l.r.ctx.Err() == nil {
			l.hurry()
		}
	}
	l.r.broadcast()
}

// drop closes the link's connections, only those that we dialled when asked so.
func (l *link) drop(why string, dialledOnly bool) {
	for _, c := range slices.Clone(l.conns) {
		if c.dialled || !dialledOnly {
			c.close(fmt.Errorf("%s", why))
		}
	}
	l.failures, l.next = 0, 0
}

// twins is how long two connections of a link live side by side, in ticks, before one is closed.
const twins = ticksPerSecond

// judge is called when ticks have passed, after all connections were looked at.
func (l *link) judge() []func() {
	r := l.r
	for _, c := range slices.Clone(l.conns) {
		switch {
		case c.waiting >= ticksClosed:
			c.close(errSilent)
		case c.waiting >= ticksSilent, c.waiting >= ticksSilentHere && r.heardElsewhere(l.ring):
			if !c.down {
				c.down = true
				r.broadcast()
			}
		case c.down:
			c.down = false
			r.broadcast()
		case r.p.ticks-max(c.traffic, r.used) > unused && !r.wanted():
			c.close(errIdle)
		}
	}
	if len(l.conns) > 1 && r.p.cfg.Name < r.name {
		best := l.best()
		for _, c := range slices.Clone(l.conns) {
			if c != best && r.p.ticks-best.born > twins {
				c.close(fmt.Errorf("there is another connection"))
			}
		}
	}
	best := l.best()
	switch {
	case best == nil:
		if r.wanted() {
			l.dial()
		}
	case best.down:
		l.setUp(false, errSilent.Error())
		l.dial()
		return l.abandonStreams(best)
	default:
		l.setUp(true, "")
	}
	return nil
}

// abandonStreams cuts the streams of a ring that fell silent, so that whoever uses them takes another: at
// once when there is another ring, later when there is none.
func (l *link) abandonStreams(c *conn) []func() {
	if r := l.r; r.best() == nil {
		return nil
	}
	var todo []func()
	for s := range l.r.streams {
		if s.ring == l.ring {
			todo = append(todo, s.kill)
		}
	}
	return todo
}

// setUp notes whether the link works, and tells of changes.
func (l *link) setUp(up bool, why string) {
	if !up {
		l.why = why
	}
	if up == l.up {
		return
	}
	l.up, l.since = up, l.r.p.cfg.Now()
	s := l.status()
	l.r.p.tell(func() { l.r.p.changed(s) })
}

// changed tells of a link that came up or went down.
func (p *Peer) changed(s LinkStatus) {
	log := p.cfg.Log.With("node", s.Peer, "ring", s.Ring, "local", s.Local, "remote", s.Remote)
	switch {
	case s.Up:
		log.Info("link is up")
	case s.Idle:
		log.Debug("link is closed, nobody uses it")
	default:
		log.Warn("link is down", "why", s.Error)
	}
	p.cfg.LinkChanged(s)
}

func (l *link) status() LinkStatus {
	s := LinkStatus{Peer: l.r.name, Ring: l.ring, Local: l.r.p.source(l.ring), Remote: l.remote, Up: l.up, Since: l.since}
	if c := l.best(); c != nil {
		s.Local, s.RTT = c.raw.LocalAddr().String(), c.rtt
	}
	if !l.up {
		s.Error, s.Idle = l.why, !l.r.wanted()
	}
	return s
}

// Links are all links to all members, by name and ring.
func (p *Peer) Links() []LinkStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []LinkStatus
	for _, r := range p.remotes {
		for _, l := range r.links {
			out = append(out, l.status())
		}
	}
	slices.SortFunc(out, func(a, b LinkStatus) int {
		if a.Peer != b.Peer {
			if a.Peer < b.Peer {
				return -1
			}
			return 1
		}
		return a.Ring - b.Ring
	})
	return out
}
