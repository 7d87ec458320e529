package guestfence

import (
	"slices"
	"strings"
)

// Group lets its askers act on its machines. Without any group, everybody who has the key may act on every
// machine.
type Group struct {
	Name     string
	Machines []string // names and UUIDs
	// Askers are IP addresses, or CIDs for vsock. On a serial line the asker is the guest at its other end: it may
	// act on the machines of each group that has its UUID.
	Askers []string
}

// asker is who sent a request: what groups know it by.
type asker struct {
	id     string // an IP address, a CID, or the UUID of the guest on a serial line
	serial bool
}

// allowed tells whether some group lets the asker act on the machine. id is what was asked for; m is who that is,
// zero if nobody knows.
func allowed(groups []Group, who asker, id string, m Machine) bool {
	if len(groups) == 0 {
		return true
	}
	for _, g := range groups {
		askers := g.Askers
		if who.serial {
			askers = g.Machines
		}
		if anyIs(askers, who.id) && (anyIs(g.Machines, id) || anyIs(g.Machines, m.Name) || anyIs(g.Machines, m.UUID)) {
			return true
		}
	}
	return false
}

// Fences tells whether guests may have a machine fenced.
func (s *Settings) Fences(name, uuid string) bool {
	return len(s.Groups) == 0 || slices.ContainsFunc(s.Groups, func(g Group) bool { return anyIs(g.Machines, name) || anyIs(g.Machines, uuid) })
}

// anyIs tells whether id is one of ids. UUIDs and addresses are the same whatever their case; names are not.
func anyIs(ids []string, id string) bool {
	for _, s := range ids {
		if id != "" && (s == id || isUUID(id) && strings.EqualFold(s, id) || strings.Contains(id, ":") && strings.EqualFold(s, id)) {
			return true
		}
	}
	return false
}

// isUUID tells whether s has the form of a UUID: 32 hexadecimal digits and four dashes.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)):
			return false
		}
	}
	return true
}
