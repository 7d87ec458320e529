package guesttest

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// Key returns the key that the recorded programs had, for the name that vectors give it.
func Key(name string) []byte {
	sizes := map[string]int{"key-4096.bin": 4096, "key-512.bin": 512, "key-32.bin": 32, "key-1m.bin": 4096} // of 1 MiB the first 4096 bytes count
	n, ok := sizes[name]
	if !ok {
		return []byte("secret\n") // key-text.bin
	}
	var key []byte
	for i := uint32(0); len(key) < n; i++ {
		block := sha256.Sum256(binary.BigEndian.AppendUint32([]byte("fence-virt-vector-key"), i))
		key = append(key, block[:]...)
	}
	return key[:n]
}

// Exchange is one call of the original's client, recorded: the datagrams or the request on a stream, and what
// went over the stream after it.
type Exchange struct {
	Requests       [][]byte
	GuestChallenge []byte // these four are empty where nobody was authenticated
	HostAnswer     []byte
	HostChallenge  []byte
	GuestAnswer    []byte
	Reply          []byte // the result, and the list that follows it
}

// Exchanges reads an annotated capture. Calls that got no reply have an empty one.
func Exchanges(file string) ([]Exchange, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []Exchange
	var label string
	var data []byte
	flush := func() {
		if len(data) > 0 {
			out = addMessage(out, label, data)
		}
		data = nil
	}
	in := bufio.NewScanner(f)
	for n := 1; in.Scan(); n++ {
		line := in.Text()
		if strings.HasPrefix(line, "#") {
			flush()
			label = line
			continue
		}
		b, err := hex.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
		data = append(data, b...)
	}
	flush()
	return out, in.Err()
}

func addMessage(out []Exchange, label string, data []byte) []Exchange {
	if strings.Contains(label, " req ") {
		if n := len(out); n > 0 && len(out[n-1].GuestChallenge) == 0 && len(out[n-1].Reply) == 0 && strings.Contains(label, "UDP") {
			out[n-1].Requests = append(out[n-1].Requests, data)
			return out
		}
		return append(out, Exchange{Requests: [][]byte{data}})
	}
	if len(out) == 0 {
		return out
	}
	e := &out[len(out)-1]
	switch {
	case strings.Contains(label, "CHALLENGE") && e.GuestChallenge == nil:
		e.GuestChallenge = data
	case strings.Contains(label, "CHALLENGE"):
		e.HostChallenge = data
	case strings.Contains(label, "RESPONSE") && e.HostAnswer == nil:
		e.HostAnswer = data
	case strings.Contains(label, "RESPONSE"):
		e.GuestAnswer = data
	default:
		e.Reply = append(e.Reply, data...)
	}
	return out
}
