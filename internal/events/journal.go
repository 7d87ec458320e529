package events

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Journal keeps the last events and wakes those who follow it. The zero value is not ready: see NewJournal.
type Journal struct {
	mu    sync.Mutex
	ring  []Event // oldest first
	size  int
	last  uint64        // number of the newest event, also when it is no longer kept
	first uint64        // everything with this number or a higher one is kept
	more  chan struct{} // closed and replaced when something is added
}

// perIndex is how many numbers each index of the log has: the events of one command get neighbouring numbers,
// and numbers of different nodes and of different runs of the daemon compare.
const perIndex = 1 << 10

// NewJournal makes a journal that keeps so many events.
func NewJournal(size int) *Journal {
	return &Journal{size: size, more: make(chan struct{})}
}

// Add numbers events and adds them.
func (j *Journal) Add(list ...Event) {
	if len(list) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range list {
		e.Seq = max(j.last+1, e.Index*perIndex)
		if len(j.ring) == 0 && j.first == 0 {
			j.first = e.Seq
		}
		j.last = e.Seq
		j.ring = append(j.ring, e)
	}
	if extra := len(j.ring) - j.size; extra > 0 {
		j.first = j.ring[extra-1].Seq + 1
		clear(j.ring[:extra]) // the room before the first is given back when append needs more behind the last
		j.ring = j.ring[extra:]
	}
	close(j.more)
	j.more = make(chan struct{})
}

// Last is the number of the newest event.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Since returns the events after a number and what is closed when there are more. When some of them are no
// longer kept, the first is a gap.
func (j *Journal) Since(seq uint64) ([]Event, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	from, _ := slices.BinarySearchFunc(j.ring, seq+1, func(e Event, seq uint64) int { return cmp.Compare(e.Seq, seq) })
	list := slices.Clone(j.ring[from:])
	if seq != 0 && len(list) > 0 && seq+1 < j.first {
		gap := Event{Seq: j.first - 1, At: list[0].At, Kind: KindGap,
			Text: fmt.Sprintf("events after number %d are no longer kept; going on with number %d", seq, list[0].Seq)}
		list = append([]Event{gap}, list...)
	}
	return list, j.more
}

// Follow calls f with each event after a number, those that are kept first, and goes on until the context ends or f
// returns an error.
func (j *Journal) Follow(ctx context.Context, seq uint64, f func(Event) error) error {
	for {
		list, more := j.Since(seq)
		for _, e := range list {
			if err := f(e); err != nil {
				return err
			}
			seq = e.Seq
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
