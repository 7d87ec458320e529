package owner

import (
	"context"
	"errors"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/hypervisor"
)

var (
	_ guestfence.Ports = (*Standalone)(nil)
	_ guestfence.Ports = (*Cluster)(nil)
)

// Ports implements guestfence.Ports.
func (s *Standalone) Ports(ctx context.Context) ([]guestfence.Port, error) {
	return portsOf(ctx, s.host)
}

// Ports implements guestfence.Ports: serial ports come out where a machine runs.
func (c *Cluster) Ports(ctx context.Context) ([]guestfence.Port, error) {
	return portsOf(ctx, c.cfg.Host)
}

func portsOf(ctx context.Context, h hypervisor.Host) ([]guestfence.Port, error) {
	if p, ok := h.(guestfence.Ports); ok {
		return p.Ports(ctx)
	}
	return nil, errors.New("this hypervisor does not tell where serial ports come out")
}
