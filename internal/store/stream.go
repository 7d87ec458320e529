package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// greetTimeout is how long a new connection may take to say who it is.
const greetTimeout = 2 * time.Second

// layer is the network of one log: raft's StreamLayer. Every connection begins with a hello that names the
// log; those of another log never get to raft. Closing it closes all connections, so that nothing of a log
// that was given up lives on.
type layer struct {
	store *Store
	log   LogID
	in    chan net.Conn
	done  chan struct{}

	mu     sync.Mutex
	closed bool
	conns  map[*tracked]struct{}
}

var _ raft.StreamLayer = (*layer)(nil)

func newLayer(s *Store, log LogID) *layer {
	return &layer{store: s, log: log, in: make(chan net.Conn), done: make(chan struct{}), conns: map[*tracked]struct{}{}}
}

// tracked is a connection that its layer can close.
type tracked struct {
	net.Conn
	layer *layer
	from  string // of an incoming one: who has dialled
}

// Close ends the connection.
func (t *tracked) Close() error {
	t.layer.forget(t)
	return t.Conn.Close()
}

// track takes a connection in; it is closed at once when the layer is.
func (l *layer) track(c net.Conn, from string) (*tracked, error) {
	t := &tracked{Conn: c, layer: l, from: from}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	l.conns[t] = struct{}{}
	return t, nil
}

func (l *layer) forget(t *tracked) {
	l.mu.Lock()
	delete(l.conns, t)
	l.mu.Unlock()
}

// Accept waits for the next connection of this log.
func (l *layer) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// deliver hands an incoming connection to raft.
func (l *layer) deliver(c net.Conn, from string) {
	t, err := l.track(c, from)
	if err != nil {
		return
	}
	select {
	case l.in <- t:
	case <-l.done:
		_ = t.Close()
	}
}

// Close ends the layer and all its connections.
func (l *layer) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	close(l.done)
	conns := l.conns
	l.conns = map[*tracked]struct{}{}
	l.mu.Unlock()
	for t := range conns {
		_ = t.Conn.Close()
	}
	return nil
}

// Addr is our name: raft's addresses are names of nodes.
func (l *layer) Addr() net.Addr { return nodeAddr(l.store.cfg.Name) }

type nodeAddr string

func (nodeAddr) Network() string  { return "node" }
func (a nodeAddr) String() string { return string(a) }

// Dial connects to the raft of another node.
func (l *layer) Dial(node raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	if string(node) == l.store.cfg.Name { // a message to ourselves, see node.campaign
		there, here := net.Pipe()
		go l.deliver(there, string(node))
		return l.track(here, "")
	}
	conn, err := l.store.cfg.Dial(string(node), timeout)
	if err != nil {
		return nil, err
	}
	t, err := l.track(conn, "")
	if err != nil {
		return nil, err
	}
	a, err := greet(t, hello{Kind: kindRaft, From: l.store.cfg.Name, Log: l.log}, min(timeout, greetTimeout))
	if err == nil && !a.OK {
		l.store.refused(string(node), a)
		err = &OtherLogError{Node: string(node), Ours: l.log, Theirs: a.Log, Blank: a.Blank, Why: a.Why}
	}
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	return t, nil
}

// OtherLogError says that a node does not share our log.
type OtherLogError struct {
	Node         string
	Ours, Theirs LogID
	Blank        bool
	Why          string
}

func (e *OtherLogError) Error() string {
	return fmt.Sprintf("node %s does not share our log %s: %s", e.Node, e.Ours, e.Why)
}

// serve takes in what arrives at the store's listener until that is closed.
func (s *Store) serve() {
	defer s.wg.Done()
	for {
		conn, err := s.cfg.Listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) && s.ctx.Err() == nil {
				s.cfg.Log.Error("the store's listener has failed: this node cannot take part in the log any more; restart the daemon", "err", err)
			}
			return
		}
		s.wg.Go(func() { s.welcome(conn) })
	}
}

// welcome answers the hello of a new connection, and hands it on.
func (s *Store) welcome(conn net.Conn) {
	stop := s.closeOnEnd(conn)
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(greetTimeout))
	var h hello
	if err := readHead(conn, &h); err != nil {
		_ = conn.Close()
		return
	}
	n := s.node.Load()
	if n == nil && !s.blank.Load() { // between two logs, or at the end: nothing that is said now would hold
		_ = conn.Close()
		return
	}
	a := s.statusOf(n)
	switch {
	case h.Kind == kindStatus:
		a.OK = true
	case h.Kind == kindOffer:
		a.Why = s.consider(h, n)
		a.OK = a.Why == ""
	case h.Kind != kindRaft:
		a.Why = fmt.Sprintf("unknown kind of stream %q", h.Kind)
	case n == nil:
		a.Why = fmt.Sprintf("%s has no log yet, and waits for an offer", s.cfg.Name)
	case n.id.Log != h.Log:
		a.Why = fmt.Sprintf("%s has the log %s", s.cfg.Name, n.id.Log)
	default:
		a.OK = true
	}
	if err := writeHead(conn, a); err != nil || !a.OK || h.Kind != kindRaft {
		_ = conn.Close()
		return
	}
	_ = conn.SetDeadline(time.Time{})
	stop()
	n.layer.deliver(conn, h.From)
}

// ask has another node's store answer a hello.
func (s *Store) ask(node string, h hello) (answer, error) {
	conn, err := s.cfg.Dial(node, greetTimeout)
	if err != nil {
		return answer{}, err
	}
	defer s.closeOnEnd(conn)()
	h.From = s.cfg.Name
	a, err := greet(conn, h, greetTimeout)
	_ = conn.Close()
	return a, err
}

// closeOnEnd closes the connection when the store ends before stop is called.
func (s *Store) closeOnEnd(conn net.Conn) (stop func() bool) {
	return context.AfterFunc(s.ctx, func() { _ = conn.Close() })
}
