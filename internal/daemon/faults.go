package daemon

import "time"

// Faults are what a lab makes go wrong on purpose. A real node has none.
type Faults interface {
	Blocked(node string) bool // nothing goes to that node, nothing comes from it
	SlowDisk() time.Duration  // every write of the log takes so much longer
}

type noFaults struct{}

func (noFaults) Blocked(string) bool     { return false }
func (noFaults) SlowDisk() time.Duration { return 0 }
