package replay

import (
	"fmt"
	"strings"
	"time"
)

// Invariant is which one an error of a run is about: "I1" to "I9", or empty.
func Invariant(err error) string {
	if err == nil {
		return ""
	}
	_, text, _ := strings.Cut(err.Error(), ": ")
	if len(text) > 2 && text[0] == 'I' && text[2] == ':' {
		return text[:2]
	}
	return ""
}

// tries is how often a run is carried out to make it shorter, at most.
const tries = 400

// Shrink makes a run shorter that breaks an invariant, as long as what is left breaks the same one: fewer faults,
// fewer resources, and no mishaps of messages. Another seed of the same run may do it with less.
func Shrink(r Run) Run {
	want := Invariant(Play(r).Breach)
	s := &shrinker{want: want, left: tries, best: r}
	calm := r
	calm.Config.Calm = true
	s.try(calm)
	for before := -1; before != s.size() && s.left > 0; {
		before = s.size()
		s.faults()
		s.edits()
		s.times()
	}
	return s.best
}

type shrinker struct {
	want string
	left int
	best Run
}

func (s *shrinker) size() int { return len(s.best.Faults) + len(s.best.Config.Edits) }

// try takes a run if it breaks what is wanted.
func (s *shrinker) try(r Run) bool {
	if s.left--; s.left < 0 {
		return false
	}
	if Invariant(Play(r).Breach) != s.want {
		return false
	}
	s.best = r
	return true
}

// without is a list without some of it, and never the same memory.
func without[T any](list []T, from, n int) []T {
	return append(append([]T(nil), list[:from]...), list[from+n:]...)
}

// faults takes out faults, many at once first.
func (s *shrinker) faults() {
	for n := max(1, len(s.best.Faults)/2); n >= 1; n /= 2 {
		for i := 0; i+n <= len(s.best.Faults); {
			r := s.best
			r.Faults = without(r.Faults, i, n)
			if !s.try(r) {
				i += n
			}
		}
	}
}

// edits takes out elements of the configuration, and nodes from the end.
func (s *shrinker) edits() {
	for i := len(s.best.Config.Edits) - 1; i >= 0; i-- {
		r := s.best
		r.Config.Edits = without(r.Config.Edits, i, 1)
		if _, err := New(r.Config); err == nil {
			s.try(r)
		}
	}
	for n := len(s.best.Config.Nodes) - 1; n >= 2; n-- {
		r := s.best
		last := r.Config.Nodes[n]
		r.Config.Nodes = r.Config.Nodes[:n]
		used := false
		for _, f := range r.Faults {
			used = used || strings.Contains(f.Line, last)
		}
		if used || !s.try(r) {
			return
		}
	}
}

// times makes the moments of faults round.
func (s *shrinker) times() {
	for i := range s.best.Faults {
		r := s.best
		r.Faults = append([]Fault(nil), r.Faults...)
		round := r.Faults[i].At.Round(500 * time.Millisecond)
		if round == r.Faults[i].At || i > 0 && round < r.Faults[i-1].At || i+1 < len(r.Faults) && round > r.Faults[i+1].At {
			continue
		}
		r.Faults[i].At = round
		s.try(r)
	}
}

// Report tells of a run that breaks an invariant: what is broken, the fewest faults that lead to it, and a time-line.
func Report(r Run) string {
	short := Shrink(r)
	short.Config.Draw = true
	out := Play(short)
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %v\n\n", r.Config.Seed, out.Breach)
	fmt.Fprintf(&b, "%d of %d faults are enough, on %s with\n", len(short.Faults), len(r.Faults), join(short.Config.Nodes))
	for _, e := range short.Config.Edits {
		fmt.Fprintf(&b, "  %s\n", e)
	}
	if !short.Config.Calm {
		b.WriteString("  (and messages that get lost, doubled and overtaken)\n")
	}
	b.WriteByte('\n')
	for _, f := range short.Faults {
		fmt.Fprintf(&b, "%9.3f  %s\n", f.At.Seconds(), f.Line)
	}
	fmt.Fprintf(&b, "\n%s\n%s", Legend, out.World.Timeline(60))
	return b.String()
}
