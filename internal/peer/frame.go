package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A link carries frames: a header of 16 bytes and up to maxPayload bytes. Messages that are longer are cut
// into several frames, so that signs of life find their way between the pieces.
//
//	0      kind
//	1      flags
//	2..3   zero
//	4..7   length of the payload, big-endian
//	8..15  id: of the call, or of the ping
const (
	headerSize = 16
	maxPayload = 32 << 10
)

// MaxMessage is how long a call's request or reply may be.
const MaxMessage = 16 << 20

// MaxSend is how long a message of Send may be: one frame, with the service's name.
const MaxSend = maxPayload - maxService - 1

// maxService is how long a service's name may be.
const maxService = 64

type kind uint8

const (
	kindHello   kind = 1 // first on a link, in both directions
	kindPing    kind = 2
	kindPong    kind = 3
	kindSend    kind = 4
	kindRequest kind = 5
	kindReply   kind = 6
	kindCancel  kind = 7 // the caller does not wait any longer
)

const (
	flagFirst uint8 = 1 << 0 // the payload starts with the message's head
	flagLast  uint8 = 1 << 1 // the message is complete
	flagAgain uint8 = 1 << 2 // a request that was sent before, maybe in vain
)

// status is what became of a request.
type status uint8

const (
	statusOK        status = 0
	statusError     status = 1 // the handler's error is the reply
	statusNoService status = 2 // did not run
	statusBusy      status = 3 // did not run
	statusForgotten status = 4 // it ran, or was begun, and the answer is gone
)

type frame struct {
	kind    kind
	flags   uint8
	id      uint64
	payload []byte
}

var errFrame = errors.New("not a frame of ours")

// appendHeader writes a frame's header.
func appendHeader(b []byte, k kind, flags uint8, id uint64, n int) []byte {
	b = append(b, byte(k), flags, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(n))
	return binary.BigEndian.AppendUint64(b, id)
}

// readFrame reads one frame. buf is used for the payload when it is large enough: the frame is valid until
// the next call.
func readFrame(r io.Reader, buf *[]byte) (frame, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return frame{}, err
	}
	f := frame{kind: kind(h[0]), flags: h[1], id: binary.BigEndian.Uint64(h[8:])}
	n := binary.BigEndian.Uint32(h[4:])
	if f.kind < kindHello || f.kind > kindCancel || h[2] != 0 || h[3] != 0 || n > maxPayload {
		return frame{}, errFrame
	}
	if uint32(cap(*buf)) < n {
		*buf = make([]byte, n)
	}
	f.payload = (*buf)[:n]
	if _, err := io.ReadFull(r, f.payload); err != nil {
		return frame{}, fmt.Errorf("in the middle of a frame: %w", err)
	}
	return f, nil
}

// hello says which ring a connection belongs to, and which process speaks: a number that is drawn at start.
type hello struct {
	ring    uint8
	process uint64
}

const helloVersion = 1

func (h hello) encode() []byte {
	return binary.BigEndian.AppendUint64([]byte{helloVersion, h.ring}, h.process)
}

func decodeHello(b []byte) (hello, error) {
	if len(b) < 10 { // what a later version adds is left alone
		return hello{}, errFrame
	}
	if b[0] < helloVersion {
		return hello{}, fmt.Errorf("the other side speaks version %d of the links' protocol: %w", b[0], errFrame)
	}
	return hello{ring: b[1], process: binary.BigEndian.Uint64(b[2:])}, nil
}

// appendService writes a service's name before what follows it.
func appendService(b []byte, service string) []byte {
	return append(append(b, byte(len(service))), service...)
}

func cutService(b []byte) (service string, rest []byte, err error) {
	if len(b) == 0 || b[0] == 0 || b[0] > maxService || len(b) <= int(b[0]) {
		return "", nil, errFrame
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], nil
}

// requestHead starts the first frame of a request.
type requestHead struct {
	service string
	timeout uint32 // milliseconds that the caller waits; 0: no limit
	size    uint32 // of the whole message
}

func (h requestHead) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, h.timeout)
	b = binary.BigEndian.AppendUint32(b, h.size)
	return appendService(b, h.service)
}

func cutRequestHead(b []byte) (requestHead, []byte, error) {
	if len(b) < 8 {
		return requestHead{}, nil, errFrame
	}
	h := requestHead{timeout: binary.BigEndian.Uint32(b), size: binary.BigEndian.Uint32(b[4:])}
	var err error
	h.service, b, err = cutService(b[8:])
	if err != nil || h.size > MaxMessage {
		return requestHead{}, nil, errFrame
	}
	return h, b, nil
}

// replyHead starts the first frame of a reply.
type replyHead struct {
	status status
	size   uint32
}

func (h replyHead) append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(h.status)), h.size)
}

func cutReplyHead(b []byte) (replyHead, []byte, error) {
	if len(b) < 5 {
		return replyHead{}, nil, errFrame
	}
	h := replyHead{status: status(b[0]), size: binary.BigEndian.Uint32(b[1:])}
	if h.status > statusForgotten || h.size > MaxMessage {
		return replyHead{}, nil, errFrame
	}
	return h, b[5:], nil
}
