package pcs

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// TestWhyANodeIsNotHeard has each reason told apart, and nobody waited for longer than a second.
func TestWhyANodeIsNotHeard(t *testing.T) {
	const addr = "10.0.0.2:2225"
	system := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", errno)}
	}
	for _, c := range []struct {
		err  error // of an attempt to connect; nil: it succeeds
		link string
		want string
	}{
		{&net.DNSError{Err: "no such host", Name: "n2", IsNotFound: true}, "", "does not resolve: check /etc/hosts"},
		{&net.DNSError{Err: "server misbehaving", Name: "n2"}, "", "server misbehaving): check /etc/resolv.conf"},
		{system(syscall.ECONNREFUSED), "", "10.0.0.2 refuses connections to port 2225"},
		{system(syscall.EHOSTUNREACH), "", "no route to 10.0.0.2"},
		{system(syscall.ETIMEDOUT), "", "does not answer within a second"},
		{system(syscall.ECONNRESET), "", "hangs up"},
		{errors.New("strange"), "", "cannot be reached: strange"},
		{nil, "", "takes no part in the cluster"},
		{nil, "handshake with n2: remote error: tls: bad certificate", "not taken for that node"},
		{nil, "x509: certificate has expired or is not yet valid", "the clocks of the hosts differ"},
		{nil, "silent", "the link is down: silent"},
	} {
		here, there := net.Pipe()
		defer here.Close()
		defer there.Close()
		call := &call{Env: Env{Context: t.Context(), Dial: func(context.Context, string, string) (net.Conn, error) { return here, c.err }}}
		w := wire.Cluster{Cluster: cib.Cluster{Members: []cib.Member{{Name: "n1"}, {Name: "n2", Addrs: []string{addr}}}},
			Seen: []wire.Seen{{Name: "n1", Heard: true}, {Name: "n2"}}, Links: []wire.Link{{Peer: "n2", Remote: addr, Error: c.link}}}
		if lines := call.missing(w, everybody(w)); len(lines) != 1 || !strings.HasPrefix(lines[0], "n2: ") || !strings.Contains(lines[0], c.want) {
			t.Errorf("%v, %q: %q, and not %q", c.err, c.link, lines, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		call := &call{Env: Env{Context: t.Context(), Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}}
		start := time.Now()
		w := wire.Cluster{Cluster: cib.Cluster{Members: []cib.Member{{Name: "n2", Addrs: []string{addr, "10.1.0.2:2225"}}, {Name: "n3", Addrs: []string{addr}}}}}
		lines := call.missing(w, everybody(w))
		if took := time.Since(start); len(lines) != 2 || took > reachTime || !strings.Contains(lines[0], "10.0.0.2 does not answer") {
			t.Errorf("after %v: %q", took, lines)
		}
	})
}
