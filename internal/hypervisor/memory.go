package hypervisor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// Memory is a hypervisor whose machines exist nowhere else, for tests of what stands on a Host.
type Memory struct {
	mu       sync.Mutex
	machines []Machine
	broken   error
	watchers []chan Event
}

var _ Host = (*Memory)(nil)

// NewMemory returns a hypervisor with these machines.
func NewMemory(machines ...Machine) *Memory { return &Memory{machines: slices.Clone(machines)} }

// Put adds a machine, or replaces the one of the same name.
func (h *Memory) Put(m Machine) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.machines = slices.DeleteFunc(h.machines, func(o Machine) bool { return o.Name == m.Name })
	h.machines = append(h.machines, m)
	h.tell(Event{Kind: Other, Name: m.Name, UUID: m.UUID})
}

// Remove takes a machine away.
func (h *Memory) Remove(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.machines = slices.DeleteFunc(h.machines, func(o Machine) bool { return o.Name == name })
	h.tell(Event{Kind: Undefined, Name: name})
}

// Break lets every call fail with err; nil mends it.
func (h *Memory) Break(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = err
}

// tell is called with the lock held. Who does not listen misses it.
func (h *Memory) tell(e Event) {
	for _, w := range h.watchers {
		select {
		case w <- e:
		default:
		}
	}
}

// find is called with the lock held.
func (h *Memory) find(id string) (*Machine, error) {
	if h.broken != nil {
		return nil, fmt.Errorf("%w: %w", guestfence.ErrUnreachable, h.broken)
	}
	u := uuidOf(id)
	i := slices.IndexFunc(h.machines, func(m Machine) bool {
		if u != "" {
			return strings.EqualFold(m.UUID, u)
		}
		return m.Name == id
	})
	if i < 0 {
		return nil, fmt.Errorf("machine %q: %w", id, guestfence.ErrUnknown)
	}
	return &h.machines[i], nil
}

// List implements Host.
func (h *Memory) List(context.Context) ([]Machine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil {
		return nil, fmt.Errorf("%w: %w", guestfence.ErrUnreachable, h.broken)
	}
	out := slices.Clone(h.machines)
	slices.SortFunc(out, func(a, b Machine) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Find implements Host.
func (h *Memory) Find(_ context.Context, id string) (Machine, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.find(id)
	if err != nil {
		return Machine{}, err
	}
	return *m, nil
}

// Off implements Host.
func (h *Memory) Off(_ context.Context, id string) (guestfence.Proof, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.find(id)
	switch {
	case err != nil:
		return guestfence.Proof{}, err
	case m.Migration != Settled:
		return guestfence.Proof{}, fmt.Errorf("machine %s: %w", m.Name, ErrMigrating)
	case m.State.Off():
		return guestfence.Proof{Kind: guestfence.AlreadyOff, Detail: "shut off in memory"}, nil
	}
	m.State = guestfence.ShutOff
	h.tell(Event{Kind: Stopped, Name: m.Name, UUID: m.UUID})
	return guestfence.Proof{Kind: guestfence.SaidOff, Detail: "shut off in memory"}, nil
}

// On implements Host.
func (h *Memory) On(_ context.Context, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, err := h.find(id)
	if err == nil && m.State.Off() {
		m.State = guestfence.Running
		h.tell(Event{Kind: Started, Name: m.Name, UUID: m.UUID})
	}
	return err
}

// Reboot implements Host.
func (h *Memory) Reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	before, err := h.Find(ctx, id)
	if err != nil {
		return guestfence.Proof{}, err
	}
	proof, err := h.Off(ctx, id)
	if err == nil && proof.Kind != guestfence.AlreadyOff {
		before.State = guestfence.Running
		h.Put(before)
		proof.Detail += "; started again"
	}
	return proof, err
}

// Events implements Host.
func (h *Memory) Events(ctx context.Context) <-chan Event {
	w := make(chan Event, 64)
	w <- Event{Kind: Again}
	h.mu.Lock()
	h.watchers = append(h.watchers, w)
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.watchers = slices.DeleteFunc(h.watchers, func(o chan Event) bool { return o == w })
		close(w)
	})
	return w
}

// Check implements Host.
func (h *Memory) Check(ctx context.Context) error {
	_, err := h.List(ctx)
	return err
}
