package store

import (
	"sync"

	"github.com/cerco-ha/cerco/internal/cib"
)

// event is something that watchers hear: a new State with the command that has led to it, or a change of
// our leadership.
type event struct {
	state   cib.State
	command cib.Command
	office  bool // the event is about leadership
	leads   bool
	term    uint64
}

// events hands events to watchers in their order, from one goroutine, without ever making raft wait.
type events struct {
	mu     sync.Mutex
	more   *sync.Cond
	queue  []event
	closed bool
	watch  []func(cib.State, cib.Command)
	office []func(leads bool, term uint64)
}

func newEvents() *events {
	e := &events{}
	e.more = sync.NewCond(&e.mu)
	return e
}

func (e *events) put(ev event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.queue = append(e.queue, ev)
		e.more.Signal()
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.more.Signal()
}

func (e *events) run() {
	for {
		e.mu.Lock()
		for len(e.queue) == 0 && !e.closed {
			e.more.Wait()
		}
		if len(e.queue) == 0 {
			e.mu.Unlock()
			return
		}
		batch, watch, office := e.queue, e.watch, e.office
		e.queue = nil
		e.mu.Unlock()
		for _, ev := range batch {
			if ev.office {
				for _, f := range office {
					f(ev.leads, ev.term)
				}
				continue
			}
			for _, f := range watch {
				f(ev.state, ev.command)
			}
		}
	}
}

// Watch has f called for each State from now on, in the order of commit, with the command that has led to
// it. A State that came as a whole (after a start, from the leader's snapshot, with another log) has a zero
// command. Calls come from one goroutine, the same as OnLead's, so f must not call Close, and what it waits
// for must not wait for it. Call it before anything else to miss nothing.
func (s *Store) Watch(f func(cib.State, cib.Command)) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.watch = append(s.events.watch[:len(s.events.watch):len(s.events.watch)], f)
}

// OnLead has f called when this node begins to lead, with the term, and when it ceases to. What Watch tells
// between the two was committed in between or before; a Barrier makes sure that it is all there.
func (s *Store) OnLead(f func(leads bool, term uint64)) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	s.events.office = append(s.events.office[:len(s.events.office):len(s.events.office)], f)
}

// onLead is called by the node's goroutine.
func (s *Store) onLead(n *node, leads bool, term uint64) {
	s.mu.Lock()
	if s.leads == leads && s.term == term {
		s.mu.Unlock()
		return
	}
	s.leads, s.term = leads, term
	s.mu.Unlock()
	if leads {
		s.cfg.Log.Info("this node leads", "term", term, "log", n.id.Log.String())
	} else {
		s.cfg.Log.Info("this node leads no more", "term", term, "log", n.id.Log.String())
	}
	s.events.put(event{office: true, leads: leads, term: term})
	s.kickVoters()
}

func (s *Store) kickVoters() {
	select {
	case s.voters <- struct{}{}:
	default:
	}
}
