// Package history keeps what the cluster decided: each transition with the CIB it was made from, so that
// anybody can see later what was done and why, and replay any of it in the simulator.
//
// It owns one directory of a node. An entry is two files: TERM-PLAN.json says when, why and what became of it,
// TERM-PLAN.xml.gz is the input. It promises that an entry which is listed can be read, that a crash in the
// middle of writing leaves the older entries whole, and that the directory does not grow beyond its limit.
// It never decides anything, and nothing in the cluster depends on it: a full disk loses history only.
package history

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Entry is one transition.
type Entry struct {
	Term    uint64    `json:"term"` // of the leader that decided
	Plan    uint64    `json:"plan"` // number of the plan in its term
	Node    string    `json:"node"` // that decided
	At      time.Time `json:"at"`   // the time that the plan was made for: a replay needs it
	Why     string    `json:"why"`  // what called for a plan
	Actions int       `json:"actions"`
	Summary []string  `json:"summary"` // what it was to do, a line each
	Ended   time.Time `json:"ended,omitzero"`
	Outcome string    `json:"outcome,omitempty"` // "complete", or why it was given up; empty while it runs
}

// ID names the entry: "TERM-PLAN". Terms only rise, and plans in a term: it is never given twice.
func (e *Entry) ID() string { return fmt.Sprintf("%d-%d", e.Term, e.Plan) }

// ErrNone says that there is no such entry.
var ErrNone = errors.New("no such transition")

// Log is the directory with the entries.
type Log struct {
	dir   string
	limit int

	mu   sync.Mutex
	keys []key // ascending
}

// key is the identity of an entry.
type key struct{ term, plan uint64 }

func (k key) String() string { return fmt.Sprintf("%d-%d", k.term, k.plan) }

func compare(a, b key) int { return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.plan, b.plan)) }

func parseKey(s string) (k key, ok bool) {
	term, plan, _ := strings.Cut(s, "-")
	var err1, err2 error
	k.term, err1 = strconv.ParseUint(term, 10, 64)
	k.plan, err2 = strconv.ParseUint(plan, 10, 64)
	return k, err1 == nil && err2 == nil && k.String() == s
}

// Open finds what is in a directory, which is made when it is missing. At most limit entries are kept.
func Open(dir string, limit int) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	l := &Log{dir: dir, limit: max(limit, 1)}
	for _, f := range files {
		name, isEntry := strings.CutSuffix(f.Name(), ".json")
		if k, ok := parseKey(name); isEntry && ok {
			l.keys = append(l.keys, k)
		}
	}
	slices.SortFunc(l.keys, compare)
	return l, nil
}

func (l *Log) path(k key, suffix string) string { return filepath.Join(l.dir, k.String()+suffix) }

// Add keeps one more transition with its input.
func (l *Log) Add(e Entry, input []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // the level is a good one
	if _, err := w.Write(input); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	k := key{e.Term, e.Plan}
	if err := l.write(l.path(k, ".xml.gz"), packed.Bytes()); err != nil {
		return err
	}
	if err := l.writeEntry(e); err != nil {
		return err
	}
	if at, known := slices.BinarySearchFunc(l.keys, k, compare); !known {
		l.keys = slices.Insert(l.keys, at, k)
	}
	for len(l.keys) > l.limit {
		old := l.keys[0]
		l.keys = l.keys[1:]
		if err := errors.Join(remove(l.path(old, ".json")), remove(l.path(old, ".xml.gz"))); err != nil {
			return err
		}
	}
	return nil
}

// End notes what became of a transition.
func (l *Log) End(id string, at time.Time, outcome string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, err := l.entry(id)
	if err != nil {
		return err
	}
	e.Ended, e.Outcome = at, outcome
	return l.writeEntry(e)
}

// Entry is the transition of that id.
func (l *Log) Entry(id string) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entry(id)
}

// Last returns the newest entries, at most n of them, oldest first.
func (l *Log) Last(n int) ([]Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Entry
	for _, k := range l.keys[max(0, len(l.keys)-n):] {
		e, err := l.entry(k.String())
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
	return out, nil
}

// Input is the CIB that a transition was made from, as XML.
func (l *Log) Input(id string) ([]byte, error) {
	k, ok := parseKey(id)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNone, id)
	}
	f, err := os.Open(l.path(k, ".xml.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNone, id)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return io.ReadAll(r)
}

func (l *Log) entry(id string) (Entry, error) {
	var e Entry
	k, ok := parseKey(id)
	if !ok {
		return e, fmt.Errorf("%w: %q", ErrNone, id)
	}
	data, err := os.ReadFile(l.path(k, ".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return e, fmt.Errorf("%w: %s", ErrNone, id)
	}
	if err == nil {
		err = json.Unmarshal(data, &e)
	}
	if err != nil {
		return e, fmt.Errorf("%s: %w", l.path(k, ".json"), err)
	}
	return e, nil
}

func (l *Log) writeEntry(e Entry) error {
	data, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return l.write(l.path(key{e.Term, e.Plan}, ".json"), append(data, '\n'))
}

// write puts a file in its place as a whole, or not at all. Input CIBs hold secrets: only the owner reads them.
func (l *Log) write(path string, data []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return errors.Join(err, remove(next))
	}
	return os.Rename(next, path)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
