package owner

import (
	"context"
	"errors"
	"fmt"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/hypervisor"
)

// Standalone speaks for the machines of one hypervisor. Machines are expected to stay: one that is being moved is
// refused, and one that has left is no longer this host's.
type Standalone struct {
	host hypervisor.Host
	name string
	left *leavers
}

var _ guestfence.Machines = (*Standalone)(nil)

// NewStandalone speaks for a hypervisor under the name of its host. Start must be called before it is asked.
func NewStandalone(name string, host hypervisor.Host) *Standalone {
	return &Standalone{host: host, name: name, left: newLeavers(host)}
}

// Start begins to notice machines that leave.
func (s *Standalone) Start() { s.left.start() }

// Stop ends that. It may be called twice.
func (s *Standalone) Stop() { s.left.stop() }

// List implements guestfence.Machines.
func (s *Standalone) List(ctx context.Context) ([]guestfence.Machine, error) {
	all, err := s.host.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []guestfence.Machine
	for _, m := range all {
		if m.Migration != hypervisor.Coming && !s.gone(m) {
			out = append(out, m.Machine)
		}
	}
	return out, nil
}

// Find implements guestfence.Machines.
func (s *Standalone) Find(ctx context.Context, id string) (guestfence.Machine, error) {
	m, err := s.host.Find(ctx, id)
	if err != nil {
		return guestfence.Machine{}, err
	}
	return m.Machine, s.speaksFor(m)
}

func (s *Standalone) gone(m hypervisor.Machine) bool {
	return m.Migration == hypervisor.Left || m.State.Off() && s.left.has(m.UUID)
}

// speaksFor tells why this host has nothing to say about a machine, or nil.
func (s *Standalone) speaksFor(m hypervisor.Machine) error {
	switch {
	case s.gone(m):
		return fmt.Errorf("machine %s has left %s by live migration: %w", m.Name, s.name, guestfence.ErrElsewhere)
	case m.Migration != hypervisor.Settled:
		return moving(m.Name)
	}
	return nil
}

func moving(name string) error {
	return fmt.Errorf("%w: machine %s is being migrated, and a host on its own cannot follow it: keep clustered guests where they are, or let a Cerco cluster of the hosts answer (docs/guest-fencing.md)", guestfence.ErrRefused, name)
}

// Off implements guestfence.Machines.
func (s *Standalone) Off(ctx context.Context, id string) (guestfence.Proof, error) {
	return s.cut(ctx, id, s.host.Off)
}

// Reboot implements guestfence.Machines.
func (s *Standalone) Reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	return s.cut(ctx, id, s.host.Reboot)
}

func (s *Standalone) cut(ctx context.Context, id string, how func(context.Context, string) (guestfence.Proof, error)) (guestfence.Proof, error) {
	m, err := s.host.Find(ctx, id)
	if err == nil {
		err = s.speaksFor(m)
	}
	if err != nil && !errors.Is(err, guestfence.ErrUnreachable) { // the hypervisor may be able to act without libvirt
		return guestfence.Proof{}, err
	}
	proof, err := how(ctx, id)
	if errors.Is(err, hypervisor.ErrMigrating) {
		return guestfence.Proof{}, errors.Join(moving(id), err)
	}
	proof.Host = s.name
	return proof, err
}

// On implements guestfence.Machines.
func (s *Standalone) On(ctx context.Context, id string) error {
	if _, err := s.Find(ctx, id); err != nil {
		return err
	}
	return s.host.On(ctx, id)
}

// Check implements guestfence.Machines.
func (s *Standalone) Check(ctx context.Context) error { return s.host.Check(ctx) }
