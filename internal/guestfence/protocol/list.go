package protocol

import (
	"errors"
	"fmt"
	"io"
)

// HostSize is the length of one record of a list.
const HostSize = 130

// Host is a machine in a list; the original calls it a host, being one of a cluster.
type Host struct {
	Name  string
	UUID  string
	State byte // libvirt's virDomainState
}

const (
	offUUID  = 64
	offState = 128
)

// On tells what the original's client prints for the machine: on, if it is running.
func (h Host) On() bool { return h.State == 1 }

// Bytes returns the record as it goes over the wire.
func (h Host) Bytes() []byte {
	b := make([]byte, HostSize)
	putText(b[:offUUID], h.Name)
	putText(b[offUUID:offState], h.UUID)
	b[offState] = h.State
	return b
}

// ParseHost decodes a record. end is true for the record of zeros that ends a list.
func ParseHost(b []byte) (h Host, end bool, err error) {
	if len(b) != HostSize {
		return Host{}, false, fmt.Errorf("%w: %d bytes are no record of a machine, which has %d", ErrMalformed, len(b), HostSize)
	}
	h = Host{Name: text(b[:offUUID]), UUID: text(b[offUUID:offState]), State: b[offState]}
	return h, h.Name == "" && h.UUID == "", nil
}

// AppendList appends all of a list to b: a record for each machine and one of zeros.
func AppendList(b []byte, hosts []Host) []byte {
	for _, h := range hosts {
		b = append(b, h.Bytes()...)
	}
	return append(b, make([]byte, HostSize)...)
}

// maxHosts bounds what a reader of a list takes in.
const maxHosts = 1 << 16

// ReadList reads records up to the one that ends the list.
func ReadList(r io.Reader) ([]Host, error) {
	var hosts []Host
	var b [HostSize]byte
	for {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return hosts, fmt.Errorf("the list of machines breaks off after %d: %w", len(hosts), err)
		}
		h, end, err := ParseHost(b[:])
		if err != nil || end {
			return hosts, err
		}
		if len(hosts) == maxHosts {
			return hosts, errors.New("the list of machines does not end")
		}
		hosts = append(hosts, h)
	}
}
