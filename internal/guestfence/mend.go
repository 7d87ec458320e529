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

// mendLimit is how long after a crash a reboot that it cut off is still brought to its end.
const mendLimit = 10 * time.Minute

// mend ends what a crash of the daemon cut off. Nobody was told that it is done, so off and on need nothing: who
// asked asks again. But a machine that was to be rebooted must not stay off for it.
func (s *Server) mend(cut, done []Record) {
	settled := s.cfg.Now().Add(s.cfg.settle)
	for _, r := range cut {
		was := r
		r.Event, r.Time, r.Result, r.Error = EventInterrupted, s.cfg.Now(), protocol.Failure.String(), "the daemon was killed"
		if was.Action == protocol.Reboot.String() && was.Was != ShutOff.String() && was.Was != NoState.String() && r.Time.Sub(was.Time) < mendLimit && !cutOffSince(was, slices.Concat(done, cut)) {
			if err := s.restart(was, settled); err != nil {
				r.Error += ", and restarting the machine failed: " + err.Error()
			}
			if s.ctx.Err() != nil {
				return // the next daemon ends it
			}
		}
		s.cfg.Log.Warn("a request was cut off", "action", r.Action, "machine", r.Name, "from", r.From, "error", r.Error)
		if err := s.journal.add(r); err != nil {
			s.cfg.Log.Error("the log of requests cannot be written", "error", err)
		}
	}
}

// cutOffSince tells whether somebody else had the machine cut off after r. An off that a crash cut off counts: it may
// have been answered just before.
func cutOffSince(r Record, others []Record) bool {
	return slices.ContainsFunc(others, func(d Record) bool {
		return d.UUID == r.UUID && d.Action == protocol.Off.String() && (d.Result == protocol.Success.String() || d.Event == EventAccepted) && d.Time.After(r.Time)
	})
}

const (
	// mendAgain is how often a hypervisor is asked that cannot be reached.
	mendAgain = 2 * time.Second
	// settleLimit is how long after the daemon's death a hypervisor may still carry out what it was told before: it is
	// patient with a machine that does not end.
	settleLimit = 20 * time.Second
	// settleAgain is how often a machine is looked at that may still be ended.
	settleAgain = 200 * time.Millisecond
)

// errRuns is returned for a machine that runs, so far.
var errRuns = errors.New("the machine runs")

// restart starts a machine whose reboot was cut off, if it is off or goes off until settled, and nobody acted on it
// since. It waits for a hypervisor that is away, but not for ever.
func (s *Server) restart(r Record, settled time.Time) error {
	for {
		err := s.restartOnce(r)
		now := s.cfg.Now()
		switch {
		case errors.Is(err, errRuns) && (!now.Before(settled) || s.ctx.Err() != nil):
			return nil
		case errors.Is(err, errRuns):
			s.pause(settleAgain)
		case !errors.Is(err, ErrUnreachable) || now.Sub(r.Time) > mendLimit || s.ctx.Err() != nil:
			return err
		default:
			s.pause(mendAgain)
		}
	}
}

func (s *Server) restartOnce(r Record) error {
	ctx, cancel := context.WithTimeout(s.ctx, actLimit)
	defer cancel()
	_, leave, err := s.queues.enter(ctx, r.UUID)
	if err != nil {
		return err
	}
	defer leave()
	if s.acted.has(r.UUID, r.Name, r.Asked) {
		return nil // and who did it was told what it is now
	}
	m, err := s.cfg.Machines.Find(ctx, r.UUID)
	if err != nil {
		return err
	}
	if !m.State.Off() {
		return errRuns
	}
	return s.cfg.Machines.On(ctx, r.UUID)
}

// acted are the machines, by all that they are called, that were acted on while what a crash cut off was not mended yet.
type acted struct {
	mu   sync.Mutex
	over bool
	m    map[string]bool
}

// note is called in the machine's turn.
func (a *acted) note(ids ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return
	}
	if a.m == nil {
		a.m = map[string]bool{}
	}
	for _, id := range ids {
		a.m[strings.ToLower(id)] = id != ""
	}
}

func (a *acted) has(ids ...string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(ids, func(id string) bool { return a.m[strings.ToLower(id)] })
}

// end forgets them: all is mended.
func (a *acted) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over, a.m = true, nil
}
