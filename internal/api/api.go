// Package api is the door of a node: HTTP with JSON and XML on a local socket and, with the cluster's own
// certificates, on a port.
//
// It owns the routes, a file a noun, who may come in, the limits of what may be sent, and the words of errors.
// It promises that nothing is said to a caller who has not proved who they are (by the credentials that the kernel
// gives of the other end of the socket, or by a certificate), that a change is answered only once it is committed,
// and that unknown fields are refused. It never decides anything about the cluster: it asks its Backend.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cerco-ha/cerco/internal/events"
)

// Config is what a Server needs.
type Config struct {
	Backend Backend
	Journal *events.Journal
	Log     *slog.Logger
	Now     func() time.Time

	Socket string // path of the unix socket; empty: none
	Group  string // may use the socket besides root and the daemon's own user; empty: haclient

	// Door is where the HTTPS API takes connections whose other ends have proved who they are; nil: nowhere. Member
	// tells who that is; whoever has no name gets no answer.
	Door   net.Listener
	Member func(net.Conn) string

	MaxBody int64                  // bytes of a request's body; 0: 32 MiB
	Metrics []prometheus.Collector // more to be shown, as the daemon has them
}

// Server serves the API. It is started once.
type Server struct {
	cfg     Config
	handler http.Handler
	metrics *metrics
	stop    context.CancelCauseFunc
	servers []*http.Server
	wg      sync.WaitGroup
	once    sync.Once
	size    atomic.Int64 // of the CIB as XML, when it was written last
}

var errStopped = errors.New("the API has been stopped")

// New makes a server.
func New(cfg Config) *Server {
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 32 << 20
	}
	if cfg.Group == "" {
		cfg.Group = "haclient"
	}
	s := &Server{cfg: cfg}
	s.metrics = newMetrics(&cfg)
	s.handler = s.routes()
	return s
}

// Handler is the API without its doors: for tests, and for other ways in that have checked the caller and named
// them with WithCaller.
func (s *Server) Handler() http.Handler { return s.handler }

// Start opens the doors.
func (s *Server) Start() error {
	if s.cfg.Door != nil && s.cfg.Member == nil {
		return errors.New("api: nobody tells whose the connections of the door are: set Member")
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	s.stop = cancel
	if s.cfg.Socket != "" {
		l, err := s.listenUnix()
		if err != nil {
			cancel(err)
			return err
		}
		s.serve(ctx, l, localCaller)
	}
	if s.cfg.Door != nil {
		s.serve(ctx, s.cfg.Door, s.certified)
	}
	return nil
}

// serve answers requests on l until Stop. caller names who is at the other end.
func (s *Server) serve(ctx context.Context, l net.Listener, caller func(net.Conn) Caller) {
	srv := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       func(ctx context.Context, c net.Conn) context.Context { return WithCaller(ctx, caller(c)) },
	}
	s.servers = append(s.servers, srv)
	s.wg.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Log.Error("the API has lost a door", "address", l.Addr().String(), "error", err)
		}
	})
}

// Stop closes the doors, ends streams, lets requests that are nearly done finish, and returns when nothing is
// left.
func (s *Server) Stop() {
	s.once.Do(func() {
		if s.stop == nil {
			return
		}
		s.stop(errStopped)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		for _, srv := range s.servers {
			if srv.Shutdown(ctx) != nil {
				srv.Close()
			}
		}
		s.wg.Wait()
		if s.cfg.Socket != "" {
			os.Remove(s.cfg.Socket)
		}
	})
}
