package owner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/hypervisor"
)

// ClusterConfig is what Cluster stands on. All of it but Pass must be there.
type ClusterConfig struct {
	Node string
	Host hypervisor.Host // of this host
	// State returns the replicated state; with fresh one that is at least as new as the call, or an error.
	State  func(ctx context.Context, fresh bool) (cib.State, error)
	Leader func() string // who leads now, "" if nobody is known to
	// Flying lists what the leader has ordered and what is not in the state yet, by resource; unknown says why it cannot
	// be told. It is asked on the leader only.
	Flying func() (what map[string]string, unknown string)
	// Failed has the cluster know that a resource has stopped on this host, so that it recovers it now.
	Failed func(ctx context.Context, resource string) error
	Read   func(file string) ([]byte, error)
	// Pass has another host carry a request out, with Carry. Nil: what has left is refused.
	Pass func(ctx context.Context, node string, p Passed) (guestfence.Proof, error)
	Now  func() time.Time
	Log  *slog.Logger
}

// Cluster speaks for the machines of a cluster of hosts. The host where a machine runs answers; for one that runs
// nowhere, the host where the cluster's state has it; for one that the state has nowhere, the leader.
type Cluster struct {
	cfg  ClusterConfig
	left *leavers
}

var _ guestfence.Machines = (*Cluster)(nil)

// NewCluster returns it. Start must be called before it is asked.
func NewCluster(cfg ClusterConfig) *Cluster { return &Cluster{cfg: cfg, left: newLeavers(cfg.Host)} }

// Start begins to notice machines that leave.
func (c *Cluster) Start() { c.left.start() }

// Stop ends that. It may be called twice.
func (c *Cluster) Stop() { c.left.stop() }

// verdict is that this host answers for a machine.
type verdict struct {
	m        hypervisor.Machine
	here     bool             // it runs here
	proof    guestfence.Proof // why it is off, if it is not here
	resource string           // that operates it, or ""
}

// judge finds out whether this host answers, and follows a machine that moves.
func (c *Cluster) judge(ctx context.Context, id string) (verdict, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("patience is at its end"))
	defer cancel()
	sure := false
	for {
		v, waits, err := c.look(ctx, id)
		switch {
		case waits == "" && err == nil && v.proof.Kind != "" && !sure:
			// That it has left is told beside the way, and may come a moment after it is gone here.
			sure, waits = true, "it is looked for a second time"
		case waits == "":
			return v, err
		default:
			sure = false
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return verdict{}, fmt.Errorf("%w: machine %q: %s", guestfence.ErrUnreachable, id, waits)
		}
	}
}

// look judges once. When the answer can only be given later, waits says why.
func (c *Cluster) look(ctx context.Context, id string) (v verdict, waits string, err error) {
	m, err := c.cfg.Host.Find(ctx, id)
	switch {
	case err == nil && (m.Migration == hypervisor.Leaving || m.Migration == hypervisor.Coming):
		return verdict{}, "it is being migrated", nil
	case err == nil && m.Here():
		return verdict{m: m, here: true, resource: c.resource(m)}, "", nil
	case err != nil && !errors.Is(err, guestfence.ErrUnknown) && !errors.Is(err, guestfence.ErrUnreachable):
		return verdict{}, "", err
	}
	// Before the state: what has landed by then is in it.
	flying, unknown := c.cfg.Flying()
	st, stateErr := c.cfg.State(ctx, true)
	if stateErr != nil {
		return verdict{}, "", fmt.Errorf("%w: machine %q does not run here, and the cluster cannot say where: %w", guestfence.ErrUnreachable, id, stateErr)
	}
	p := c.locate(st, id, m)
	switch {
	case p.resource == "" && p.declared == "":
		return verdict{}, "", &elsewhere{why: fmt.Sprintf("machine %q is no resource of the cluster, is not declared in %s and does not run here", id, Option)}
	case p.node == c.cfg.Node && p.waits == "":
		return c.offHere(p, id, m, err)
	case p.node != "" && p.waits == "":
		return verdict{}, "", &elsewhere{p.node, fmt.Sprintf("machine %q is on %s", id, p.node)}
	case c.cfg.Leader() != c.cfg.Node:
		return verdict{}, "", &elsewhere{c.cfg.Leader(), fmt.Sprintf("machine %q is on no host, and the leader answers", id)}
	case p.waits != "":
		return verdict{}, p.waits, nil
	case cmp.Or(unknown, flying[p.resource]) != "":
		return verdict{}, cmp.Or(unknown, flying[p.resource]), nil
	}
	proof := guestfence.Proof{Kind: guestfence.AlreadyOff, Detail: "the cluster has stopped it on every host", Host: c.cfg.Node, At: c.cfg.Now()}
	if p.fenced != "" {
		proof.Kind, proof.Detail = guestfence.HostFenced, "the cluster has it on no host; "+p.fenced
	}
	return verdict{m: nameless(m, id), proof: proof, resource: p.resource}, "", nil
}

