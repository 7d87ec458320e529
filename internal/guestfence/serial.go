package guestfence

import (
	"bufio"
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

const (
	portsEvery = 5 * time.Second // how soon the port of a guest that was started is heard
	frameLimit = 5 * time.Second // from the beginning of a frame to its end
)

// listenSerial connects to the sockets of running guests' serial ports, those that are there now and those that
// come. Nothing is signed there: the hypervisor itself says whose line it is.
func (s *Server) listenSerial(l *Listener) error {
	ports, ok := s.cfg.Machines.(Ports)
	if !ok {
		return errors.New("the hypervisor cannot tell where guests' serial ports are")
	}
	s.wg.Go(func() {
		tick := time.NewTicker(portsEvery)
		defer tick.Stop()
		served := servedPorts{m: map[string]bool{}}
		for {
			s.findPorts(l, ports, &served)
			select {
			case <-s.ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return nil
}

// servedPorts are the sockets that are connected.
type servedPorts struct {
	mu sync.Mutex
	m  map[string]bool // by path
}

// enter tells whether the path was not served yet.
func (p *servedPorts) enter(path string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.m[path]
	p.m[path] = true
	return !was
}

func (p *servedPorts) leave(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.m, path)
}

func (s *Server) findPorts(l *Listener, ports Ports, served *servedPorts) {
	ctx, cancel := context.WithTimeout(s.ctx, askLimit)
	defer cancel()
	found, err := ports.Ports(ctx)
	if err != nil {
		if s.ctx.Err() == nil {
			s.cfg.Log.Debug("guests' serial ports cannot be found", "error", err)
		}
		return
	}
	for _, p := range found {
		if p.Channel != l.Channel || l.Path != "" && filepath.Dir(p.Path) != l.Path || !served.enter(p.Path) {
			continue
		}
		s.wg.Go(func() {
			defer served.leave(p.Path)
			s.servePort(l, p)
		})
	}
}

// servePort serves one guest's requests, one after the other, until its line is gone.
func (s *Server) servePort(l *Listener, p Port) {
	conn, err := (&net.Dialer{}).DialContext(s.ctx, "unix", p.Path)
	if err != nil {
		s.cfg.Log.Debug("a guest's serial port cannot be opened", "machine", p.Machine.Name, "path", p.Path, "error", err)
		return
	}
	release := s.closeWithServer(conn)
	defer release()
	s.cfg.Log.Info("listening on a guest's serial port", "machine", p.Machine.Name, "path", p.Path)
	in := bufio.NewReader(conn)
	for {
		r, err := s.readFrame(conn, in)
		var slow net.Error
		switch {
		case errors.As(err, &slow) && slow.Timeout():
			continue // a frame broke off; the next one begins with the magic again
		case err != nil:
			return
		}
		if !s.begin() {
			s.drops.note(l.Kind, p.Machine.Name, errTooMany)
			continue
		}
		err = s.serveFrame(l, conn, p, r)
		s.end()
		if err != nil {
			return
		}
	}
}

// readFrame waits for as long as it takes for a frame to begin, and not long for it to end.
func (s *Server) readFrame(conn net.Conn, in *bufio.Reader) (*protocol.SerialRequest, error) {
	_ = conn.SetDeadline(time.Time{})
	if err := protocol.SeekFrame(in); err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(s.cfg.Now().Add(frameLimit))
	return protocol.ReadFrame(in)
}

func (s *Server) serveFrame(l *Listener, conn net.Conn, p Port, r *protocol.SerialRequest) error {
	c := s.newCall(l, asker{id: p.Machine.UUID, serial: true}, p.Path, r.Action, r.Domain)
	a := s.perform(c)
	b := protocol.SerialResponse(a.result)
	if a.result == protocol.HostsList {
		b = append(protocol.AppendList(b, a.hosts), protocol.SerialResponse(protocol.Success)...)
	}
	_ = conn.SetWriteDeadline(s.cfg.Now().Add(answerLimit))
	_, err := conn.Write(b)
	s.done(c, a, err)
	return err
}
