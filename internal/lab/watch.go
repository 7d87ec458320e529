package lab

import (
	"os"
	"slices"
	"sync"
	"time"
)

// Watched are the faults of a faults file, read again whenever the file changes. It is what a daemon of
// the lab is started with.
type Watched struct {
	path string
	now  func() time.Time

	mu      sync.Mutex
	looked  time.Time // when the file was last looked at
	written time.Time // the file's time then
	faults  faults
}

// lookEvery is how soon a changed file is noticed.
const lookEvery = 10 * time.Millisecond

// Watch reads the faults of a file. A file that is missing has none, one that cannot be read keeps those it
// had: a fault that was meant to end is seen in the lab, and harms nobody.
func Watch(path string, now func() time.Time) *Watched { return &Watched{path: path, now: now} }

// Blocked reports whether the network to a node is cut.
func (w *Watched) Blocked(node string) bool { return slices.Contains(w.current().Blocked, node) }

// BlockedTo reports whether nothing gets through to a node.
func (w *Watched) BlockedTo(node string) bool { return slices.Contains(w.current().To, node) }

// BlockedFrom reports whether nothing gets through from a node.
func (w *Watched) BlockedFrom(node string) bool { return slices.Contains(w.current().From, node) }

// SlowDisk is how much longer each write takes.
func (w *Watched) SlowDisk() time.Duration { return w.current().SlowDisk }

func (w *Watched) current() faults {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if now.Sub(w.looked) < lookEvery {
		return w.faults
	}
	w.looked = now
	info, err := os.Stat(w.path)
	if err != nil {
		w.written = time.Time{}
		if os.IsNotExist(err) {
			w.faults = faults{}
		}
		return w.faults
	}
	if info.ModTime().Equal(w.written) {
		return w.faults
	}
	if f, err := readFaults(w.path); err == nil {
		w.faults, w.written = f, info.ModTime()
	}
	return w.faults
}
