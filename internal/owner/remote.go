package owner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/hypervisor"
)

// Remote speaks for the machines of several hypervisors, from one place and without a cluster of hosts. A machine is
// looked for on all of them at once: while one of them cannot be asked, a machine that runs on none of the
// others may run there, and nothing is proved.
type Remote struct {
	hosts []Named
	log   *slog.Logger

	mu   sync.Mutex
	last map[string]string // UUID to the host where the machine ran last
}

// Named is a hypervisor and the name of its host.
type Named struct {
	Name string
	Host hypervisor.Host
}

var _ guestfence.Machines = (*Remote)(nil)

// NewRemote speaks for these hypervisors.
func NewRemote(log *slog.Logger, hosts ...Named) *Remote {
	return &Remote{hosts: hosts, log: log, last: map[string]string{}}
}

// again is how long Remote and Cluster wait before they look again for a machine between two places.
const again = 100 * time.Millisecond

// patience is how long they follow a machine that moves, where the request does not end before.
const patience = 15 * time.Second

// seen is one machine on one host.
type seen struct {
	on Named
	m  hypervisor.Machine
}

// look asks all hosts at once. It returns where the machine is known, and who could not be asked.
func (r *Remote) look(ctx context.Context, id string) (known []seen, silent error) {
	type answer struct {
		m   hypervisor.Machine
		err error
	}
	answers := make([]answer, len(r.hosts))
	var all sync.WaitGroup
	for i, h := range r.hosts {
		all.Go(func() { answers[i].m, answers[i].err = h.Host.Find(ctx, id) })
	}
	all.Wait()
	for i, a := range answers {
		switch {
		case a.err == nil:
			known = append(known, seen{r.hosts[i], a.m})
		case !errors.Is(a.err, guestfence.ErrUnknown):
			silent = errors.Join(silent, fmt.Errorf("%s: %w", r.hosts[i].Name, a.err))
		}
	}
	return known, silent
}

// settled looks until the machine is in one place, or off: then here is empty.
func (r *Remote) settled(ctx context.Context, id string) (here []seen, known []seen, err error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		var silent error
		known, silent = r.look(ctx, id)
		here = slices.Clone(known)
		here = slices.DeleteFunc(here, func(s seen) bool { return !s.m.Here() })
		moves := slices.ContainsFunc(known, func(s seen) bool { return s.m.Migration == hypervisor.Leaving || s.m.Migration == hypervisor.Coming }) ||
			len(here) == 0 && slices.ContainsFunc(known, r.away)
		switch {
		case moves: // or it has moved to where nobody looks
		case len(here) > 0:
			r.remember(here)
			return here, known, nil
		case silent != nil:
			return nil, known, fmt.Errorf("%w: machine %q may run where nobody can be asked: %w", guestfence.ErrUnreachable, id, silent)
		case len(known) == 0:
			return nil, nil, fmt.Errorf("machine %q, on %s: %w", id, r.names(), guestfence.ErrUnknown)
		default:
			return nil, known, nil
		}
		select {
		case <-time.After(again):
		case <-late.C:
			return nil, known, fmt.Errorf("%w: machine %q is being migrated and does not arrive on %s", guestfence.ErrRefused, id, r.names())
		case <-ctx.Done():
			return nil, known, fmt.Errorf("%w: machine %q is being migrated", guestfence.ErrRefused, id)
		}
	}
}

func (r *Remote) names() string {
	var names []string
	for _, h := range r.hosts {
		names = append(names, h.Name)
	}
	return strings.Join(names, ", ")
}

// away tells whether a machine has left this host and was not seen on another one since.
func (r *Remote) away(s seen) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.last[s.m.UUID]
	return s.m.Migration == hypervisor.Left && (last == "" || last == s.on.Name)
}

func (r *Remote) remember(here []seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range here {
		r.last[s.m.UUID] = s.on.Name
	}
}

