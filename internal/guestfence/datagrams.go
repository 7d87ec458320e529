package guestfence

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// patience is how long a host that has no good answer waits for others to answer a request to a group. Only what
// a guest sends after that time is answered with what another host might contradict: "no such machine", or that
// the hypervisor cannot be reached. A guest sends again every two seconds, unless it was told otherwise.
const patience = 3 * time.Second

func (s *Server) listenDatagrams(i int, l *Listener) error {
	conn, err := s.bindDatagrams(l)
	if err != nil {
		return err
	}
	s.addrs[i] = conn.LocalAddr()
	release := s.closeWithServer(conn)
	s.wg.Go(func() {
		defer release()
		s.readDatagrams(conn, l)
	})
	return nil
}

func (s *Server) readDatagrams(conn *net.UDPConn, l *Listener) {
	var b [2 * protocol.RequestSize]byte
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b[:])
		if s.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			err = s.datagram(l, from, b[:n])
		}
		if err != nil {
			s.drops.note(l.Kind, from.String(), err)
		}
	}
}

// datagram lets one request in, or says why not.
func (s *Server) datagram(l *Listener, from netip.AddrPort, b []byte) error {
	r, err := s.admit(l, b)
	if err != nil {
		return err
	}
	if !r.CallBack.IsValid() || r.CallBack.Port() == 0 {
		return fmt.Errorf("%w: it does not say where to call back", protocol.ErrMalformed)
	}
	a, err := s.exchanges.open(keyOf(r), r.CallBack, s.cfg.Now())
	if err != nil {
		return err
	}
	if !s.begin() {
		a.end()
		return errTooMany
	}
	who := asker{id: r.CallBack.Addr().Unmap().String()}
	c := s.newCall(l, who, from.Addr().Unmap().String(), r.Action, r.Domain)
	s.wg.Go(func() {
		defer s.end()
		defer a.end()
		a.enter(s.ctx)
		if a.over() || !s.speaksFor(c, a.age >= patience) || a.over() {
			return
		}
		if err := s.callBack(c, l, a); err != nil {
			s.cfg.Log.Debug("calling a guest back failed", "guest", r.CallBack.String(), "action", c.action.String(), "machine", c.asked, "error", err)
		}
	})
	return nil
}

// speaksFor tells whether this host is the one to answer a request that every host of the group hears.
func (s *Server) speaksFor(c *call, late bool) bool {
	ctx, cancel := context.WithTimeout(s.ctx, askLimit)
	defer cancel()
	var err error
	switch c.action {
	case protocol.Monitor:
		err = s.cfg.Machines.Check(ctx)
	case protocol.List:
		_, err = s.cfg.Machines.List(ctx)
	case protocol.Null, protocol.Metadata, protocol.ValidateAll:
	default:
		var m Machine
		if m, err = s.cfg.Machines.Find(ctx, c.asked); err == nil {
			c.found = &m
		}
	}
	return err == nil || late && !errors.Is(err, ErrElsewhere)
}

// callBack connects to the guest, and serves it.
func (s *Server) callBack(c *call, l *Listener, a *attempt) error {
	ctx, cancel := context.WithTimeout(s.ctx, dialLimit)
	conn, err := s.cfg.Dial(ctx, "tcp", a.to.String())
	cancel()
	if err != nil {
		return err
	}
	release := s.closeWithServer(conn)
	defer release()
	return s.session(c, l, a, conn)
}

// stream is a connection to a guest.
type stream interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	SetDeadline(time.Time) error
}

// session authenticates both sides, carries the call out if nobody else did, and answers.
func (s *Server) session(c *call, l *Listener, at *attempt, conn stream) error {
	auth := protocol.Session{Key: l.Key, Auth: l.Auth, Challenge: s.challenge}
	if err := auth.Host(patient{conn, s.cfg.Now}); err != nil {
		if errors.Is(err, protocol.ErrReflected) {
			s.cfg.Log.Error("somebody without the key tries to be let in by another host's answer", "from", c.who.id, "peer", c.peer)
		}
		return err
	}
	if !at.claim() {
		return errSeen
	}
	defer func() { at.finish(s.cfg.Now()) }()
	a := s.perform(c)
	b := []byte{byte(a.result)}
	if a.result == protocol.HostsList {
		b = append(protocol.AppendList(b, a.hosts), byte(protocol.Success))
	}
	_ = conn.SetDeadline(s.cfg.Now().Add(answerLimit))
	_, err := conn.Write(b)
	s.done(c, a, err)
	return nil
}

// patient gives every step of a session its time.
type patient struct {
	stream
	now func() time.Time
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.SetDeadline(p.now().Add(sessionLimit)); err != nil {
		return 0, err
	}
	return p.stream.Read(b)
}
