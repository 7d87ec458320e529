package guestfence

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Record is a line of the log of requests: who asked for what, from where, and what came of it. A request that
// changes something has two: "accepted", which is on the disk before anything is done, and "done".
type Record struct {
	Time     time.Time `json:"time"`
	Event    string    `json:"event"`
	ID       string    `json:"id"` // the same for all records of a request
	Listener string    `json:"listener"`
	From     string    `json:"from"`           // what access groups know the asker by
	Peer     string    `json:"peer,omitempty"` // the other end of the connection
	Action   string    `json:"action"`
	Asked    string    `json:"asked,omitempty"` // the machine, as the asker named it
	Name     string    `json:"name,omitempty"`
	UUID     string    `json:"uuid,omitempty"`
	Was      string    `json:"was,omitempty"` // the machine's state before
	Result   string    `json:"result,omitempty"`
	Proof    *Proof    `json:"proof,omitempty"`
	Error    string    `json:"error,omitempty"`
	Millis   float64   `json:"ms,omitempty"` // from the request to the answer
	Answered bool      `json:"answered,omitempty"`
}

// Events of a record.
const (
	EventAccepted    = "accepted"
	EventDone        = "done"
	EventInterrupted = "interrupted" // the daemon died between the two: nobody was answered
)

// journal is the log of requests, one JSON object a line. What it has is never changed; when it gets long, a new
// file is begun and the one before is kept.
type journal struct {
	mu   sync.Mutex
	path string // empty: nothing is on disk
	file *os.File
	size int64
	max  int64
	open map[string]Record // accepted and not done
}

const (
	journalName = "requests.log"
	journalMax  = 16 << 20
)

// openJournal opens dir's journal. cut are the requests that were accepted and not done when the daemon died; done
// are the others that changed something, both in their order.
func openJournal(dir string) (j *journal, cut, done []Record, err error) {
	j = &journal{open: map[string]Record{}, max: journalMax}
	if dir == "" {
		return j, nil, nil, nil
	}
	j.path = filepath.Join(dir, journalName)
	if cut, done, err = readJournal(j.path); err != nil {
		return nil, nil, nil, err
	}
	if err := j.reopen(); err != nil {
		return nil, nil, nil, err
	}
	return j, cut, done, nil
}

func (j *journal) reopen() error {
	f, err := os.OpenFile(j.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of requests: %w", err)
	}
	st, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("opening the log of requests: %w", err)
	}
	j.file, j.size = f, st.Size()
	if last := make([]byte, 1); j.size > 0 {
		if _, err := f.ReadAt(last, j.size-1); err == nil && last[0] != '\n' {
			return j.write([]byte("\n")) // ends a line that a crash cut off
		}
	}
	return nil
}

// readJournal sorts what is in the file. Lines that a crash cut off are passed over.
func readJournal(path string) (cut, done []Record, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the log of requests: %w", err)
	}
	defer func() { _ = f.Close() }()
	open := map[string]int{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r Record
		if json.Unmarshal(in.Bytes(), &r) != nil {
			continue
		}
		i, ok := open[r.ID]
		switch {
		case r.Event == EventAccepted && !ok:
			open[r.ID] = len(cut)
			cut = append(cut, r)
		case r.Event != EventAccepted && ok:
			delete(open, r.ID)
			cut[i].Event = ""
			done = append(done, r)
		}
	}
	kept := cut[:0]
	for _, r := range cut {
		if r.Event != "" {
			kept = append(kept, r)
		}
	}
	if err := in.Err(); err != nil {
		return nil, nil, fmt.Errorf("reading the log of requests %s: %w", path, err)
	}
	return kept, done, nil
}

// add writes a record. One that is accepted is on the disk when add returns without an error.
func (j *journal) add(r Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the log of requests: %w", err)
	}
	if r.Event == EventAccepted {
		j.open[r.ID] = r
	} else {
		delete(j.open, r.ID)
	}
	if j.file == nil {
		return nil
	}
	if j.size > j.max {
		if err := j.turn(); err != nil {
			return err
		}
	}
	if err := j.write(append(line, '\n')); err != nil {
		return err
	}
	if r.Event != EventAccepted {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("writing the log of requests: %w", err)
	}
	return nil
}

func (j *journal) write(b []byte) error {
	n, err := j.file.Write(b)
	j.size += int64(n)
	if err != nil {
		return fmt.Errorf("writing the log of requests: %w", err)
	}
	return nil
}

// turn begins a new file, with what is not done yet.
func (j *journal) turn() error {
	_ = j.file.Close()
	if err := os.Rename(j.path, j.path+".1"); err != nil {
		return fmt.Errorf("turning over the log of requests: %w", err)
	}
	if err := j.reopen(); err != nil {
		return err
	}
	for _, r := range j.open {
		line, err := json.Marshal(r)
		if err == nil {
			err = j.write(append(line, '\n'))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
}