// List implements guestfence.Machines. Hosts that cannot be asked are missing in it, unless all are.
func (r *Remote) List(ctx context.Context) ([]guestfence.Machine, error) {
	lists := make([][]hypervisor.Machine, len(r.hosts))
	errs := make([]error, len(r.hosts))
	var all sync.WaitGroup
	for i, h := range r.hosts {
		all.Go(func() { lists[i], errs[i] = h.Host.List(ctx) })
	}
	all.Wait()
	var out []guestfence.Machine
	silent := 0
	for i, list := range lists {
		if errs[i] != nil {
			silent++
			r.log.Warn("a host is missing in the list of machines", "host", r.hosts[i].Name, "err", errs[i])
		}
		for _, m := range list {
			at := slices.IndexFunc(out, func(o guestfence.Machine) bool { return o.UUID == m.UUID })
			switch {
			case at < 0:
				out = append(out, m.Machine)
			case m.Here():
				out[at] = m.Machine
			}
		}
	}
	if silent == len(r.hosts) {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// Find implements guestfence.Machines.
func (r *Remote) Find(ctx context.Context, id string) (guestfence.Machine, error) {
	here, known, err := r.settled(ctx, id)
	switch {
	case err != nil:
		return guestfence.Machine{}, err
	case len(here) > 0:
		return here[0].m.Machine, nil
	}
	return known[0].m.Machine, nil
}

// Off implements guestfence.Machines.
func (r *Remote) Off(ctx context.Context, id string) (guestfence.Proof, error) {
	return r.cut(ctx, id, hypervisor.Host.Off)
}

// Reboot implements guestfence.Machines.
func (r *Remote) Reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	return r.cut(ctx, id, hypervisor.Host.Reboot)
}

// cut acts where the machine runs; if it should run twice, on all of them, and nowhere is it started again.
func (r *Remote) cut(ctx context.Context, id string, how func(hypervisor.Host, context.Context, string) (guestfence.Proof, error)) (guestfence.Proof, error) {
	for {
		here, known, err := r.settled(ctx, id)
		if err != nil {
			return guestfence.Proof{}, err
		}
		if len(here) == 0 {
			here, how = known[:1], hypervisor.Host.Off // which says that it is off already, with the proof
		}
		if len(here) > 1 {
			r.log.Error("a machine runs on several hosts at once; it is cut off on all of them", "machine", id, "hosts", len(here))
			how = hypervisor.Host.Off
		}
		proofs := make([]guestfence.Proof, len(here))
		errs := make([]error, len(here))
		var all sync.WaitGroup
		for i, s := range here {
			all.Go(func() { proofs[i], errs[i] = how(s.on.Host, ctx, s.m.UUID) })
		}
		all.Wait()
		err = errors.Join(errs...)
		switch {
		case errors.Is(err, hypervisor.ErrMigrating) && ctx.Err() == nil:
			continue
		case err != nil:
			return guestfence.Proof{}, err
		}
		proof := proofs[0]
		proof.Host = here[0].on.Name
		for i := 1; i < len(here); i++ {
			proof.Host += ", " + here[i].on.Name
			proof.Detail += "; on " + here[i].on.Name + ": " + proofs[i].Detail
		}
		return proof, nil
	}
}

// On implements guestfence.Machines. A machine that several hosts define is started where it ran last.
func (r *Remote) On(ctx context.Context, id string) error {
	here, known, err := r.settled(ctx, id)
	if err != nil || len(here) > 0 {
		return err
	}
	r.mu.Lock()
	last := r.last[known[0].m.UUID]
	r.mu.Unlock()
	at := max(0, slices.IndexFunc(known, func(s seen) bool { return s.on.Name == last }))
	return known[at].on.Host.On(ctx, known[at].m.UUID)
}

// Check implements guestfence.Machines: every host must answer.
func (r *Remote) Check(ctx context.Context) error {
	errs := make([]error, len(r.hosts))
	var all sync.WaitGroup
	for i, h := range r.hosts {
		all.Go(func() {
			if err := h.Host.Check(ctx); err != nil {
				errs[i] = fmt.Errorf("%s: %w", h.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
