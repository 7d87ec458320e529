package ordeal

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cerco-ha/cerco/internal/judge"
)

// Note appends an event to a journal, at this moment.
func Note(path string, e judge.Event) error {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return fmt.Errorf("the time since the boot cannot be read: %w", err)
	}
	e.At = time.Duration(ts.Nano())
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(e.String() + "\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// journal is followed as it grows.
type journal struct {
	path  string
	judge *judge.Judge

	mu     sync.Mutex
	file   *os.File
	rest   []byte // of a line that is not whole yet
	events []judge.Event
}

func openJournal(path string, rules judge.Rules) (*journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return nil, err
	}
	return &journal{path: path, judge: judge.New(rules), file: f}, nil
}

func (j *journal) note(node, resource, what string, rest ...string) error {
	return Note(j.path, judge.Event{Node: node, Resource: resource, What: what, Rest: rest})
}

// follow has the judge see what is new, and returns it.
func (j *journal) follow() ([]judge.Event, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	data, err := io.ReadAll(j.file)
	if err != nil {
		return nil, err
	}
	data = append(j.rest, data...)
	whole := bytes.LastIndexByte(data, '\n') + 1
	j.rest = bytes.Clone(data[whole:])
	events, err := judge.Read(bytes.NewReader(data[:whole]))
	for _, e := range events {
		j.judge.See(e)
	}
	j.events = append(j.events, events...)
	if err != nil {
		err = fmt.Errorf("%s: %w", j.path, err)
	}
	return events, err
}

// faults are those so far, a line each.
func (j *journal) faults() string {
	var b strings.Builder
	for _, e := range j.events {
		switch e.What {
		case "fault", "heal", "whole":
			fmt.Fprintf(&b, "%10.2f %s %s\n", e.At.Seconds(), e.What, strings.Join(e.Rest, " "))
		}
	}
	return b.String()
}
