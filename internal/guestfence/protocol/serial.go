package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Sizes of the frames on serial lines, where nothing is signed: the line itself says who asks.
const (
	SerialRequestSize  = 74
	SerialResponseSize = 5
)

// magic begins each frame; it reads the same in both byte orders.
var magic = [4]byte{0x61, 0x62, 0x62, 0x61}

// SerialRequest is what a guest sends over a serial line or a channel.
type SerialRequest struct {
	Action Action
	Flags  byte
	Domain string
	Seq    uint32
}

// Bytes returns the frame as it goes over the line.
func (r *SerialRequest) Bytes() []byte {
	b := make([]byte, SerialRequestSize)
	copy(b, magic[:])
	b[4], b[5] = byte(r.Action), r.Flags
	putText(b[6:70], r.Domain)
	binary.LittleEndian.PutUint32(b[70:], r.Seq)
	return b
}

// ParseSerialRequest decodes a frame.
func ParseSerialRequest(b []byte) (*SerialRequest, error) {
	if len(b) != SerialRequestSize || !bytes.HasPrefix(b, magic[:]) {
		return nil, fmt.Errorf("%w: no serial request", ErrMalformed)
	}
	return &SerialRequest{Action: Action(b[4]), Flags: b[5], Domain: text(b[6:70]), Seq: binary.LittleEndian.Uint32(b[70:])}, nil
}

// SerialResponse returns the frame that answers a request.
func SerialResponse(r Result) []byte { return append(magic[:len(magic):len(magic)], byte(r)) }

// ReadSerialRequest skips what is no frame and reads the next request. It needs one byte at a time up to the
// magic, so r should be buffered.
func ReadSerialRequest(r io.Reader) (*SerialRequest, error) {
	if err := SeekFrame(r); err != nil {
		return nil, err
	}
	return ReadFrame(r)
}

// ReadFrame reads the rest of a request whose beginning SeekFrame found.
func ReadFrame(r io.Reader) (*SerialRequest, error) {
	b := make([]byte, SerialRequestSize)
	n := copy(b, magic[:])
	if _, err := io.ReadFull(r, b[n:]); err != nil {
		return nil, fmt.Errorf("a serial request breaks off: %w", err)
	}
	return ParseSerialRequest(b)
}

// ReadSerialResponse skips what is no frame and reads the next result.
func ReadSerialResponse(r io.Reader) (Result, error) {
	if err := SeekFrame(r); err != nil {
		return Failure, err
	}
	var b [1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Failure, fmt.Errorf("a serial response breaks off: %w", err)
	}
	return Result(b[0]), nil
}

// SeekFrame skips what is no frame, up to and including the magic.
func SeekFrame(r io.Reader) error {
	var window [4]byte
	for window != magic {
		copy(window[:], window[1:])
		if _, err := io.ReadFull(r, window[3:]); err != nil {
			return err
		}
	}
	return nil
}
