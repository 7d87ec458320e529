package controller

import (
	"iter"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// flight is an operation that a node was told to do and of which no result is known.
type flight struct {
	op       cib.Operation
	since    time.Time
	patience time.Duration // its own time-out, and the time for messages
	deadline time.Time     // then it counts as timed out, unless the node has done something else since
	again    time.Time     // when to send the order again, since it may not have arrived; zero: it has
	err      string        // why it may not have arrived
	noWait   bool          // it has no result
	given    bool          // its time-out has been proposed
	adopted  int           // the action of the plan under way that it does as well, though an earlier plan ordered it; 0: none
	landed   bool          // it is in flight no longer
}

// flightKey is what tells operations apart.
type flightKey struct {
	epoch  cib.Epoch
	action int
	node   string
}

func keyOfOp(op *cib.Operation) flightKey { return flightKey{op.Epoch, op.Action, op.Node} }

// flights are the operations in flight, in the order in which they were ordered. There may be tens of thousands:
// what is done for each result must not look at all of them.
type flights struct {
	list     []*flight // with some that have landed, until they are swept out
	landed   int
	byKey    map[flightKey]*flight
	on       map[string]int       // how many are waited for on a node
	progress map[string]time.Time // when a node has last done something
	due      time.Time            // nothing is due before; zero: nothing is in flight
}

func newFlights() flights {
	return flights{byKey: map[flightKey]*flight{}, on: map[string]int{}, progress: map[string]time.Time{}}
}

// all ranges over what is in flight.
func (s *flights) all() iter.Seq[*flight] {
	return func(yield func(*flight) bool) {
		for _, f := range s.list {
			if !f.landed && !yield(f) {
				return
			}
		}
	}
}

func (s *flights) add(f *flight) {
	s.list = append(s.list, f)
	s.byKey[keyOfOp(&f.op)] = f
	s.due = earliest(s.due, f.deadline)
	if !f.noWait {
		s.on[f.op.Node]++
	}
}

// find is the operation in flight that is op, nil if it is not.
func (s *flights) find(op *cib.Operation) *flight { return s.byKey[keyOfOp(op)] }

// land takes an operation out.
func (s *flights) land(f *flight) {
	f.landed = true
	s.landed++
	delete(s.byKey, keyOfOp(&f.op))
	if !f.noWait {
		s.on[f.op.Node]--
	}
	if s.landed > 32+len(s.list)/2 || s.landed == len(s.list) {
		s.sweep()
	}
}

func (s *flights) sweep() {
	kept := make([]*flight, 0, len(s.list)-s.landed)
	for f := range s.all() {
		kept = append(kept, f)
	}
	s.list, s.landed = kept, 0
	if len(kept) == 0 {
		s.due = time.Time{}
	}
}

// resendAt has an order given again.
func (s *flights) resendAt(f *flight, at time.Time) {
	f.again = at
	s.due = earliest(s.due, at)
}

// expires is when an operation counts as timed out: what a node was told to do has waited for its turn while the
// node did other things.
func (s *flights) expires(f *flight) time.Time {
	if at := s.progress[f.op.Node]; !f.given && !f.noWait && !at.IsZero() && at.Add(f.patience).After(f.deadline) {
		return at.Add(f.patience)
	}
	return f.deadline
}

// overdue deals with orders that are to be given again, and with those that were given up.
func (c *Controller) overdue() {
	s := &c.flights
	if s.due.IsZero() || c.now.Before(s.due) {
		return
	}
	s.sweep()
	s.due = time.Time{}
	for f := range s.all() {
		switch {
		case f.noWait && !c.now.Before(f.deadline):
			s.land(f) // it had its time; if the node is still there the next plan tells it again
			continue
		case !c.now.Before(s.expires(f)):
			c.timedOut(f)
			f.given, f.deadline = true, c.now.Add(askAgain) // until that is committed
		case !f.again.IsZero() && !c.now.Before(f.again):
			f.again = time.Time{}
			c.do(Dispatch{Op: f.op})
		}
		s.due = earliest(s.due, s.expires(f))
		s.due = earliest(s.due, f.again)
	}
}
