package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// LogID tells logs apart. Survivors that go on with a log of their own raise the generation; should two
// do so at once, the founder's name tells theirs apart.
type LogID struct {
	Generation uint64 `json:"generation"`
	Founder    string `json:"founder"` // node that made the log
}

func (l LogID) String() string { return fmt.Sprintf("%d/%s", l.Generation, l.Founder) }

// Supersedes reports whether nodes of the log o are to give theirs up for l.
func (l LogID) Supersedes(o LogID) bool {
	return l.Generation > o.Generation || l.Generation == o.Generation && l.Founder < o.Founder
}

// Kinds of streams between stores.
const (
	kindRaft   = "raft"   // raft's own traffic follows
	kindStatus = "status" // only the answer is of interest
	kindOffer  = "offer"  // the leader asks a node to join its log
)

// hello is the first message on every stream, answer the one that comes back. A node says nothing else to
// one whose log is another.
type hello struct {
	Kind   string `json:"kind"`
	From   string `json:"from"`             // name of who dials
	Log    LogID  `json:"log"`              // the log that it has
	Member string `json:"member,omitempty"` // offer: member id that the asked one has in it
}

type answer struct {
	OK    bool   `json:"ok"`
	Why   string `json:"why,omitempty"` // it is not
	Name  string `json:"name"`
	Blank bool   `json:"blank,omitempty"` // has no log
	Log   LogID  `json:"log"`
	Term  uint64 `json:"term"`  // of its last entry
	Index uint64 `json:"index"` // of its last entry
}

// A message is a magic number, the length of what follows, and JSON.
const (
	magic   = "CrcL"
	maxHead = 4096
)

var errNotOurs = errors.New("not a stream between stores")

func writeHead(w io.Writer, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(body) > maxHead {
		return fmt.Errorf("a first message of %d bytes, more than %d", len(body), maxHead)
	}
	b := binary.BigEndian.AppendUint16([]byte(magic), uint16(len(body)))
	_, err = w.Write(append(b, body...))
	return err
}

func readHead(r io.Reader, v any) error {
	var head [len(magic) + 2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint16(head[len(magic):])
	if string(head[:len(magic)]) != magic || n > maxHead {
		return errNotOurs
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %v", errNotOurs, err)
	}
	return nil
}

// greet says hello on a new connection and hears the answer.
func greet(conn net.Conn, h hello, timeout time.Duration) (answer, error) {
	var a answer
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return a, err
	}
	if err := writeHead(conn, h); err != nil {
		return a, err
	}
	if err := readHead(conn, &a); err != nil {
		return a, err
	}
	return a, conn.SetDeadline(time.Time{})
}
