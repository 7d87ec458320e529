package guestfence

import (
	"context"
	"sync"
)

// queues lets one request at a time act on a machine, in the order in which they came.
type queues struct {
	mu sync.Mutex
	m  map[string][]chan struct{} // by UUID: who waits, the first one acting
}

// enter waits for the machine's turn; leave must be called after it. waited tells that somebody else was before.
func (q *queues) enter(ctx context.Context, machine string) (waited bool, leave func(), err error) {
	q.mu.Lock()
	if q.m == nil {
		q.m = map[string][]chan struct{}{}
	}
	turn := make(chan struct{})
	q.m[machine] = append(q.m[machine], turn)
	if waited = len(q.m[machine]) > 1; !waited {
		close(turn)
	}
	q.mu.Unlock()
	leave = func() { q.leave(machine, turn) }
	select {
	case <-turn:
		return waited, leave, nil
	case <-ctx.Done():
		leave()
		return waited, nil, context.Cause(ctx)
	}
}

func (q *queues) leave(machine string, turn chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	line := q.m[machine]
	for i, c := range line {
		if c != turn {
			continue
		}
		line = append(line[:i:i], line[i+1:]...)
		if i == 0 && len(line) > 0 {
			close(line[0])
		}
		break
	}
	if len(line) == 0 {
		delete(q.m, machine)
		return
	}
	q.m[machine] = line
}
