package guestfence

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// unsettled are the machines that the hypervisor may still be ending, though nobody waits for it any more: the daemon
// died or gave up after it had told it to. Such a machine may run now and be off in a moment.
type unsettled struct {
	mu sync.Mutex
	m  map[string]time.Time // by all that a machine is called: until when
}

// recall adds what the log of requests has of the daemons before.
func (u *unsettled) recall(cut, done []Record, now time.Time, settle time.Duration) {
	for _, r := range cut {
		if ends(r.Action) {
			u.note(now, now.Add(settle), r.UUID, r.Name)
		}
	}
	for _, r := range done {
		if until := r.Time.Add(settle); ends(r.Action) && r.Result != protocol.Success.String() && now.Before(until) {
			u.note(now, until, r.UUID, r.Name)
		}
	}
}

// ends tells whether an action ends a machine.
func ends(action string) bool {
	return action == protocol.Off.String() || action == protocol.Reboot.String()
}

func (u *unsettled) note(now, until time.Time, ids ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.m == nil {
		u.m = map[string]time.Time{}
	}
	for id, t := range u.m {
		if !now.Before(t) {
			delete(u.m, id)
		}
	}
	for _, id := range ids {
		if id != "" {
			u.m[strings.ToLower(id)] = until
		}
	}
}

func (u *unsettled) has(now time.Time, ids ...string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.ContainsFunc(ids, func(id string) bool { return now.Before(u.m[strings.ToLower(id)]) })
}

// over forgets a machine: it was seen off.
func (u *unsettled) over(ids ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, id := range ids {
		delete(u.m, strings.ToLower(id))
	}
}

// on starts a machine. One that runs and may be ended in a moment is waited for: who is told that it is on must find it
// so.
func (s *Server) on(ctx context.Context, id string, m Machine) error {
	for s.unsettled.has(s.cfg.Now(), m.UUID, m.Name) {
		is, err := s.cfg.Machines.Find(ctx, id)
		if err != nil {
			return err
		}
		if is.State.Off() {
			break
		}
		s.pause(settleAgain)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	s.unsettled.over(m.UUID, m.Name)
	return s.cfg.Machines.On(ctx, id)
}

// ended notes what came of an action that ends a machine.
func (s *Server) ended(m Machine, err error) {
	switch {
	case err == nil:
		s.unsettled.over(m.UUID, m.Name)
	case errors.Is(err, ErrRefused), errors.Is(err, ErrUnknown), errors.Is(err, ErrElsewhere): // nobody was told anything
	default:
		now := s.cfg.Now()
		s.unsettled.note(now, now.Add(s.cfg.settle), m.UUID, m.Name)
	}
}
