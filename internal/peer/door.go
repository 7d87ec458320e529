package peer

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Bounds of connections that have not proved yet who they are. Addresses where members have proved it have a share
// of their own, so that no crowd of strangers keeps a member out.
const (
	maxHandshakes       = 256 // of strangers, at one time
	maxHandshakesOfHost = 64
	maxHandshakeBytes   = 32 << 10 // that one sends before it is known
	maxJoins            = 16       // at one time, one an invitation

	// A stranger's address may fail so often at once, and so often a second after that. Where members are it may fail
	// at will: to keep a member out is worse.
	maxFailures       = 60
	failuresPerSecond = 2
	maxStrangers      = 4096 // addresses whose failures are remembered; beyond that they share one account
)

// door counts connections in their handshake and the failures of strangers, so that these can fill neither our
// memory nor our processors.
type door struct {
	now func() time.Time

	mu      sync.Mutex
	inside  int             // strangers
	byHost  map[string]int  // everybody
	members map[string]bool // hosts where members have proved who they are
	failed  map[string]*account
	rest    account         // of the strangers beyond maxStrangers
	joining map[string]bool // invitations that are being used
	refused int             // since the last line of the log
	logged  time.Time       // when that was
}

func newDoor(now func() time.Time) *door {
	return &door{now: now, byHost: map[string]int{}, members: map[string]bool{}, failed: map[string]*account{}, joining: map[string]bool{}}
}

// account is how many failures an address has on it, as of a time.
type account struct {
	failures float64
	at       time.Time
}

func (a *account) settle(now time.Time) {
	a.failures = max(0, a.failures-now.Sub(a.at).Seconds()*failuresPerSecond)
	a.at = now
}

// place is what an address is counted by: its host, of which a stranger with IPv6 has a whole network.
func place(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Unmap().Is4() {
		return host
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return host
	}
	return network.String()
}

// visitor is a connection that has not proved yet who it is.
type visitor struct {
	door     *door
	host     string
	stranger bool
	out      sync.Once
}

// enter lets a connection try to prove who it is; nil: there are too many, or its address has failed too often.
func (d *door) enter(addr string) *visitor {
	v := &visitor{door: d, host: place(addr)}
	d.mu.Lock()
	defer d.mu.Unlock()
	v.stranger = !d.members[v.host]
	if d.byHost[v.host] >= maxHandshakesOfHost || v.stranger && (d.inside >= maxHandshakes || d.account(v.host).failures >= maxFailures) {
		return nil
	}
	d.byHost[v.host]++
	if v.stranger {
		d.inside++
	}
	return v
}

// leave says that the connection has proved it, or has gone.
func (v *visitor) leave() {
	v.out.Do(func() {
		d := v.door
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.byHost[v.host]--; d.byHost[v.host] == 0 {
			delete(d.byHost, v.host)
		}
		if v.stranger {
			d.inside--
		}
	})
}

// proved says that it is a member. What its address has failed is forgotten.
func (v *visitor) proved() {
	d := v.door
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.members) < maxStrangers {
		d.members[v.host] = true
	}
	delete(d.failed, v.host)
}

// failed says that it could not prove it.
func (v *visitor) failed() {
	d := v.door
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members[v.host] {
		return
	}
	a := d.account(v.host)
	a.failures = min(a.failures+1, 2*maxFailures)
	if a != &d.rest {
		d.failed[v.host] = a
	}
}

// account is that of a host, up to date. d.mu is held.
func (d *door) account(host string) *account {
	now := d.now()
	a := d.failed[host]
	if a == nil && len(d.failed) >= maxStrangers {
		for h, old := range d.failed {
			if old.settle(now); old.failures == 0 {
				delete(d.failed, h)
			}
		}
	}
	if a == nil && len(d.failed) >= maxStrangers {
		a = &d.rest
	}
	if a == nil {
		a = &account{}
	}
	a.settle(now)
	return a
}

// forget forgets where members are: some have left.
func (d *door) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.members)
}

// join lets an invitation be used, by one connection at a time.
func (d *door) join(invitation string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.joining) >= maxJoins || d.joining[invitation] {
		return false
	}
	d.joining[invitation] = true
	return true
}

func (d *door) joined(invitation string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.joining, invitation)
}

// mention reports whether a refusal is worth a line, and how many there were since the last one.
func (d *door) mention(now time.Time) (int, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused++
	if now.Sub(d.logged) < 10*time.Second {
		return 0, false
	}
	n := d.refused
	d.refused, d.logged = 0, now
	return n, true
}
