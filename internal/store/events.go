package store

import (
	"sync"

	"github.com/cerco-ha/cerco/internal/cib"
)

// event is something that watchers hear: a new State with the command that has led to it, or a change of
// our leadership. Or it is a newcomer among them, who takes its place in the order.
type event struct {
	state   cib.State
	command cib.Command
	office  bool // the event is about leadership
	leads   bool
	term    uint64

	watcher func(cib.State, cib.Command)
	officer func(leads bool, term uint64)
}

// events hands events to watchers in their order, from one goroutine, without ever making raft wait.
type events struct {
	mu     sync.Mutex
	more   *sync.Cond
	queue  []event
	closed bool
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

// next waits for events; there are none when it is over.
func (e *events) next() []event {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.queue) == 0 && !e.closed {
		e.more.Wait()
	}
	batch := e.queue
	e.queue = nil
	return batch
}

func (e *events) run() {
	var (
		watchers      []func(cib.State, cib.Command)
		officers      []func(leads bool, term uint64)
		state, office event // the last of each kind, for newcomers
	)
	for batch := e.next(); len(batch) > 0; batch = e.next() {
		for _, ev := range batch {
			switch {
			case ev.watcher != nil:
				watchers = append(watchers, ev.watcher)
				if state.state.CIB != nil {
					ev.watcher(state.state, cib.Command{})
				}
			case ev.officer != nil:
				officers = append(officers, ev.officer)
				if office.leads {
					ev.officer(true, office.term)
				}
			case ev.office:
				office = ev
				for _, f := range officers {
					f(ev.leads, ev.term)
				}
			default:
				state = ev
				for _, f := range watchers {
					f(ev.state, ev.command)
				}
			}
		}
	}
}

// Watch has f called with the State as it is, and with each one from then on, in the order of commit, with the
// command that has led to it. A State that came as a whole (the first one, the leader's snapshot, that of
// another log) has a zero command. Calls come from one goroutine, the same as OnLead's, so f must not call
// Close, and what it waits for must not wait for it.
func (s *Store) Watch(f func(cib.State, cib.Command)) { s.events.put(event{watcher: f}) }

// OnLead has f called when this node begins to lead, with the term, and when it ceases to; at once when it
// leads already. What Watch tells between the two was committed in between or before; a Barrier makes sure
// that it is all there.
func (s *Store) OnLead(f func(leads bool, term uint64)) { s.events.put(event{officer: f}) }

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

// tell has watchers hear of a new State.
func (s *Store) tell(ev event) {
	s.events.put(ev)
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *Store) kickVoters() {
	select {
	case s.voters <- struct{}{}:
	default:
	}
}
