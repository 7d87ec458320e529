package guestfence

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// memory knows the signatures of requests that were taken, so that none is taken twice, after a restart either.
// Those of requests that change something are kept for the life of the key; of the others, the last ones. Only
// what is rightly signed gets in, so strangers cannot fill it.
//
// On disk it is a header, which names the key, and one record for each signature: a byte for its kind and the
// first half of the digest.
type memory struct {
	mu     sync.Mutex
	seen   map[mark]struct{}
	recent []mark // of requests that change nothing, in a ring
	next   int
	acting int
	file   *os.File // nil: nothing is kept on disk
	dirty  bool
}

type mark [16]byte

const (
	keptRecent = 1 << 15 // signatures of requests that change nothing
	keptActing = 1 << 18 // signatures of requests that change something
	markSize   = 1 + len(mark{})

	markAsking = 0
	markActing = 1
)

// errMemoryFull is returned when the key has seen so many requests that no more can be kept apart.
var errMemoryFull = errors.New("this key has served its time: make a new one for all guests and hosts")

// openMemory reads what was seen with this key from dir/name; with dir empty, nothing is on disk.
func openMemory(dir, name string, key []byte) (*memory, error) {
	m := &memory{seen: map[mark]struct{}{}}
	if dir == "" {
		return m, nil
	}
	path := filepath.Join(dir, name)
	old, err := os.Open(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading which requests were seen: %w", err)
	}
	header := memoryHeader(key)
	if err == nil {
		m.load(old, header)
		_ = old.Close()
	}
	if err := m.rewrite(path, header); err != nil {
		return nil, fmt.Errorf("writing which requests were seen: %w", err)
	}
	return m, nil
}

// memoryHeader tells keys apart without telling what they are.
func memoryHeader(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("requests seen with this key\x00"))
	return fmt.Appendf(nil, "cerco requests seen, of the key %x\n", h.Sum(nil)[:8])
}

// load reads marks until the file ends, be it in the middle of one.
func (m *memory) load(r io.Reader, header []byte) {
	in := bufio.NewReader(r)
	head := make([]byte, len(header))
	if _, err := io.ReadFull(in, head); err != nil || string(head) != string(header) {
		return // of another key, whose requests are not ours
	}
	var b [markSize]byte
	for {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return
		}
		m.put(mark(b[1:]), b[0] == markActing)
	}
}

// rewrite makes the file anew, with what is still known, and keeps it open for what will come.
func (m *memory) rewrite(path string, header []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	_, _ = out.Write(header)
	asking := map[mark]bool{}
	for i := range m.recent {
		k := m.recent[(m.next+i)%len(m.recent)] // oldest first
		asking[k] = true
		_, _ = out.Write(append([]byte{markAsking}, k[:]...))
	}
	for k := range m.seen {
		if !asking[k] {
			_, _ = out.Write(append([]byte{markActing}, k[:]...))
		}
	}
	if err = out.Flush(); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	m.file = f
	return nil
}

// take remembers the signature of a request and tells whether it is new.
func (m *memory) take(d protocol.Digest, acting bool) (fresh bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := mark(d[:len(mark{})])
	if _, ok := m.seen[k]; ok {
		return false, nil
	}
	if acting && m.acting >= keptActing {
		return false, errMemoryFull
	}
	m.put(k, acting)
	if m.file == nil {
		return true, nil
	}
	b := append([]byte{markAsking}, k[:]...)
	if acting {
		b[0] = markActing
		m.dirty = true
	}
	if _, err := m.file.Write(b); err != nil {
		return false, fmt.Errorf("writing which requests were seen: %w", err)
	}
	return true, nil
}

func (m *memory) put(k mark, acting bool) {
	m.seen[k] = struct{}{}
	switch {
	case acting:
		m.acting++
	case len(m.recent) < keptRecent:
		m.recent = append(m.recent, k)
	default:
		delete(m.seen, m.recent[m.next])
		m.recent[m.next] = k
		m.next = (m.next + 1) % keptRecent
	}
}

// sync returns when what was taken to be carried out is on the disk.
func (m *memory) sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dirty {
		return nil
	}
	m.dirty = false
	if err := m.file.Sync(); err != nil {
		return fmt.Errorf("writing which requests were seen: %w", err)
	}
	return nil
}

func (m *memory) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file != nil {
		_ = m.file.Close()
		m.file = nil
		m.dirty = false
	}
}
