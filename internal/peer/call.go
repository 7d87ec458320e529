package peer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// call is one that this node makes. Peer.mu guards it, but for what has a lock of its own.
type call struct {
	p       *Peer
	r       *remote
	id      uint64
	head    []byte
	body    []byte
	start   int64  // number of the last attempt to connect that began before it
	process uint64 // of the other side, once it was sent there
	done    chan struct{}
	status  status
	reply   []byte

	mu    sync.Mutex // taken after Peer.mu and the queue's lock
	on    *conn      // where it was put last
	begun bool       // some of it was written
}

// How long a call waits while there is no link: one that surely did not arrive, and one that may have.
const (
	patienceFresh = time.Second
	patienceBegun = 2 * time.Second
)

// Call asks a service of a node and waits for the answer. It uses the best link, and asks again over another
// one when that falls silent; the other side makes sure that it is carried out once. Errors: *RemoteError is
// the handler's answer; ErrUnreachable says that the call surely did not run; ErrUnknownOutcome, also when
// ctx ended, that it may have. A call to this node itself runs the handler directly.
func (p *Peer) Call(ctx context.Context, node, service string, req []byte) ([]byte, error) {
	checkService(service)
	if len(req) > MaxMessage {
		return nil, fmt.Errorf("call %s at %s: a request of %d bytes is over the limit of %d: %w", service, node, len(req), MaxMessage, ErrUnreachable)
	}
	if node == p.cfg.Name {
		return p.callSelf(ctx, service, req)
	}
	k, err := p.newCall(ctx, node, service, req)
	if err != nil {
		return nil, fmt.Errorf("call %s at %s: %w", service, node, err)
	}
	err = k.run(ctx)
	if err == nil {
		err = k.result(service)
	}
	if remote := (*RemoteError)(nil); errors.As(err, &remote) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("call %s at %s: %w", service, node, err)
	}
	return k.reply, nil
}

// member finds a node, if need be in the newest list.
func (p *Peer) member(node string) (*remote, error) {
	for again := range 2 {
		p.mu.Lock()
		r, stopped := p.remotes[node], p.stopped
		p.mu.Unlock()
		switch {
		case stopped:
			return nil, ErrStopped
		case r != nil:
			return r, nil
		case again == 0:
			p.Refresh()
		}
	}
	return nil, fmt.Errorf("%s is no member of this cluster: %w", node, ErrUnreachable)
}

func (p *Peer) newCall(ctx context.Context, node, service string, req []byte) (*call, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", context.Cause(ctx), ErrUnreachable)
	}
	r, err := p.member(node)
	if err != nil {
		return nil, err
	}
	head := requestHead{service: service, size: uint32(len(req))}
	if deadline, ok := ctx.Deadline(); ok {
		head.timeout = uint32(max(1, min(time.Until(deadline).Milliseconds(), 1<<32-1)))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastCall++
	k := &call{p: p, r: r, id: p.lastCall, head: head.append(nil), body: req, start: p.attempts, done: make(chan struct{})}
	p.calls[k.id] = k
	r.pending++
	r.use()
	return k, nil
}

// run sees that the call is under way on some link until it is answered, or hopeless.
func (k *call) run(ctx context.Context) error {
	p := k.p
	defer k.forget()
	var lost *time.Timer // runs while there is no link
	defer func() {
		if lost != nil {
			lost.Stop()
		}
	}()
	for {
		p.mu.Lock()
		placed, err := k.place()
		changed := k.r.changed
		p.mu.Unlock()
		if err != nil {
			return err
		}
		var late <-chan time.Time
		if placed && lost != nil {
			lost.Stop()
			lost = nil
		} else if !placed {
			if lost == nil {
				patience := patienceFresh
				if k.sent() {
					patience = patienceBegun
				}
				lost = time.NewTimer(patience)
			}
			late = lost.C
		}
		select {
		case <-k.done:
			return nil
		case <-changed:
		case <-late:
			return k.over(errors.New("there is no link to it"))
		case <-ctx.Done():
			return k.over(context.Cause(ctx))
		case <-p.ctx.Done():
			return k.over(ErrStopped)
		}
	}
}

