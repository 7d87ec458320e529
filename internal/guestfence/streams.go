package guestfence

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// guestConn is a connection that a guest opened.
type guestConn interface {
	stream
	io.Closer
}

// maxPerGuest bounds the connections of one address, so that no guest takes all places.
const maxPerGuest = 16

// serveStreams accepts connections and serves each, until the server stops. accept tells who connects: an
// address, or a CID.
func (s *Server) serveStreams(l *Listener, accept func() (guestConn, string, error), closer io.Closer) {
	release := s.closeWithServer(closer)
	var mu sync.Mutex
	open := map[string]int{}
	enter := func(from string) bool {
		mu.Lock()
		defer mu.Unlock()
		if open[from] >= maxPerGuest || !s.begin() {
			return false
		}
		open[from]++
		return true
	}
	leave := func(from string) {
		mu.Lock()
		defer mu.Unlock()
		s.end()
		if open[from]--; open[from] == 0 {
			delete(open, from)
		}
	}
	s.wg.Go(func() {
		defer release()
		for {
			conn, from, err := accept()
			switch {
			case s.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
				if conn != nil {
					_ = conn.Close()
				}
				return
			case err != nil:
				s.cfg.Log.Warn("a guest's connection cannot be taken", "listener", l.Kind, "error", err)
				s.pause(100 * time.Millisecond) // most often descriptors ran out
				continue
			case !enter(from):
				s.drops.note(l.Kind, from, errTooMany)
				_ = conn.Close()
				continue
			}
			s.wg.Go(func() {
				defer leave(from)
				release := s.closeWithServer(conn)
				defer release()
				if err := s.serveStream(l, conn, from); err != nil {
					s.drops.note(l.Kind, from, err)
				}
			})
		}
	})
}

// serveStream reads a request and serves it on the same connection.
func (s *Server) serveStream(l *Listener, conn guestConn, from string) error {
	var b [protocol.RequestSize]byte
	_ = conn.SetDeadline(s.cfg.Now().Add(requestLimit))
	if _, err := io.ReadFull(conn, b[:]); err != nil {
		return errNoRequest
	}
	r, err := s.admit(l, b[:])
	if err != nil {
		return err
	}
	a, err := s.exchanges.open(keyOf(r), netip.AddrPort{}, s.cfg.Now())
	if err != nil {
		return err
	}
	defer a.end()
	c := s.newCall(l, asker{id: from}, from, r.Action, r.Domain)
	if r.Hash != protocol.None {
		s.lookAhead(c)
	}
	if err := s.session(c, l, a, conn); err != nil {
		return errNotLetIn
	}
	return nil
}

var (
	errNoRequest = errors.New("a connection brings no request")
	errNotLetIn  = errors.New("the other side does not prove that it has the key")
)

// pause waits, or less if the server stops.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}
