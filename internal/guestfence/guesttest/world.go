// Package guesttest is a world of hosts and virtual machines in memory. It owns machines that exist nowhere else
// and implements guestfence.Machines for each of its hosts.
//
// It promises what a hypervisor promises: a machine runs on at most one host, and what is off stays off until
// it is started. Besides that it counts what was done, and fails and waits as a test orders it to.
//
// It never touches a real machine, and no program that is installed uses it.
package guesttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// World holds machines and where each of them is.
type World struct {
	mu       sync.Mutex
	machines []*machine
	starts   map[string]int
	stops    map[string]int
	broken   map[string]error         // by host
	gate     map[string]chan struct{} // by machine: actions on it wait until the channel is closed
	waiting  func(name string)        // told of every action that waits at a gate
	ports    []guestfence.Port
}

type machine struct {
	guestfence.Machine
	host   string
	moving chan struct{} // closed when the move is over, one way or the other; nil: it stays where it is
}

// NewWorld returns a world without machines.
func NewWorld() *World {
	return &World{starts: map[string]int{}, stops: map[string]int{}, broken: map[string]error{}, gate: map[string]chan struct{}{}}
}

// Add puts a machine on a host.
func (w *World) Add(host string, m guestfence.Machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.machines = append(w.machines, &machine{Machine: m, host: host})
}

// Move migrates a machine: arrive ends it, and from one moment to the next, another host owns the machine. Until
// then its host does not answer for it: a Member waits, and a host that is Standalone refuses. Whoever acts on the
// machine before it has arrived ends the move, as destroying a source does; it stays where it is.
func (w *World) Move(id, host string) (arrive func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.find(id)
	if m == nil {
		return nil, guestfence.ErrUnknown
	}
	if m.moving != nil {
		return nil, errMoving
	}
	moving := make(chan struct{})
	m.moving = moving
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if m.moving == moving {
			m.host = host
			m.settle()
		}
	}, nil
}

var errMoving = fmt.Errorf("the machine is being migrated: %w", guestfence.ErrRefused)

// settle ends a move. The lock is held.
func (m *machine) settle() {
	if m.moving != nil {
		close(m.moving)
		m.moving = nil
	}
}

// Set puts a machine into a state.
func (w *World) Set(id string, s guestfence.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.find(id); m != nil {
		m.State = s
	}
}

// Where returns the host of a machine and its state.
func (w *World) Where(id string) (host string, s guestfence.State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.find(id); m != nil {
		return m.host, m.State
	}
	return "", guestfence.NoState
}

// Break lets every call on a host fail with err; nil mends it.
func (w *World) Break(host string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken[host] = err
}

// Hold lets actions on a machine wait until release is called. waiting, if not nil, is told of each.
func (w *World) Hold(name string, waiting func(name string)) (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{})
	w.gate[name], w.waiting = c, waiting
	return sync.OnceFunc(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.gate, name)
		close(c)
	})
}

// Connect gives a machine a serial port, or a channel, at a unix socket that the test listens on.
func (w *World) Connect(p guestfence.Port) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ports = append(w.ports, p)
}

// Count returns how often a machine was started and stopped.
func (w *World) Count(name string) (starts, stops int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starts[name], w.stops[name]
}

// find is called with the lock held.
func (w *World) find(id string) *machine {
	i := slices.IndexFunc(w.machines, func(m *machine) bool { return m.Name == id || strings.EqualFold(m.UUID, id) })
	if i < 0 {
		return nil
	}
	return w.machines[i]
}

// Standalone returns the machines that one host of the world has; others it does not know.
func (w *World) Standalone(host string) *Host {
	return &Host{w: w, name: host, others: guestfence.ErrUnknown}
}

// Member returns the machines of one host that knows what the other hosts have.
func (w *World) Member(host string) *Host {
	return &Host{w: w, name: host, others: guestfence.ErrElsewhere}
}

// Host is one host's machines.
type Host struct {
	w      *World
	name   string
	others error // for machines of other hosts
}

var (
	_ guestfence.Machines = (*Host)(nil)
	_ guestfence.Ports    = (*Host)(nil)
)