// offHere is the verdict on a machine that the state has on this host, where it does not run.
func (c *Cluster) offHere(p place, id string, m hypervisor.Machine, unknown error) (verdict, string, error) {
	switch {
	case errors.Is(unknown, guestfence.ErrUnreachable):
		// Libvirt is away. Its process may still be ended, and the hypervisor knows how.
		return verdict{m: nameless(m, id), here: true, resource: p.resource}, "", nil
	case unknown == nil && m.Migration == hypervisor.Left, c.left.has(c.uuid(p.resource, id, m)):
		return verdict{}, "it has left this host, and the cluster does not know yet where to", nil
	}
	proof := guestfence.Proof{Kind: guestfence.AlreadyOff, Detail: "the cluster has it on this host, and libvirt says that it does not run", Host: c.cfg.Node, At: c.cfg.Now()}
	return verdict{m: nameless(m, id), proof: proof, resource: p.resource}, "", nil
}

// nameless gives a machine that libvirt does not know at least the name that it was asked for by.
func nameless(m hypervisor.Machine, id string) hypervisor.Machine {
	if m.Name == "" {
		m.Name = id
	}
	m.State = guestfence.ShutOff
	return m
}

// locate looks for a machine by what was asked for, and then by its other name.
func (c *Cluster) locate(st cib.State, id string, m hypervisor.Machine) place {
	for _, id := range []string{id, m.Name, m.UUID} {
		if p := locate(st, id, c.cfg.Read, c.cfg.Now()); id != "" && (p.resource != "" || p.declared != "") {
			return p
		}
	}
	return place{}
}

// resource returns which resource operates a machine. An old state will do: names do not move.
func (c *Cluster) resource(m hypervisor.Machine) string {
	st, err := c.cfg.State(context.Background(), false)
	if err != nil || st.CIB == nil {
		return ""
	}
	return resourceOf(st.CIB, m.Name, c.cfg.Read, c.cfg.Now())
}

// uuid finds the UUID of a machine that libvirt may not know any more.
func (c *Cluster) uuid(resource, id string, m hypervisor.Machine) string {
	if m.UUID != "" {
		return m.UUID
	}
	st, err := c.cfg.State(context.Background(), false)
	if err != nil || st.CIB == nil {
		return id
	}
	for _, g := range guests(st.CIB, c.cfg.Read, c.cfg.Now()) {
		if g.resource == resource && g.uuid != "" {
			return g.uuid
		}
	}
	return id
}

