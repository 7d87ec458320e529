package hypervisor

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

var _ guestfence.Ports = (*Libvirt)(nil)

// Ports implements guestfence.Ports.
func (l *Libvirt) Ports(ctx context.Context) ([]guestfence.Port, error) {
	if !l.place.local {
		return nil, fmt.Errorf("serial ports of %s come out on another host", l.cfg.URI)
	}
	machines, err := l.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []guestfence.Port
	for _, m := range machines {
		if !m.Here() {
			continue
		}
		text, err := l.Definition(ctx, m.UUID)
		if errors.Is(err, guestfence.ErrUnknown) {
			continue // it ended since
		}
		if err != nil {
			return nil, err
		}
		ports, err := parsePorts([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("the definition of machine %s: %w", m.Name, err)
		}
		for _, p := range ports {
			p.Machine = m.Machine
			out = append(out, p)
		}
	}
	return out, nil
}

// parsePorts finds the unix sockets that libvirt binds for a machine.
func parsePorts(definition []byte) ([]guestfence.Port, error) {
	type device struct {
		Type   string `xml:"type,attr"`
		Source struct {
			Mode string `xml:"mode,attr"`
			Path string `xml:"path,attr"`
		} `xml:"source"`
	}
	var d struct {
		Serials  []device `xml:"devices>serial"`
		Channels []device `xml:"devices>channel"`
	}
	if err := xml.Unmarshal(definition, &d); err != nil {
		return nil, err
	}
	var out []guestfence.Port
	add := func(devices []device, channel bool) {
		for _, s := range devices {
			if s.Type == "unix" && s.Source.Mode == "bind" && s.Source.Path != "" {
				out = append(out, guestfence.Port{Path: s.Source.Path, Channel: channel})
			}
		}
	}
	add(d.Serials, false)
	add(d.Channels, true)
	return out, nil
}
