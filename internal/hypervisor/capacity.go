package hypervisor

import (
	"context"

	"github.com/digitalocean/go-libvirt"
)

// Capacity is what a host of machines has.
type Capacity struct {
	Host      string // its name, as libvirt says it
	Driver    string // "QEMU", "Xen", "TEST"
	MemoryMiB int
	CPUs      int
	Machines  []Size // by name
}

// Size is what a machine may use at most.
type Size struct {
	Name      string
	MemoryMiB int
	CPUs      int
}

// Capacity asks how large the host and its machines are.
func (l *Libvirt) Capacity(ctx context.Context) (Capacity, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AskWithin)
	defer cancel()
	machines, err := l.List(ctx)
	if err != nil {
		return Capacity{}, err
	}
	var c Capacity
	err = l.ask(ctx, func(lib *libvirt.Libvirt) error {
		c = Capacity{}
		_, memory, cpus, _, _, _, _, _, err := lib.NodeGetInfo()
		if err != nil {
			return err
		}
		c.MemoryMiB, c.CPUs = int(memory>>10), int(cpus)
		if c.Host, err = lib.ConnectGetHostname(); err != nil {
			return err
		}
		if c.Driver, err = lib.ConnectGetType(); err != nil {
			return err
		}
		for _, m := range machines {
			d, err := lib.DomainLookupByUUID(uuidBytes(m.UUID))
			if is(err, libvirt.ErrNoDomain) {
				continue // it ended since
			}
			if err != nil {
				return err
			}
			_, most, _, cpus, _, err := lib.DomainGetInfo(d)
			if err != nil {
				return err
			}
			c.Machines = append(c.Machines, Size{Name: m.Name, MemoryMiB: int(most >> 10), CPUs: int(cpus)})
		}
		return nil
	})
	return c, err
}
