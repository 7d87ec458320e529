package replay

import (
	"fmt"
	"sort"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Node is a model of a host: what truly runs there, its clock, its disk, and its daemon.
type Node struct {
	ID, Name string
	Alive    bool // the host is on

	w      *World
	number int
	boots  int
	runs   map[string]role
	paused bool
	held   []func() // what would have happened while it was paused

	rate  float64       // of its clock
	base  time.Duration // what its clock said
	since time.Duration // then

	disk    disk
	lag     time.Duration // every write takes so much longer
	free    time.Duration // when the disk has done what was asked for up to now
	writing []*writing
	ledger  ledger
	left    string // it has left the cluster in good order, in this boot

	starts int
	d      *daemon // nil: it does not run

	deaf    bool      // it does not hear that its results are facts
	killAt  string    // the daemon is killed at this point of an operation: "accepted" or "done"
	without time.Time // since when it could have had no majority; zero: it could have
}

// writing is something on its way to the disk.
type writing struct {
	keep func() // it is there
	then func() // and the daemon knows
	done bool
}

func newNode(w *World, number int, id, name string) *Node {
	n := &Node{ID: id, Name: name, w: w, number: number, Alive: true, boots: 1, rate: 1}
	if w.cfg.Jitter {
		n.base = time.Duration(w.rng.Int64N(int64(2 * time.Second)))
	}
	n.empty()
	return n
}

// empty is what a boot leaves: nothing.
func (n *Node) empty() {
	n.runs = map[string]role{}
	n.ledger = ledger{epoch: cib.Epoch{Term: n.ledger.epoch.Term}, serial: uint64(n.boots) << 32, ops: map[orderKey]*record{}, monitors: map[string]*monitor{}}
}

func (n *Node) boot() string { return fmt.Sprintf("%s-boot%d", n.Name, n.boots) }

// Runs reports whether something runs on the node, in truth.
func (n *Node) Runs(resource string) bool { return n.Alive && n.runs[resource] != stopped }

// Daemon reports whether the daemon runs.
func (n *Node) Daemon() bool { return n.Alive && n.d != nil }

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// clock is what the node's clock has counted.
func (n *Node) clock() time.Duration {
	return n.base + time.Duration(float64(n.w.at()-n.since)*n.rate)
}

// now is the time by the node's clock.
func (n *Node) now() time.Time { return Begin.Add(n.clock()) }

// setRate changes how fast the clock goes.
func (n *Node) setRate(rate float64) {
	n.base, n.since, n.rate = n.clock(), n.w.at(), rate
}

// real is how long the world takes for what the node's clock says; a moment more, lest a timer come before its time.
func (n *Node) real(d time.Duration) time.Duration {
	if n.rate == 1 {
		return d
	}
	return time.Duration(float64(d)/n.rate) + time.Microsecond
}

// host has something happen on the host later, unless it is switched off before; a paused host does it afterwards.
func (n *Node) host(d time.Duration, do func()) {
	boot := n.boots
	var when func()
	when = func() {
		switch {
		case !n.Alive || n.boots != boot:
		case n.paused:
			n.held = append(n.held, when)
		default:
			do()
		}
	}
	n.w.after(d, when)
}

// after has the daemon do something later, by its own clock, unless it ends before.
func (n *Node) after(d time.Duration, do func()) { n.afterReal(n.real(d), do) }

func (n *Node) afterReal(d time.Duration, do func()) {
	daemon := n.d
	n.host(d, func() {
		if n.d == daemon {
			do()
		}
	})
}

// Pause stops a host as a hypervisor does, or a debugger; its clock goes on.
func (n *Node) Pause() {
	if n.Alive && !n.paused {
		n.w.count("paused node")
		n.w.trace("** %s is paused", n.Name)
		n.w.mark(n, "~ paused")
		n.paused = true
		n.w.watchMajorities()
	}
}

// Resume lets a paused host go on: all that was to happen meanwhile happens now.
func (n *Node) Resume() {
	if !n.paused {
		return
	}
	n.w.trace("** %s goes on", n.Name)
	n.w.mark(n, "| goes on")
	n.paused = false
	held := n.held
	n.held = nil
	for _, do := range held {
		n.w.after(0, do)
	}
	n.w.watchMajorities()
}

// Crash takes a node's power away.
func (w *World) Crash(name string) {
	w.trace("** crash %s", name)
	if n := w.Node(name); n.Alive {
		w.count("crash of a host")
		n.die()
	}
}

// die ends all that runs on a host. Of what was on its way to the disk, some may have got there.
func (n *Node) die() {
	n.w.mark(n, "X off")
	n.endDaemon()
	n.torn()
	n.Alive, n.paused, n.held = false, false, nil
	n.boots++
	n.empty()
	n.w.watchMajorities()
}

// torn decides what of the writes that were on their way is on the disk when the power is gone.
func (n *Node) torn() {
	kept := 0
	if len(n.writing) > 0 {
		kept = n.w.rng.IntN(len(n.writing) + 1)
	}
	for i, x := range n.writing {
		if i < kept && !x.done {
			x.keep()
		}
		x.done = true
	}
	n.writing, n.free = nil, 0
}

// Start switches a node on, or starts its daemon.
func (n *Node) Start() {
	if n.Daemon() {
		return
	}
	n.w.trace("%s is on", n.Name)
	if !n.Alive {
		n.w.mark(n, "| on")
	} else {
		n.w.mark(n, "| daemon starts")
	}
	n.Alive = true
	n.startDaemon()
	n.w.watchMajorities()
}

// StopDaemon ends a node's daemon; what runs there goes on.
func (n *Node) StopDaemon() {
	if n.Daemon() {
		n.w.trace("%s: the daemon has stopped", n.Name)
		n.w.mark(n, ": daemon ends")
		n.endDaemon()
		n.w.watchMajorities()
	}
}

// kill ends the daemon as SIGKILL does, and has it started again.
func (n *Node) kill(why string) {
	n.w.trace("** the daemon of %s is killed%s", n.Name, why)
	n.StopDaemon()
	n.host(n.w.vary(300*time.Millisecond), n.Start)
}

// write puts something on the disk; then follows when it is there, if the daemon still runs.
func (n *Node) write(keep, then func()) {
	w := n.w
	x := &writing{keep: keep, then: then}
	n.writing = append(n.writing, x)
	took := w.vary(w.delay.Disk)
	if w.cfg.Jitter {
		took += time.Duration(w.rng.IntN(2000)) * time.Microsecond
	}
	if n.lag > 0 {
		w.count("slow disk")
	}
	n.free = max(n.free, w.at()) + took + w.vary(n.lag)
	d := n.d
	n.host(n.free-w.at(), func() {
		if x.done {
			return
		}
		x.done = true
		for len(n.writing) > 0 && n.writing[0].done {
			n.writing = n.writing[1:]
		}
		x.keep()
		if n.d == d && d != nil {
			x.then()
		}
	})
}
