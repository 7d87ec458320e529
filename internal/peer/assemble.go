package peer

import "fmt"

// Bounds of what one connection may have us put together at a time.
const (
	maxAssemblies    = 256
	maxAssemblyBytes = 4 * MaxMessage
)

// assemblies puts messages together from their frames. One is kept for each direction's ids. Memory grows
// with what arrived, not with what was announced.
type assemblies struct {
	parts map[uint64]*assembly
	bytes int
}

type assembly struct {
	request requestHead
	reply   replyHead
	again   bool
	size    uint32
	data    []byte
}

// add takes a frame of a request or a reply, and returns the message when it is complete.
func (a *assemblies) add(f frame) (*assembly, error) {
	m, data := a.parts[f.id], f.payload
	if f.flags&flagFirst != 0 {
		if m != nil {
			return nil, fmt.Errorf("call %d begins twice: %w", f.id, errFrame)
		}
		if len(a.parts) >= maxAssemblies {
			return nil, fmt.Errorf("over %d messages at a time on one connection: %w", maxAssemblies, errFrame)
		}
		m = &assembly{again: f.flags&flagAgain != 0}
		var err error
		if f.kind == kindRequest {
			m.request, data, err = cutRequestHead(data)
			m.size = m.request.size
		} else {
			m.reply, data, err = cutReplyHead(data)
			m.size = m.reply.size
		}
		if err != nil {
			return nil, err
		}
		if a.parts == nil {
			a.parts = map[uint64]*assembly{}
		}
		a.parts[f.id] = m
	}
	if m == nil {
		return nil, fmt.Errorf("call %d goes on without having begun: %w", f.id, errFrame)
	}
	m.data = append(m.data, data...)
	a.bytes += len(data)
	last := f.flags&flagLast != 0
	if len(m.data) > int(m.size) || last && len(m.data) != int(m.size) || a.bytes > maxAssemblyBytes {
		return nil, fmt.Errorf("call %d has %d bytes where %d were announced: %w", f.id, len(m.data), m.size, errFrame)
	}
	if !last {
		return nil, nil
	}
	a.bytes -= len(m.data)
	delete(a.parts, f.id)
	return m, nil
}
