package peer

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Handler answers a call of another node. ctx ends with the caller's patience, when the caller is no member
// any longer, and with Stop. An error becomes a *RemoteError at the caller's.
type Handler func(ctx context.Context, from string, req []byte) ([]byte, error)

// SendHandler takes a message that came over a ring. It must return at once: the link waits for it.
type SendHandler func(from string, ring int, msg []byte)

// Peer is this node's end of all links.
type Peer struct {
	cfg     Config
	process uint64 // drawn at start: tells this process from the one before it
	ctx     context.Context
	cancel  context.CancelFunc

	tasks      sync.WaitGroup // our own goroutines
	handlers   sync.WaitGroup // those in the callers' handlers
	refreshing sync.Mutex     // one Refresh at a time, taken before mu
	door       *door          // bounds handshakes
	told       chan struct{}  // wakes the teller; of size 1

	mu        sync.Mutex
	started   bool
	stopped   bool
	ticks     int64    // of tickInterval since Start
	anyone    bool     // there is no list of members: whoever has a certificate is one
	notes     []func() // what the teller is to tell
	listeners []net.Listener
	remotes   map[string]*remote
	services  map[string]Handler
	sends     map[string]SendHandler
	accepts   map[string]*acceptor
	join      JoinHandler
	calls     map[uint64]*call // under way, by id
	lastCall  uint64
	attempts  int64                 // to connect, on all links
	open      map[net.Conn]struct{} // every socket, for Stop
}

// New makes a Peer, which does nothing before Start. Handlers may be given before and after.
func New(cfg Config) *Peer {
	cfg.fill()
	ctx, cancel := context.WithCancel(context.Background())
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	return &Peer{
		cfg: cfg, ctx: ctx, cancel: cancel, process: binary.BigEndian.Uint64(seed[:]),
		remotes:  map[string]*remote{},
		services: map[string]Handler{},
		sends:    map[string]SendHandler{},
		accepts:  map[string]*acceptor{},
		calls:    map[uint64]*call{},
		open:     map[net.Conn]struct{}{},
		told:     make(chan struct{}, 1),
		door:     newDoor(cfg.Now),
	}
}

// Start listens on all addresses and begins to keep links. When it fails, nothing is left running.
func (p *Peer) Start() error {
	if err := p.cfg.Identity().check(); err != nil {
		return err
	}
	p.mu.Lock()
	if p.started || p.stopped {
		p.mu.Unlock()
		return errors.New("peer: Start is called once, and not after Stop")
	}
	p.started = true
	p.mu.Unlock()
	for _, addr := range p.cfg.Listen {
		l, err := p.cfg.Listener(addr)
		if err != nil {
			p.Stop()
			return err
		}
		p.mu.Lock()
		p.listeners = append(p.listeners, l)
		p.mu.Unlock()
		p.run(func() { p.takeFrom(l, p.serveConn) })
	}
	p.Refresh()
	p.run(p.tick)
	p.run(p.teller)
	return nil
}

// Addrs are the addresses that it listens on, for tests that let the system choose ports.
func (p *Peer) Addrs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, l := range p.listeners {
		out = append(out, l.Addr().String())
	}
	return out
}

// stopPatience is how long Stop waits for handlers that do not heed their context.
const stopPatience = 3 * time.Second

// Stop ends everything: what is under way fails, and no goroutine of ours is left. It may be called twice.
func (p *Peer) Stop() {
	p.mu.Lock()
	var open []net.Conn
	if !p.stopped {
		p.stopped = true
		p.cancel()
		for _, l := range p.listeners {
			_ = l.Close()
		}
		for c := range p.open {
			open = append(open, c)
		}
		for _, a := range p.accepts {
			a.close()
		}
		for _, r := range p.remotes {
			r.broadcast()
		}
	}
	p.mu.Unlock()
	for _, c := range open { // some take the lock
		_ = c.Close()
	}
	p.tasks.Wait()
	done := make(chan struct{})
	go func() { p.handlers.Wait(); close(done) }()
	patience := time.NewTimer(stopPatience)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		p.cfg.Log.Warn("handlers of calls do not end", "after", stopPatience)
	}
}

// run starts a goroutine that Stop waits for. It reports false after Stop.
func (p *Peer) run(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.runLocked(f)
}

func (p *Peer) runLocked(f func()) bool {
	if p.stopped {
		return false
	}
	p.tasks.Go(f)
	return true
}

// hold notes a socket, to be closed by Stop; it closes it at once when that was called already.
func (p *Peer) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		_ = c.Close()
		return false
	}
	p.open[c] = struct{}{}
	return true
}

// release closes a socket and forgets it.
func (p *Peer) release(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
}

// Handle sets the handler of calls to a service.
func (p *Peer) Handle(service string, h Handler) {
	checkService(service)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.services[service] = h
}

// HandleSend sets the handler of messages of a service.
func (p *Peer) HandleSend(service string, h SendHandler) {
	checkService(service)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sends[service] = h
}

func checkService(service string) {
	if service == "" || len(service) > maxService {
		panic(fmt.Sprintf("peer: a service's name has 1 to %d characters: %q", maxService, service))
	}
}

// tickInterval is how often links are looked at.
const tickInterval = 50 * time.Millisecond

// ticksPerSecond is tickInterval the other way round.
const ticksPerSecond = int64(time.Second / tickInterval)

// calmTicks is how many ticks are made of one while all links are as they should be.
const calmTicks = 2

// tick looks at all links, again and again. Silence is counted in ticks and not by the clock: while this
// process is not given the processor, nobody is silent.
func (p *Peer) tick() {
	t := time.NewTimer(tickInterval)
	defer t.Stop()
	for ticks := int64(1); ; {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
		}
		p.mu.Lock()
		before := p.ticks
		p.ticks += ticks
		second := before/ticksPerSecond != p.ticks/ticksPerSecond
		var todo []func()
		calm := true
		for _, r := range p.remotes {
			todo = append(todo, r.look(ticks)...)
			calm = calm && r.calm()
		}
		p.mu.Unlock()
		// At full intervals of the clock, as heartbeats are sent: then this process is woken once for both.
		pause := tickInterval
		if calm {
			pause = calmTicks * tickInterval
		}
		pause -= time.Duration(time.Now().UnixNano() % int64(pause))
		ticks = max(1, int64((pause+tickInterval/2)/tickInterval))
		t.Reset(pause)
		for _, f := range todo {
			f()
		}
		if second {
			p.Refresh()
		}
	}
}

// maxNotes is how many notes wait for a slow reader; more are dropped.
const maxNotes = 1024

// tell has something logged or told to others soon, in order. Peer.mu is held, and whoever listens may be slow.
func (p *Peer) tell(f func()) {
	if len(p.notes) < maxNotes {
		p.notes = append(p.notes, f)
	}
	select {
	case p.told <- struct{}{}:
	default:
	}
}

func (p *Peer) teller() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.told:
		}
		p.mu.Lock()
		notes := p.notes
		p.notes = nil
		p.mu.Unlock()
		for _, f := range notes {
			f()
		}
	}
}
