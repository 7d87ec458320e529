package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// loop feeds the pure controller, one event at a time, and has its effects carried out. It runs on every
// node, all the time; the controller itself knows whether it leads.
//
// Events are taken in the order in which they were put, and none is ever dropped: what puts them (the log
// above all) must never wait for a plan that is being made.
type loop struct {
	controller *controller.Controller
	perform    func([]controller.Effect)
	now        func() time.Time

	turn  sync.Mutex // held while an event is dealt with: guards the controller, and index
	index uint64     // newest command that the controller knows of

	looks sync.Mutex // held by who looks: only an event is in their way
	seen  sight      // what was seen last; guarded by looks

	mu     sync.Mutex
	queue  []controller.Event
	more   chan struct{} // closed and replaced after each event; nil: nobody waits
	wake   chan struct{} // of capacity 1: something is in the queue
	done   chan struct{}
	cancel context.CancelFunc
}

// sight is what the controller was doing when somebody looked.
type sight struct {
	status controller.Status
	index  uint64
}

// newLoop makes a loop. Events may be put from now on; they are dealt with once it is started.
func newLoop(c *controller.Controller, perform func([]controller.Effect), now func() time.Time) *loop {
	return &loop{controller: c, perform: perform, now: now, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

func (l *loop) start(ctx context.Context) {
	ctx, l.cancel = context.WithCancel(ctx)
	go l.run(ctx)
}

func (l *loop) stop() {
	if l.cancel != nil {
		l.cancel()
		<-l.done
	}
}

func (l *loop) put(ev controller.Event) {
	l.mu.Lock()
	l.queue = append(l.queue, ev)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *loop) take() []controller.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queue
	l.queue = nil
	return q
}

func (l *loop) run(ctx context.Context) {
	defer close(l.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
			l.put(controller.Tick{})
		}
		for _, ev := range l.take() {
			if at, ok := l.step(ev); ok {
				timer.Reset(max(at.Sub(l.now()), 0))
			}
			l.news()
		}
	}
}

// step deals with an event. It returns when to come again, if there is another time for that now.
func (l *loop) step(ev controller.Event) (wake time.Time, ok bool) {
	l.turn.Lock()
	defer l.turn.Unlock()
	effects := l.controller.Step(l.now(), ev)
	for _, e := range effects {
		if w, is := e.(controller.Wake); is {
			wake, ok = w.At, true
		}
	}
	l.perform(effects)
	switch ev := ev.(type) {
	case controller.Applied:
		l.index = ev.State.Index
	case controller.Lead:
		l.index = ev.State.Index
	}
	return wake, ok
}

// news wakes those who wait for it.
func (l *loop) news() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
}

// look returns what the controller is doing, the newest command that it knows of, and what is closed when
// either has changed. While it deals with an event, what was seen last is all there is to be seen.
func (l *loop) look() (controller.Status, uint64, <-chan struct{}) {
	l.looks.Lock()
	defer l.looks.Unlock()
	l.mu.Lock()
	if l.more == nil {
		l.more = make(chan struct{})
	}
	more := l.more
	l.mu.Unlock()
	if l.turn.TryLock() {
		l.seen = sight{l.controller.Status(), l.index}
		l.turn.Unlock()
	}
	return l.seen.status, l.seen.index, more
}

// flying is what the controller has ordered until now, and no older: it waits for an event that is dealt with.
func (l *loop) flying() (what map[string]string, unknown string) {
	l.turn.Lock()
	defer l.turn.Unlock()
	return l.controller.Flying()
}

// applied tells the controller of a commit.
func (l *loop) applied(st cib.State, c cib.Command) {
	l.put(controller.Applied{State: st, Command: c})
}
