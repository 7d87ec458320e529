package testcluster

import (
	"time"

	"github.com/cerco-ha/cerco/internal/daemon"
)

// What fence devices may do instead of what they are told.
const (
	Fails = "fails" // say that it did not work
	Hangs = "hangs" // say nothing until the caller loses patience
	Late  = "late"  // say that it did not work, and do it a while later
)

// lateBy is how long a device that is late takes.
const lateBy = 3 * time.Second

// BreakFencing makes the fence devices fail, hang or be late from now on; with "" they work again.
func (w *World) BreakFencing(how string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fence = how
}

// SetSkew says how much the clock of a host is ahead of the others. It counts from the next start of its daemon.
func (w *World) SetSkew(name string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host(name).skew = d
}

// SlowDisk has every write of a host's log take so much longer.
func (w *World) SlowDisk(name string, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host(name).lag = d
}

// KillAfterNext has a host's daemon killed, and started again, as soon as an agent has done its work there: nobody
// has been told of it then.
func (w *World) KillAfterNext(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host(name).killAt = true
}

// slowness is how slow the disk of a host is.
type slowness struct{ *boot }

var _ daemon.Faults = slowness{}

func (slowness) Blocked(string) bool { return false }

func (s slowness) SlowDisk() time.Duration {
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	return s.world.host(s.name).lag
}

// restartTime is how long a daemon that was killed is gone.
const restartTime = 200 * time.Millisecond

// strikes reports whether it is time to kill a host's daemon.
func (w *World) strikes(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.host(name)
	now := h.killAt && h.boot != nil
	h.killAt = h.killAt && !now
	return now
}

// offLater is what a late device does.
func (w *World) offLater(name string, boots bool) {
	time.Sleep(lateBy)
	if w.c.ended.Err() != nil || !w.On(name) {
		return
	}
	w.powerOff(name, "a late device")
	if boots {
		w.comeBack(name)
	}
}