// Ports implements guestfence.Ports.
func (h *Host) Ports(context.Context) ([]guestfence.Port, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	var out []guestfence.Port
	for _, p := range h.w.ports {
		if m, err := h.own(p.Machine.UUID); err == nil && !m.State.Off() {
			p.Machine = m.Machine
			out = append(out, p)
		}
	}
	return out, h.w.broken[h.name]
}

// List implements guestfence.Machines.
func (h *Host) List(context.Context) ([]guestfence.Machine, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.w.broken[h.name]; err != nil {
		return nil, err
	}
	var out []guestfence.Machine
	for _, m := range h.w.machines {
		if m.host == h.name {
			out = append(out, m.Machine)
		}
	}
	return out, nil
}

// Find implements guestfence.Machines.
func (h *Host) Find(ctx context.Context, id string) (guestfence.Machine, error) {
	for {
		m, moving, err := h.look(id)
		if moving == nil || err != nil {
			return m, err
		}
		if errors.Is(h.others, guestfence.ErrUnknown) {
			return guestfence.Machine{}, errMoving
		}
		select {
		case <-moving:
		case <-ctx.Done():
			return guestfence.Machine{}, context.Cause(ctx)
		}
	}
}

func (h *Host) look(id string) (guestfence.Machine, <-chan struct{}, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	m, err := h.own(id)
	if err != nil {
		return guestfence.Machine{}, nil, err
	}
	return m.Machine, m.moving, nil
}

// own is called with the lock held.
func (h *Host) own(id string) (*machine, error) {
	if err := h.w.broken[h.name]; err != nil {
		return nil, err
	}
	m := h.w.find(id)
	if m == nil {
		return nil, fmt.Errorf("%s: %w", id, guestfence.ErrUnknown)
	}
	if m.host != h.name {
		return nil, fmt.Errorf("%s: %w", id, h.others)
	}
	return m, nil
}

// act waits at the machine's gate and then does do, in one step as seen from outside.
func (h *Host) act(ctx context.Context, id string, do func(*machine)) error {
	h.w.mu.Lock()
	m, err := h.own(id)
	if err != nil {
		h.w.mu.Unlock()
		return err
	}
	if gate := h.w.gate[m.Name]; gate != nil {
		waiting := h.w.waiting
		h.w.mu.Unlock()
		if waiting != nil {
			waiting(m.Name)
		}
		select {
		case <-gate:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		h.w.mu.Lock()
		if m, err = h.own(id); err != nil {
			h.w.mu.Unlock()
			return err
		}
	}
	defer h.w.mu.Unlock()
	m.settle()
	do(m)
	return nil
}

// Off implements guestfence.Machines.
func (h *Host) Off(ctx context.Context, id string) (guestfence.Proof, error) {
	p := guestfence.Proof{Kind: guestfence.AlreadyOff, Host: h.name}
	err := h.act(ctx, id, func(m *machine) {
		if !m.State.Off() {
			p.Kind = guestfence.SaidOff
			m.State = guestfence.ShutOff
			h.w.stops[m.Name]++
		}
	})
	if err != nil {
		return guestfence.Proof{}, err
	}
	return p, nil
}

// On implements guestfence.Machines.
func (h *Host) On(ctx context.Context, id string) error {
	return h.act(ctx, id, func(m *machine) {
		if m.State.Off() {
			m.State = guestfence.Running
			h.w.starts[m.Name]++
		}
	})
}

// Reboot implements guestfence.Machines.
func (h *Host) Reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	p := guestfence.Proof{Kind: guestfence.AlreadyOff, Host: h.name}
	err := h.act(ctx, id, func(m *machine) {
		if !m.State.Off() {
			p.Kind = guestfence.SaidOff
			m.State = guestfence.Running
			h.w.stops[m.Name]++
			h.w.starts[m.Name]++
		}
	})
	if err != nil {
		return guestfence.Proof{}, err
	}
	return p, nil
}

// Check implements guestfence.Machines.
func (h *Host) Check(context.Context) error {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	return h.w.broken[h.name]
}
