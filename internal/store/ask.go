package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Raft does not answer what it was asked shortly before it was shut down: who waits would wait for ever. So
// questions are counted, and a node that stops lets raft answer them first. It always does so soon: with its
// answer, or because it does not lead, or leads no more.
type questions struct {
	mu     sync.Mutex
	open   int
	closed bool
	idle   chan struct{} // closed when it is closed and none is open
}

// drainPatience is how long a node that stops waits for answers. A leader without a majority has noticed by
// then; a disk that hangs may not have.
const drainPatience = 2 * time.Second

var (
	errEnded   = errors.New("no answer in time") // the caller's time was up first
	errStopped = errors.New("the log was closed or exchanged meanwhile")
)

func (q *questions) begin() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.open++
	return true
}

func (q *questions) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open--
	if q.closed && q.open == 0 {
		close(q.idle)
	}
}

// drain lets no more questions in, and waits for the answers to those that are open.
func (q *questions) drain() {
	q.mu.Lock()
	q.closed, q.idle = true, make(chan struct{})
	if q.open == 0 {
		close(q.idle)
	}
	q.mu.Unlock()
	late := time.NewTimer(drainPatience)
	defer late.Stop()
	select {
	case <-q.idle:
	case <-late.C:
	}
}

// ask puts a question to raft, now, and returns what waits for the answer.
func (n *node) ask(question func() raft.Future) (answer func(context.Context) error) {
	if !n.questions.begin() {
		return func(context.Context) error { return errStopped }
	}
	f := question()
	done := make(chan error, 1)
	go func() {
		done <- f.Error()
		n.questions.end()
	}()
	return func(ctx context.Context) error {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errEnded, context.Cause(ctx))
		case <-n.done:
			return errStopped
		}
	}
}

// change has raft change its configuration, or its leader.
func (n *node) change(f func() raft.Future) error { return n.ask(f)(context.Background()) }
