package pcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// reachTime is how long anybody waits for a peer that does not answer.
const reachTime = time.Second

// heard reports whether a member of the cluster is heard by the node that was asked.
func heard(w wire.Cluster, name string) bool {
	i := slices.IndexFunc(w.Seen, func(s wire.Seen) bool { return s.Name == name })
	return i >= 0 && w.Seen[i].Heard
}

// missing says of each of these members that is not heard why that is, as far as it can be found out within a second.
func (c *call) missing(w wire.Cluster, names []string) []string {
	var absent []*cib.Member
	for _, name := range names {
		if m := w.Member(name); m != nil && !heard(w, name) {
			absent = append(absent, m)
		}
	}
	ctx, cancel := context.WithTimeout(c.context(), reachTime)
	defer cancel()
	lines := make([]string, len(absent))
	var all sync.WaitGroup
	for i, m := range absent {
		all.Go(func() { lines[i] = m.Name + ": " + c.unheard(ctx, w.Links, m) })
	}
	all.Wait()
	return lines
}

// unheard says why a member is not heard: its addresses are tried from here, and where one answers, the links tell.
func (c *call) unheard(ctx context.Context, links []wire.Link, m *cib.Member) string {
	why := make([]string, len(m.Addrs))
	var all sync.WaitGroup
	for i, addr := range m.Addrs {
		all.Go(func() {
			if err := c.knock(ctx, addr); err != nil {
				why[i] = unreachable(addr, err)
				return
			}
			said := ""
			for _, l := range links {
				if l.Peer == m.Name && l.Ring == i && !l.Up {
					said = l.Error
				}
			}
			why[i] = refusedLink(addr, said)
		})
	}
	all.Wait()
	var reasons, said []string
	for i, text := range why { // the same reason on another ring says nothing new
		host, _, _ := net.SplitHostPort(m.Addrs[i])
		if plain := strings.ReplaceAll(text, host, ""); !slices.Contains(said, plain) {
			reasons, said = append(reasons, text), append(said, plain)
		}
	}
	return cmp.Or(strings.Join(reasons, "; "), "it has no address")
}

// knock tries whether somebody listens at an address.
func (c *call) knock(ctx context.Context, addr string) error {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}

// unreachable says why nobody answers at an address, and what to check.
func unreachable(addr string, err error) string {
	host, port, _ := net.SplitHostPort(addr)
	var name *net.DNSError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Sprintf("the name %s does not resolve: check /etc/hosts and the name servers of this host", host)
	case errors.As(err, &name):
		return fmt.Sprintf("the name %s cannot be looked up (%s): check /etc/resolv.conf, or put it into /etc/hosts", host, name.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%s refuses connections to port %s, so the host is up and its daemon does not run: 'systemctl start cerco' there, and see 'journalctl -u cerco'", host, port)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return fmt.Sprintf("there is no route to %s: check that the host is on, its network, and the address", host)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return fmt.Sprintf("%s does not answer within a second: check that the host is on, the address, and that no firewall drops port %s", host, port)
	case errors.Is(err, syscall.ECONNRESET):
		return fmt.Sprintf("%s hangs up on port %s: check what listens there, and firewalls on the way", host, port)
	}
	return fmt.Sprintf("%s cannot be reached: %v", addr, err)
}

// refusedLink says what is wrong with a link whose other end can be reached; said is what the daemon knows of it.
func refusedLink(addr, said string) string {
	switch {
	case said == "":
		return fmt.Sprintf("%s answers, but its daemon takes no part in the cluster (yet): see 'journalctl -u cerco' there", addr)
	case strings.Contains(said, "expired") || strings.Contains(said, "not yet valid"):
		return fmt.Sprintf("%s answers, but the clocks of the hosts differ: set them (chronyc tracking shows by how much): %s", addr, said)
	case strings.Contains(said, "certificate") || strings.Contains(said, "handshake") || strings.Contains(said, "let us in"):
		return fmt.Sprintf("%s answers, but is not taken for that node: another host may have its address, or it has left this cluster; "+
			"'cerco cluster destroy' and 'cerco cluster join' there bring it back: %s", addr, said)
	}
	return fmt.Sprintf("%s answers, but the link is down: %s", addr, said)
}

// whoIsMissing lists the members that this node does not hear, each with why; empty if there are none, or if nobody can tell.
func (c *call) whoIsMissing() string {
	ctx, cancel := context.WithTimeout(c.context(), reachTime)
	defer cancel()
	d, err := c.daemon()
	if err != nil {
		return ""
	}
	w, err := d.Cluster(ctx)
	if err != nil {
		return ""
	}
	lines := c.missing(w, everybody(w))
	if len(lines) == 0 {
		return ""
	}
	return ". Not heard:\n  " + strings.Join(lines, "\n  ")
}

// everybody are the names of all members.
func everybody(w wire.Cluster) []string {
	var names []string
	for _, m := range w.Members {
		names = append(names, m.Name)
	}
	return names
}
