package guestfence

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// Config is what a Server needs. Machines, Listeners, Log and Now must be set.
type Config struct {
	Machines  Machines
	Listeners []Listener
	Groups    []Group // none: whoever has the key may act on every machine
	Dir       string  // for the log of requests and the memory of what was seen; empty: nothing outlives the daemon
	Log       *slog.Logger
	Now       func() time.Time
	// Dial calls guests back; nil means by the host's network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	settle time.Duration // zero means settleLimit
}

// Listener is where guests' requests come in.
type Listener struct {
	ListenerSettings
	Key []byte // of both sides; a serial listener has none
}

// Time limits. The guest's own is 30 s unless it was told otherwise.
const (
	requestLimit = 3 * time.Second  // from a connection to the request
	sessionLimit = 10 * time.Second // each step of the authentication
	dialLimit    = 5 * time.Second  // calling a guest back
	answerLimit  = 5 * time.Second  // writing an answer
	askLimit     = 15 * time.Second // a look at a machine
	actLimit     = 60 * time.Second // an action, with the wait for others on the same machine
)

// maxSessions bounds how many requests are served at a time. More are dropped; guests ask again.
const maxSessions = 256

// Server serves guests' requests. It is used for one Start and one Stop.
type Server struct {
	cfg       Config
	ctx       context.Context
	cancel    context.CancelCauseFunc
	wg        sync.WaitGroup
	sessions  chan struct{}
	queues    queues
	exchanges exchanges
	acted     acted
	unsettled unsettled
	drops     drops
	memories  map[string]*memory // by key
	journal   *journal
	addrs     []net.Addr // by listener
	stop      sync.Once
	mended    chan struct{}             // closed when what a crash cut off is brought to its end
	challenge func() protocol.Challenge // tests replay recorded ones
}

var errStopped = errors.New("the daemon is being stopped")

// New returns a server that does nothing yet.
func New(cfg Config) (*Server, error) {
	if len(cfg.Listeners) == 0 {
		return nil, errors.New("there is no listener to serve guests by")
	}
	for _, l := range cfg.Listeners {
		if l.Kind != Serial && len(l.Key) == 0 && (l.Hash != protocol.None || l.Auth != protocol.None) {
			return nil, fmt.Errorf("the %s listener has no key", l.Kind)
		}
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext
	}
	if cfg.settle == 0 {
		cfg.settle = settleLimit
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Server{
		cfg: cfg, ctx: ctx, cancel: cancel, sessions: make(chan struct{}, maxSessions), memories: map[string]*memory{}, mended: make(chan struct{}),
		addrs: make([]net.Addr, len(cfg.Listeners)), drops: drops{log: cfg.Log, now: cfg.Now},
	}, nil
}

// Start opens the log and the listeners, ends what a crash cut off, and begins to serve. After an error nothing
// is left open.
func (s *Server) Start() (err error) {
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if s.cfg.Dir != "" {
		if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
			return fmt.Errorf("making a place for the log of requests: %w", err)
		}
	}
	var cut, done []Record
	if s.journal, cut, done, err = openJournal(s.cfg.Dir); err != nil {
		return err
	}
	for _, l := range s.cfg.Listeners {
		if l.Kind == Serial || s.memories[string(l.Key)] != nil {
			continue
		}
		if s.memories[string(l.Key)], err = openMemory(s.cfg.Dir, memoryName(l.Key), l.Key); err != nil {
			return err
		}
	}
	s.unsettled.recall(cut, done, s.cfg.Now(), s.cfg.settle)
	s.wg.Go(func() {
		defer close(s.mended)
		defer s.acted.end()
		s.mend(cut, done)
	})
	for i := range s.cfg.Listeners {
		if err := s.listen(i); err != nil {
			return fmt.Errorf("the %s listener: %w", s.cfg.Listeners[i].Kind, err)
		}
	}
	return nil
}

// memoryName tells the files of several keys apart.
func memoryName(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("name of the file\x00"))
	return fmt.Sprintf("seen-%x", h.Sum(nil)[:4])
}

// Stop ends all listeners, gives up what is not done, and returns when nothing runs any more.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.cancel(errStopped)
		s.wg.Wait()
		for _, m := range s.memories {
			if m != nil {
				m.close()
			}
		}
		if s.journal != nil {
			s.journal.close()
		}
	})
}

// Addr returns the address of the i-th listener; nil if it has none.
func (s *Server) Addr(i int) net.Addr { return s.addrs[i] }

func (s *Server) listen(i int) error {
	l := &s.cfg.Listeners[i]
	switch l.Kind {
	case Multicast, Unicast:
		return s.listenDatagrams(i, l)
	case TCP:
		return s.listenTCP(i, l)
	case Vsock:
		return s.listenVsock(i, l)
	case Serial:
		return s.listenSerial(l)
	}
	return fmt.Errorf("%q is no kind of listener", l.Kind)
}

// closeWithServer closes c when the server stops; release does it before.
func (s *Server) closeWithServer(c interface{ Close() error }) (release func()) {
	once := sync.OnceFunc(func() { _ = c.Close() })
	undo := context.AfterFunc(s.ctx, once)
	return func() {
		undo()
		once()
	}
}

// begin takes a place for a session; false if there is none.
func (s *Server) begin() bool {
	select {
	case s.sessions <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *Server) end() { <-s.sessions }
