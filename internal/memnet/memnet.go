// Package memnet is a network in memory, for tests: hosts by name, listeners and connections that behave as
// TCP's do, and links that can be cut in one direction or both, slowed down and mended.
//
// It promises that bytes arrive whole and in order or not at all, that what was sent into a cut waits there
// as TCP would send it again, and that everything blocks in ways that testing/synctest understands. It never
// touches a real network, and has no part in the program that is shipped.
package memnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrRefused is the error of dialling where nobody listens.
var ErrRefused = syscall.ECONNREFUSED

// Network is a set of hosts that can reach each other. An address is "host:port", both of any kind; the
// host of an address without a colon is the whole of it. The zero value is ready.
type Network struct {
	mu        sync.Mutex
	change    chan struct{} // closed and replaced when a link changes
	listeners map[string]*listener
	links     map[way]link
	conns     map[*conn]struct{}
	port      int
}

// way is a direction between two hosts.
type way struct{ from, to string }

type link struct {
	cut   bool
	delay time.Duration
}

// init is called with mu held.
func (n *Network) init() {
	if n.change == nil {
		n.change = make(chan struct{})
		n.listeners, n.links, n.conns = map[string]*listener{}, map[way]link{}, map[*conn]struct{}{}
	}
}

func hostOf(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		return addr[:i]
	}
	return addr
}

// set changes links and wakes everybody who waits for one.
func (n *Network) set(change func(l *link), ways ...way) {
	n.mu.Lock()
	n.init()
	for _, w := range ways {
		l := n.links[w]
		change(&l)
		n.links[w] = l
	}
	n.mu.Unlock()
	n.wake()
}

// wake makes everybody look at the links and listeners again.
func (n *Network) wake() {
	n.mu.Lock()
	close(n.change)
	n.change = make(chan struct{})
	pipes := make([]*pipe, 0, len(n.conns))
	for c := range n.conns {
		pipes = append(pipes, c.in)
	}
	n.mu.Unlock()
	for _, p := range pipes {
		p.wake()
	}
}

// Cut ends all traffic between two hosts.
func (n *Network) Cut(a, b string) {
	n.set(func(l *link) { l.cut = true }, way{a, b}, way{b, a})
}

// CutOneWay ends the traffic from one host to another.
func (n *Network) CutOneWay(from, to string) {
	n.set(func(l *link) { l.cut = true }, way{from, to})
}

// Heal lets traffic between two hosts pass again, at full speed.
func (n *Network) Heal(a, b string) {
	n.set(func(l *link) { *l = link{} }, way{a, b}, way{b, a})
}

// Delay makes bytes from one host to another take that long.
func (n *Network) Delay(from, to string, d time.Duration) {
	n.set(func(l *link) { l.delay = d }, way{from, to})
}

// Partition cuts every link between hosts of different groups.
func (n *Network) Partition(groups ...[]string) {
	for i, a := range groups {
		for _, b := range groups[i+1:] {
			for _, x := range a {
				for _, y := range b {
					n.Cut(x, y)
				}
			}
		}
	}
}

// HealAll mends all links.
func (n *Network) HealAll() {
	n.mu.Lock()
	n.init()
	n.links = map[way]link{}
	n.mu.Unlock()
	n.wake()
}

// Crash ends all connections and listeners of a host. The others hear that at once, as they do of a killed
// process.
func (n *Network) Crash(host string) { n.drop(host, true) }

// PowerOff ends all connections and listeners of a host without a word to the others.
func (n *Network) PowerOff(host string) { n.drop(host, false) }

func (n *Network) drop(host string, tell bool) {
	n.mu.Lock()
	n.init()
	var ends []*conn
	for c := range n.conns {
		if c.local == host {
			ends = append(ends, c)
		}
	}
	var open []*listener
	for addr, l := range n.listeners {
		if hostOf(addr) == host {
			open = append(open, l)
		}
	}
	n.mu.Unlock()
	for _, l := range open {
		_ = l.Close()
	}
	for _, c := range ends {
		c.fail(syscall.ECONNRESET, !tell)
		if tell {
			c.peer.fail(syscall.ECONNRESET, false)
		}
	}
}

func (n *Network) link(from, to string) link {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.links[way{from, to}]
}

type listener struct {
	net   *Network
	addr  addr
	queue chan net.Conn
	done  chan struct{}
	once  sync.Once
}

type addr string

func (addr) Network() string  { return "mem" }
func (a addr) String() string { return string(a) }

// Listen opens an address. A host that listens has power: whoever still writes to what it was before learns
// that it is gone.
func (n *Network) Listen(address string) (net.Listener, error) {
	n.mu.Lock()
	n.init()
	var stale []*conn
	for c := range n.conns {
		if c.remote == hostOf(address) && c.peer.in.void.Load() {
			stale = append(stale, c)
		}
	}
	n.mu.Unlock()
	for _, c := range stale {
		c.fail(syscall.ECONNRESET, false)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[address] != nil {
		return nil, fmt.Errorf("listen %s: %w", address, syscall.EADDRINUSE)
	}
	l := &listener{net: n, addr: addr(address), queue: make(chan net.Conn, 128), done: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Addr() net.Addr { return l.addr }

// Close ends the listener; connections that nobody has accepted are reset.
func (l *listener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		delete(l.net.listeners, string(l.addr))
		l.net.mu.Unlock()
		close(l.done)
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

// Dial connects a host to an address. When nobody listens there it fails at once, when the link is cut
// (either way) it waits for it until ctx ends.
func (n *Network) Dial(ctx context.Context, from, to string) (net.Conn, error) {
	if from == "" {
		from = "mem"
	}
	for {
		n.mu.Lock()
		n.init()
		there, back := n.links[way{from, hostOf(to)}], n.links[way{hostOf(to), from}]
		l, change := n.listeners[to], n.change
		n.port++
		port := n.port
		n.mu.Unlock()
		if !there.cut && !back.cut {
			if l == nil {
				return nil, &net.OpError{Op: "dial", Net: "mem", Addr: addr(to), Err: ErrRefused}
			}
			if err := rest(ctx, there.delay+back.delay); err != nil {
				return nil, &net.OpError{Op: "dial", Net: "mem", Addr: addr(to), Err: err}
			}
			return n.connect(ctx, l, from, addr(fmt.Sprintf("%s:%d", from, 30000+port)))
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, &net.OpError{Op: "dial", Net: "mem", Addr: addr(to), Err: timedOut(ctx)}
		}
	}
}

func (n *Network) connect(ctx context.Context, l *listener, from string, local addr) (net.Conn, error) {
	mine, theirs := newPair(n, from, hostOf(string(l.addr)), local, l.addr)
	err := error(ErrRefused)
	select {
	case <-l.done:
	default:
		select {
		case l.queue <- theirs:
			return mine, nil
		case <-l.done:
		case <-ctx.Done():
			err = timedOut(ctx)
		}
	}
	_ = mine.Close()
	_ = theirs.Close()
	return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.addr, Err: err}
}

func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return timedOut(ctx)
	}
}

func timedOut(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return ctx.Err()
}
