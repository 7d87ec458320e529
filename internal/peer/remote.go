package peer

import (
	"context"
	"errors"
	"slices"
)

// remote is another node, with a link a ring. Peer.mu guards it.
type remote struct {
	p       *Peer
	name    string
	node    Node
	ctx     context.Context // ends when the node is no member any longer
	cut     context.CancelFunc
	links   []*link
	streams map[*stream]struct{}
	guests  map[*gate]string // connections of other protocols, with the key that was shown
	inbox   *inbox
	changed chan struct{} // closed and replaced when a link comes or goes
	used    int64         // tick at which somebody wanted something of it
	pending int           // calls to it
}

func (p *Peer) newRemote(n Node) *remote {
	ctx, cancel := context.WithCancel(p.ctx)
	return &remote{
		p: p, name: n.Name, node: n, ctx: ctx, cut: cancel,
		streams: map[*stream]struct{}{},
		guests:  map[*gate]string{},
		inbox:   newInbox(),
		changed: make(chan struct{}),
		used:    -2 * unused,
	}
}

// Limits in ticks.
const (
	hot    = 2 * ticksPerSecond  // so long after a use, silence is noticed at once
	useful = 30 * ticksPerSecond // so long after a use, a lost link is dialled again
	unused = 60 * ticksPerSecond // so long without any use, a link is closed
)

// warmPeers is up to how many other nodes links are kept even when nobody uses them.
const warmPeers = 8

// Refresh asks for the members anew. Whoever is no member any longer, or has another key, is cut off before
// it returns.
func (p *Peer) Refresh() {
	p.refreshing.Lock()
	defer p.refreshing.Unlock()
	nodes := p.cfg.Peers()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.anyone = len(nodes) == 0
	if p.stopped || p.anyone {
		return
	}
	seen := map[string]bool{}
	for _, n := range nodes {
		if n.Name == p.cfg.Name {
			continue
		}
		seen[n.Name] = true
		r := p.remotes[n.Name]
		if r != nil && r.node.KeyHash != n.KeyHash {
			r.rekey(n.KeyHash)
		}
		if r == nil {
			r = p.newRemote(n)
			p.remotes[n.Name] = r
		}
		r.update(n)
	}
	for name, r := range p.remotes {
		if !seen[name] {
			r.remove("it is no member any longer")
		}
	}
	for _, r := range p.remotes {
		for _, l := range r.links {
			if r.wanted() {
				l.dial()
			}
		}
	}
}

// update takes on changed addresses.
func (r *remote) update(n Node) {
	r.node = n
	for k, addr := range n.Addrs {
		if k == len(r.links) {
			r.links = append(r.links, newLink(r, k))
		}
		if l := r.links[k]; l.remote != addr {
			if l.remote != "" {
				l.drop("the node's address has changed", true)
			}
			l.remote = addr
		}
	}
	for _, l := range r.links[len(n.Addrs):] {
		l.remote = ""
		l.drop("the ring is no more", false)
	}
	if len(r.links) > len(n.Addrs) {
		r.links = r.links[:len(n.Addrs)]
	}
}

// rekey cuts what was connected with a key of the node that is not its own any longer.
func (r *remote) rekey(hash string) {
	r.p.tell(func() { r.p.cfg.Log.Info("node has another key", "node", r.name) })
	for _, l := range r.links {
		for _, c := range slices.Clone(l.conns) {
			if c.key != hash {
				c.close(errors.New("the node has another key now"))
			}
		}
	}
	for s := range r.streams {
		if s.key != hash {
			s.kill()
		}
	}
	r.showOut(hash)
}

// remove cuts a node off.
func (r *remote) remove(why string) {
	if len(r.links) > 0 {
		r.p.tell(func() { r.p.cfg.Log.Info("node is cut off", "node", r.name, "why", why) })
	}
	delete(r.p.remotes, r.name)
	r.cut()
	for _, l := range r.links {
		l.drop(why, false)
	}
	for s := range r.streams {
		s.kill()
	}
	r.showOut("")
	r.p.door.forget()
	r.broadcast()
}

// broadcast wakes everybody who waits for a link.
func (r *remote) broadcast() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// use notes that somebody wants something of the node, and sees that there are links.
func (r *remote) use() {
	r.used = r.p.ticks
	for _, l := range r.links {
		if l.best() == nil {
			l.dial()
		}
	}
}

// hot reports whether silence should be noticed at once.
func (r *remote) hot() bool {
	return r.pending > 0 || len(r.streams) > 0 || r.p.ticks-r.used <= hot
}

// wanted reports whether a missing link is worth dialling.
func (r *remote) wanted() bool {
	return r.hot() || r.p.ticks-r.used <= useful || len(r.p.remotes) <= warmPeers
}

// best is the connection to use: of a ring that works, with the smallest round-trip time by order of
// magnitude, and of these the first ring. Nil when there is none.
func (r *remote) best() *conn {
	var best *conn
	for _, l := range r.links {
		c := l.best()
		if c == nil || c.down {
			continue
		}
		if best == nil || c.magnitude() < best.magnitude() {
			best = c
		}
	}
	return best
}

// calm reports whether all links are as they should be: heard where they are in use, and closed or quiet where not.
func (r *remote) calm() bool {
	for _, l := range r.links {
		if l.dialing || len(l.conns) > 1 || len(l.conns) == 0 && l.remote != "" && r.wanted() {
			return false
		}
		for _, c := range l.conns {
			if c.down || c.waiting > 0 || c.idle > 0 && r.hot() {
				return false
			}
		}
	}
	return true
}

// look is called when ticks have passed. What it returns is to be done without the lock.
func (r *remote) look(ticks int64) []func() {
	var todo []func()
	for _, l := range r.links {
		for _, c := range slices.Clone(l.conns) {
			c.look(ticks, r.hot())
		}
	}
	for _, l := range r.links {
		todo = append(todo, l.judge()...)
	}
	r.inbox.expire(r.p.ticks)
	return todo
}

// heardElsewhere reports whether another ring has just heard the node.
func (r *remote) heardElsewhere(ring int) bool {
	for _, l := range r.links {
		if c := l.best(); l.ring != ring && c != nil && !c.down && c.idle <= 1 {
			return true
		}
	}
	return false
}