// place puts the call on a link, when it is on none that works. It reports whether it is on one, and an error
// when there is no point in waiting.
func (k *call) place() (bool, error) {
	select {
	case <-k.done: // answered in between
		return true, nil
	default:
	}
	if k.r.ctx.Err() != nil {
		return false, k.over(errors.New("it is no member any longer"))
	}
	on := k.where()
	if on != nil && !on.gone && !on.down {
		return true, nil
	}
	c := k.r.best()
	begun := k.sent()
	switch {
	case c == nil && !begun && k.r.refusedSince(k.start):
		return false, k.over(errors.New(k.r.excuses()))
	case c == nil:
		k.r.hurry()
		return false, nil
	case begun && c.process != k.process:
		return false, k.over(errors.New("its daemon was restarted meanwhile"))
	}
	k.process = c.process
	m := &message{kind: kindRequest, id: k.id, head: k.head, body: k.body, begun: func() bool { return k.begin(c) }}
	if begun {
		m.flags = flagAgain
	}
	k.mu.Lock()
	k.on = c
	k.mu.Unlock()
	if !c.q.putMessage(m) {
		if !begun {
			return false, k.over(errors.New("too many calls wait for the link"))
		}
		return false, nil
	}
	return true, nil
}

// begin is asked when a connection is about to write the call.
func (k *call) begin(c *conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.on != c {
		return false
	}
	k.begun = true
	return true
}

func (k *call) sent() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.begun
}

func (k *call) where() *conn {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.on
}

// over ends a call without an answer. From here on it is not sent if it was not yet.
func (k *call) over(why error) error {
	k.mu.Lock()
	on, begun := k.on, k.begun
	k.on = nil
	k.mu.Unlock()
	if !begun {
		if errors.Is(why, ErrUnreachable) {
			return why
		}
		return fmt.Errorf("%w: %w", why, ErrUnreachable)
	}
	if on != nil {
		on.q.putControl(kindCancel, k.id, nil)
	}
	if errors.Is(why, ErrUnreachable) { // it says "surely not", and that is not sure here
		return fmt.Errorf("%v: %w", why, ErrUnknownOutcome)
	}
	return fmt.Errorf("%w: %w", why, ErrUnknownOutcome)
}

func (k *call) forget() {
	k.p.mu.Lock()
	defer k.p.mu.Unlock()
	delete(k.p.calls, k.id)
	k.r.pending--
	k.r.used = k.p.ticks
}

// result makes an error of an answer that is none.
func (k *call) result(service string) error {
	switch k.status {
	case statusOK:
		return nil
	case statusError:
		return &RemoteError{Node: k.r.name, Service: service, Message: string(k.reply)}
	case statusNoService:
		return ErrNoService
	case statusBusy:
		return fmt.Errorf("it has too much to do: %w", ErrUnreachable)
	}
	return ErrUnknownOutcome
}

// answered takes a reply.
func (p *Peer) answered(c *conn, id uint64, s status, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.calls[id]
	if k == nil || k.r != c.r || k.process != c.process {
		return // nobody waits for it
	}
	delete(p.calls, id)
	k.status, k.reply = s, data
	close(k.done)
}

// callSelf runs a handler of our own.
func (p *Peer) callSelf(ctx context.Context, service string, req []byte) ([]byte, error) {
	p.mu.Lock()
	h, stopped := p.services[service], p.stopped
	p.mu.Unlock()
	if stopped {
		return nil, ErrStopped
	}
	if h == nil {
		return nil, fmt.Errorf("call %s at this node: there is no such service: %w", service, ErrUnreachable)
	}
	reply, err := h(ctx, p.cfg.Name, req)
	if err != nil {
		return nil, &RemoteError{Node: p.cfg.Name, Service: service, Message: err.Error()}
	}
	return reply, nil
}

// hurry has all links tried now.
func (r *remote) hurry() {
	for _, l := range r.links {
		l.hurry()
	}
}

// refusedSince reports whether on each ring an attempt to connect that came after a given one has failed.
func (r *remote) refusedSince(attempt int64) bool {
	for _, l := range r.links {
		if l.remote != "" && (l.dialing || l.failures == 0 || l.attempt <= attempt) {
			return false
		}
	}
	return true
}

// excuses says of each ring why it is down.
func (r *remote) excuses() string {
	var out []string
	for _, l := range r.links {
		if !l.up && l.why != "" {
			out = append(out, fmt.Sprintf("ring %d: %s", l.ring, l.why))
		}
	}
	if len(out) == 0 {
		return "it has no address"
	}
	return strings.Join(out, "; ")
}

// Send sends a message to a node on every link, and does not wait for anything. When a link is slow, the
// newest message of each service is what gets there. A message to this node itself is dropped.
func (p *Peer) Send(node, service string, msg []byte) {
	checkService(service)
	if node == p.cfg.Name || len(msg) > MaxSend {
		if len(msg) > MaxSend {
			p.cfg.Log.Error("a message is too long to be sent", "node", node, "service", service, "bytes", len(msg), "limit", MaxSend)
		}
		return
	}
	msg = append([]byte(nil), msg...)
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.remotes[node]
	if r == nil {
		return
	}
	r.use()
	for _, l := range r.links {
		l.put(service, msg)
	}
}