// List implements guestfence.Machines: the machines that run here, and those of the whole cluster.
func (c *Cluster) List(ctx context.Context) ([]guestfence.Machine, error) {
	local, err := c.cfg.Host.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []guestfence.Machine
	for _, m := range local {
		if m.Migration == hypervisor.Settled || m.Migration == hypervisor.Leaving {
			out = append(out, m.Machine)
		}
	}
	st, err := c.cfg.State(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", guestfence.ErrUnreachable, err)
	}
	for _, g := range guests(st.CIB, c.cfg.Read, c.cfg.Now()) {
		at := slices.IndexFunc(out, func(m guestfence.Machine) bool { return m.Name == g.name })
		if at >= 0 && !out[at].State.Off() {
			continue
		}
		m := guestfence.Machine{Name: g.name, UUID: g.uuid, State: guestfence.ShutOff}
		if p := locate(st, g.name, c.cfg.Read, c.cfg.Now()); p.node != "" && p.node != c.cfg.Node {
			m.State = guestfence.Running
		}
		if at >= 0 {
			out[at].State = m.State
		} else {
			out = append(out, m)
		}
	}
	return out, nil
}

// Find implements guestfence.Machines.
func (c *Cluster) Find(ctx context.Context, id string) (guestfence.Machine, error) {
	v, err := c.judge(ctx, id)
	if err == nil && v.here && v.m.State.Off() {
		err = fmt.Errorf("%w: machine %q: libvirt does not answer", guestfence.ErrUnreachable, id)
	}
	return v.m.Machine, err
}

func (c *Cluster) reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	proof, v, err := c.cut(ctx, id, true)
	if err != nil || v.resource == "" || !v.here {
		return proof, err
	}
	if err := c.cfg.Failed(ctx, v.resource); err != nil {
		c.cfg.Log.Warn("the cluster could not be told that a machine was cut off; its next monitor will notice", "machine", id, "resource", v.resource, "err", err)
		proof.Detail += "; the cluster starts it again when it notices"
		return proof, nil
	}
	proof.Detail += "; the cluster starts it again"
	return proof, nil
}

func (c *Cluster) cut(ctx context.Context, id string, reboot bool) (guestfence.Proof, verdict, error) {
	for {
		v, err := c.judge(ctx, id)
		if err != nil || !v.here {
			return v.proof, v, err
		}
		how := c.cfg.Host.Off
		if reboot && v.resource == "" {
			how = c.cfg.Host.Reboot
		}
		proof, err := how(ctx, id)
		if errors.Is(err, hypervisor.ErrMigrating) && ctx.Err() == nil {
			continue // it has gone since; judge follows it
		}
		proof.Host = c.cfg.Node
		return proof, v, err
	}
}

func (c *Cluster) on(ctx context.Context, id string) error {
	v, err := c.judge(ctx, id)
	switch {
	case err != nil:
		return err
	case v.here && !v.m.State.Off():
		return nil
	case v.proof.Kind == guestfence.HostFenced && v.resource == "":
		return fmt.Errorf("%w: machine %q belongs to a host that is off", guestfence.ErrRefused, id)
	case v.resource == "":
		return c.cfg.Host.On(ctx, id)
	}
	return c.awaitStart(ctx, id, v)
}

// awaitStart waits for the cluster to start a machine that is its to start.
func (c *Cluster) awaitStart(ctx context.Context, id string, v verdict) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if st, err := c.cfg.State(ctx, true); err == nil {
			if p := locate(st, id, c.cfg.Read, c.cfg.Now()); p.node != "" && p.waits == "" && p.node != c.cfg.Node {
				return nil
			}
		}
		if m, err := c.cfg.Host.Find(ctx, id); err == nil && m.Here() {
			return nil
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return fmt.Errorf("%w: machine %q is resource %s, and the cluster does not start it: see cerco explain %s", guestfence.ErrRefused, id, v.resource, v.resource)
		}
	}
}

// Check implements guestfence.Machines: libvirt here, and the cluster's state.
func (c *Cluster) Check(ctx context.Context) error {
	if err := c.cfg.Host.Check(ctx); err != nil {
		return err
	}
	if _, err := c.cfg.State(ctx, true); err != nil {
		return fmt.Errorf("%w: the cluster cannot say where machines are: %w", guestfence.ErrUnreachable, err)
	}
	return nil
}
