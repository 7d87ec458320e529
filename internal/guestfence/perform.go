package guestfence

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// call is a request that was let in.
type call struct {
	id     string
	began  time.Time
	kind   string // of the listener
	who    asker
	peer   string
	action protocol.Action
	asked  string        // the machine: a name or a UUID
	memory *memory       // of the key that it was signed with; nil on serial lines
	found  *Machine      // what was seen when the request came, if it was looked for then
	looked chan struct{} // closed when found can be read; nil: it can be read now
}

// answer is what came of a call.
type answer struct {
	result  protocol.Result
	hosts   []protocol.Host
	machine Machine // as it was before
	proof   Proof
	err     error
}

func (s *Server) newCall(l *Listener, who asker, peer string, action protocol.Action, asked string) *call {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return &call{
		id: hex.EncodeToString(id[:]), began: s.cfg.Now(), kind: l.Kind, who: who, peer: peer, action: action, asked: asked,
		memory: s.memories[string(l.Key)],
	}
}

// lookAhead looks for the machine of a signed request while its sender is asked for a proof that it has the key.
func (s *Server) lookAhead(c *call) {
	if c.action != protocol.Status && !c.action.Changes() {
		return
	}
	c.looked = make(chan struct{})
	s.wg.Go(func() {
		defer close(c.looked)
		ctx, cancel := context.WithTimeout(s.ctx, askLimit)
		defer cancel()
		if m, err := s.cfg.Machines.Find(ctx, c.asked); err == nil {
			c.found = &m
		}
	})
}

func failed(err error) answer { return answer{result: protocol.Failure, err: err} }

// perform does what is asked for. Whatever it does not know to be a success is none.
func (s *Server) perform(c *call) answer {
	limit := askLimit
	if c.action.Changes() {
		limit = actLimit
	}
	ctx, cancel := context.WithTimeoutCause(s.ctx, limit, fmt.Errorf("nothing came of it within %v", limit))
	defer cancel()
	switch c.action {
	case protocol.Monitor:
		if err := s.cfg.Machines.Check(ctx); err != nil {
			return failed(err)
		}
		return answer{result: protocol.Success}
	case protocol.List:
		return s.list(ctx, c)
	}
	var m Machine
	var err error
	if c.looked != nil {
		<-c.looked
	}
	if c.found != nil {
		m = *c.found // if it has begun to move since, this host still has to answer
	} else {
		m, err = s.cfg.Machines.Find(ctx, c.asked)
	}
	if (err == nil || errors.Is(err, ErrUnknown)) && !allowed(s.cfg.Groups, c.who, c.asked, m) {
		return answer{result: protocol.Denied, machine: m, err: fmt.Errorf("no access group has both %s and %s", c.who.id, c.asked)}
	}
	if errors.Is(err, ErrUnreachable) && (c.action == protocol.Off || c.action == protocol.Reboot) && allowed(s.cfg.Groups, c.who, c.asked, m) {
		return s.act(ctx, c, Machine{Name: c.asked, UUID: c.asked}) // a machine may be ended without its hypervisor's help
	}
	if err != nil {
		return failed(err)
	}
	switch {
	case c.action == protocol.Status && m.State.Off():
		return answer{result: protocol.IsOff, machine: m}
	case c.action == protocol.Status:
		return answer{result: protocol.Success, machine: m}
	case c.action.Changes():
		return s.act(ctx, c, m)
	}
	return answer{result: protocol.Failure, machine: m, err: fmt.Errorf("%v cannot be done", c.action)}
}

// list shows an asker the machines that it may act on.
func (s *Server) list(ctx context.Context, c *call) answer {
	machines, err := s.cfg.Machines.List(ctx)
	if err != nil {
		return failed(err)
	}
	slices.SortFunc(machines, func(a, b Machine) int { return strings.Compare(a.Name, b.Name) })
	a := answer{result: protocol.HostsList}
	for _, m := range machines {
		if allowed(s.cfg.Groups, c.who, m.UUID, m) {
			a.hosts = append(a.hosts, protocol.Host{Name: m.Name, UUID: m.UUID, State: byte(m.State)})
		}
	}
	return a
}

// act changes a machine, when it is its turn and the request is on the disk.
func (s *Server) act(ctx context.Context, c *call, m Machine) answer {
	id := cmp.Or(m.UUID, c.asked) // a cluster knows machines by name that are defined nowhere
	waited, leave, err := s.queues.enter(ctx, id)
	if err != nil {
		return answer{result: protocol.Failure, machine: m, err: fmt.Errorf("waiting for what others do to %s: %w", m.Name, err)}
	}
	defer leave()
	a := answer{result: protocol.Failure, machine: m}
	if waited {
		if a.machine, a.err = s.cfg.Machines.Find(ctx, id); a.err != nil {
			return a
		}
	}
	s.acted.note(m.UUID, m.Name, c.asked)
	if c.memory != nil {
		if a.err = c.memory.sync(); a.err != nil {
			return a
		}
	}
	if a.err = s.journal.add(s.record(EventAccepted, c, a)); a.err != nil {
		return a
	}
	switch c.action {
	case protocol.On:
		a.err = s.on(ctx, id, m)
	case protocol.Reboot:
		a.proof, a.err = s.cfg.Machines.Reboot(ctx, id)
		s.ended(m, a.err)
	default:
		a.proof, a.err = s.cfg.Machines.Off(ctx, id)
		s.ended(m, a.err)
	}
	switch {
	case a.err != nil:
	case c.action != protocol.On && a.proof.Kind == "":
		a.err = fmt.Errorf("%s is said to be off, but nothing proves it", m.Name)
	default:
		a.result = protocol.Success
	}
	return a
}

// record is what the log of requests has of a call.
func (s *Server) record(event string, c *call, a answer) Record {
	r := Record{
		Time: s.cfg.Now(), Event: event, ID: c.id, Listener: c.kind, From: c.who.id, Peer: c.peer, Action: c.action.String(), Asked: c.asked,
		Name: a.machine.Name, UUID: a.machine.UUID,
	}
	if a.machine.UUID != "" {
		r.Was = a.machine.State.String()
	}
	return r
}

// done writes what came of a call, once its asker was answered or is known to be gone.
func (s *Server) done(c *call, a answer, answerErr error) {
	r := s.record(EventDone, c, a)
	r.Result, r.Answered = a.result.String(), answerErr == nil
	r.Millis = float64(r.Time.Sub(c.began).Microseconds()) / 1000
	if a.proof.Kind != "" {
		r.Proof = &a.proof
	}
	if err := errors.Join(a.err, answerErr); err != nil {
		r.Error = err.Error()
	}
	if err := s.journal.add(r); err != nil {
		s.cfg.Log.Error("the log of requests cannot be written", "error", err)
	}
	level := s.cfg.Log.Debug
	if c.action.Changes() || a.err != nil || answerErr != nil {
		level = s.cfg.Log.Info
	}
	level("a guest's request", "action", r.Action, "machine", c.asked, "from", r.From, "listener", r.Listener, "result", r.Result,
		"proof", string(a.proof.Kind), "ms", r.Millis, "error", r.Error)
}
