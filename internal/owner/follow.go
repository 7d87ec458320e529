package owner

import (
	"context"
	"errors"
	"fmt"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// Passed is a request that a host of the cluster passes on to another one, since the machine has left it after it was
// found there.
type Passed struct {
	Action  string `json:"action"` // off, on or reboot
	Machine string `json:"machine"`
	Hops    int    `json:"hops"` // how often it was passed on
}

// maxHops is how often a request is passed on: to the leader, which waits where a move ends, and to where it does.
const maxHops = 2

// elsewhere says which host answers for a machine.
type elsewhere struct {
	node string // "" if nobody does
	why  string
}

func (e *elsewhere) Error() string { return e.why + ": " + guestfence.ErrElsewhere.Error() }

func (e *elsewhere) Unwrap() error { return guestfence.ErrElsewhere }

// Carry carries out what another host has passed on.
func (c *Cluster) Carry(ctx context.Context, p Passed) (guestfence.Proof, error) {
	proof, err := c.carry(ctx, p)
	there := (*elsewhere)(nil)
	if !errors.As(err, &there) || there.node == "" || there.node == c.cfg.Node || c.cfg.Pass == nil || p.Hops >= maxHops {
		return proof, err
	}
	p.Hops++
	c.cfg.Log.Info("a machine has left before a guest's request for it was carried out, which follows it", "machine", p.Machine, "action", p.Action, "to", there.node)
	proof, passed := c.cfg.Pass(ctx, there.node, p)
	if passed != nil {
		return guestfence.Proof{}, fmt.Errorf("%w; its request was passed on to %s: %w", err, there.node, passed)
	}
	return proof, nil
}

func (c *Cluster) carry(ctx context.Context, p Passed) (guestfence.Proof, error) {
	switch p.Action {
	case actionOff:
		proof, _, err := c.cut(ctx, p.Machine, false)
		return proof, err
	case actionReboot:
		return c.reboot(ctx, p.Machine)
	case actionOn:
		return guestfence.Proof{}, c.on(ctx, p.Machine)
	}
	return guestfence.Proof{}, fmt.Errorf("%q is no action that is passed on", p.Action)
}

// Actions of Passed.
const (
	actionOff    = "off"
	actionOn     = "on"
	actionReboot = "reboot"
)

// Off implements guestfence.Machines. A resource that is not disabled is started again by the cluster.
func (c *Cluster) Off(ctx context.Context, id string) (guestfence.Proof, error) {
	return c.Carry(ctx, Passed{Action: actionOff, Machine: id})
}

// Reboot implements guestfence.Machines. What is a resource is started again by the cluster, where the cluster
// wants it, and never behind its back.
func (c *Cluster) Reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	return c.Carry(ctx, Passed{Action: actionReboot, Machine: id})
}

// On implements guestfence.Machines. A resource is the cluster's to start.
func (c *Cluster) On(ctx context.Context, id string) error {
	_, err := c.Carry(ctx, Passed{Action: actionOn, Machine: id})
	return err
}
