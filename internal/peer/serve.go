package peer

import (
	"context"
	"fmt"
	"time"
)

// inbox is what one process of another node has asked of us. It is what makes a call run once, over however
// many connections it was asked: answers are kept for a while. Peer.mu guards it.
type inbox struct {
	process   uint64
	calls     map[uint64]*served
	finished  []uint64 // oldest first
	forgotten uint64   // highest id whose answer is gone
	running   int
	bytes     int // of requests and answers that are kept
}

// served is one call of another node.
type served struct {
	on     *conn // to answer on
	cancel context.CancelFunc
	size   int // counted in inbox.bytes
	done   bool
	at     int64 // tick of its end
	status status
	reply  []byte
}

// Bounds of an inbox.
const (
	maxRunning  = 256
	maxKept     = 1024
	maxKeptSize = 4 * MaxMessage
	keepAnswers = 10 * ticksPerSecond
)

func newInbox() *inbox { return &inbox{calls: map[uint64]*served{}} }

// meet begins anew when the other side is another process than before: nobody waits for the old answers.
func (in *inbox) meet(process uint64) {
	if in.process == process {
		return
	}
	for _, s := range in.calls {
		s.cancel()
	}
	*in = *newInbox()
	in.process = process
}

// expire forgets old answers.
func (in *inbox) expire(now int64) {
	for len(in.finished) > 0 {
		id := in.finished[0]
		s := in.calls[id]
		if now-s.at < keepAnswers && len(in.finished) <= maxKept && in.bytes <= maxKeptSize {
			return
		}
		in.finished = in.finished[1:]
		in.bytes -= s.size
		in.forgotten = max(in.forgotten, id)
		delete(in.calls, id)
	}
}

// serve begins to handle a request, or answers it again.
func (c *conn) serve(id uint64, m *assembly) {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	in := c.r.inbox
	if c.gone || in.process != c.process {
		return
	}
	if s := in.calls[id]; s != nil {
		s.on = c
		if s.done {
			c.reply(id, s.status, s.reply)
		}
		return
	}
	h := p.services[m.request.service]
	switch {
	case m.again && id <= in.forgotten:
		c.reply(id, statusForgotten, nil)
		return
	case h == nil:
		c.reply(id, statusNoService, nil)
		return
	case p.stopped, in.running >= maxRunning, in.bytes+len(m.data) > maxKeptSize:
		c.reply(id, statusBusy, nil)
		return
	}
	ctx, cancel := context.WithCancel(c.r.ctx)
	if m.request.timeout > 0 {
		ctx, cancel = context.WithTimeout(c.r.ctx, time.Duration(m.request.timeout)*time.Millisecond)
	}
	s := &served{on: c, cancel: cancel, size: len(m.data)}
	in.calls[id] = s
	in.running++
	in.bytes += s.size
	from := c.r.name
	p.handlers.Go(func() {
		defer cancel()
		reply, err := h(ctx, from, m.data)
		p.finish(in, id, s, reply, err)
	})
}

// finish keeps an answer and sends it.
func (p *Peer) finish(in *inbox, id uint64, s *served, reply []byte, err error) {
	if err == nil && len(reply) > MaxMessage {
		err = fmt.Errorf("the answer of %d bytes is over the limit of %d", len(reply), MaxMessage)
	}
	st := statusOK
	if err != nil {
		st, reply = statusError, []byte(err.Error())
		reply = reply[:min(len(reply), maxPayload)]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.done, s.at, s.status, s.reply = true, p.ticks, st, reply
	if in.calls[id] != s {
		return // of a process that is gone
	}
	in.running--
	in.bytes += len(reply) - s.size
	s.size = len(reply)
	in.finished = append(in.finished, id)
	if !s.on.gone {
		s.on.reply(id, st, reply)
	}
}

// reply sends an answer; Peer.mu is held. When it cannot be sent the connection ends, and the other side
// asks again on another.
func (c *conn) reply(id uint64, s status, data []byte) {
	head := replyHead{status: s, size: uint32(len(data))}.append(nil)
	if !c.q.putMessage(&message{kind: kindReply, id: id, head: head, body: data}) && !c.gone {
		c.close(fmt.Errorf("over %d messages wait to be sent", maxLong))
	}
}

// cancelled ends a call that nobody waits for.
func (c *conn) cancelled(id uint64) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if s := c.r.inbox.calls[id]; s != nil && c.r.inbox.process == c.process {
		s.cancel()
	}
}
