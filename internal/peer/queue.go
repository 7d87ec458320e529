package peer

import "sync"

// message is a request or a reply on its way out.
type message struct {
	kind  kind
	flags uint8 // flagAgain
	id    uint64
	head  []byte
	body  []byte
	sent  int         // of body
	begun func() bool // asked before the first byte is written; false: drop it
}

// queue is what one connection has still to write. Signs of life go first, then the newest message of each
// service, then a frame of each request and reply in turn.
type queue struct {
	mu      sync.Mutex
	wake    chan struct{} // of size 1
	control []byte        // frames, encoded
	sends   map[string][]byte
	order   []string // services of sends, oldest first
	long    []*message
	closed  bool
}

// Bounds of a queue.
const (
	maxControl = 64 << 10 // bytes of pings, pongs, cancels: more means that nothing is written at all
	maxLong    = 1024     // requests and replies
)

func newQueue() *queue {
	return &queue{wake: make(chan struct{}, 1), sends: map[string][]byte{}}
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// putControl queues a small frame; when too many wait already it is dropped.
func (q *queue) putControl(k kind, id uint64, payload []byte) {
	q.mu.Lock()
	if !q.closed && len(q.control) < maxControl {
		q.control = append(appendHeader(q.control, k, 0, id, len(payload)), payload...)
	}
	q.mu.Unlock()
	q.signal()
}

// putSend queues a message in place of an older one of the same service. It keeps msg.
func (q *queue) putSend(service string, msg []byte) {
	q.mu.Lock()
	if !q.closed {
		if _, waits := q.sends[service]; !waits {
			q.order = append(q.order, service)
		}
		q.sends[service] = msg
	}
	q.mu.Unlock()
	q.signal()
}

// putMessage queues a request or a reply. It reports false when the queue is full or closed: then nothing of
// it will be sent.
func (q *queue) putMessage(m *message) bool {
	q.mu.Lock()
	ok := !q.closed && len(q.long) < maxLong
	if ok {
		q.long = append(q.long, m)
	}
	q.mu.Unlock()
	q.signal()
	return ok
}

// close drops what waits and takes nothing any more.
func (q *queue) close() {
	q.mu.Lock()
	q.closed, q.control, q.sends, q.order, q.long = true, nil, nil, nil, nil
	q.mu.Unlock()
	q.signal()
}

// next appends to b what should be written now: all that is small, and one frame of each long message up to
// about limit bytes.
func (q *queue) next(b []byte, limit int) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	b = append(b, q.control...)
	q.control = q.control[:0]
	for _, service := range q.order {
		msg := q.sends[service]
		b = appendHeader(b, kindSend, flagFirst|flagLast, 0, 1+len(service)+len(msg))
		b = append(appendService(b, service), msg...)
		delete(q.sends, service)
	}
	q.order = q.order[:0]
	for turns := len(q.long); turns > 0 && len(b) < limit; turns-- {
		m := q.long[0]
		q.long = q.long[1:]
		if m.sent == 0 && m.begun != nil && !m.begun() {
			continue
		}
		var done bool
		if b, done = m.appendFrame(b); !done {
			q.long = append(q.long, m)
		}
	}
	return b
}

// appendFrame writes the message's next frame.
func (m *message) appendFrame(b []byte) (out []byte, done bool) {
	flags, head := m.flags, []byte(nil)
	if m.sent == 0 {
		flags |= flagFirst
		head = m.head
	}
	n := min(len(m.body)-m.sent, maxPayload-len(head))
	done = m.sent+n == len(m.body)
	if done {
		flags |= flagLast
	}
	b = appendHeader(b, m.kind, flags, m.id, len(head)+n)
	b = append(append(b, head...), m.body[m.sent:m.sent+n]...)
	m.sent += n
	return b, done
}
