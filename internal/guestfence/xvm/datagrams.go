package xvm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"golang.org/x/sys/unix"
)

// askDatagrams sends the request to groups and hosts, again and again, until a host calls back that has the key
// and answers. Only one is let act: the others' challenges are never answered.
func (a *asking) askDatagrams(ctx context.Context) (protocol.Result, []protocol.Host, error) {
	targets, err := a.targets()
	if err != nil {
		return 0, nil, err
	}
	ln, err := a.listen(ctx)
	if err != nil {
		return 0, nil, err
	}
	calls := &callBacks{a: a, answers: make(chan heard), accepted: make(chan struct{})}
	ctx, cancel := context.WithCancel(ctx)
	defer calls.wg.Wait()
	defer cancel()
	calls.ctx = ctx
	calls.closeAtEnd(ln)
	calls.wg.Go(func() { calls.accept(ln) })

	port := ln.Addr().(*net.TCPAddr).AddrPort().Port() //nolint:forcetypeassert // what net gives for tcp
	attempts := max(int(a.timeout/a.retrans), 1)
	for i := 0; i < attempts; i++ {
		if err := a.send(ctx, targets, port); err != nil {
			_, _ = fmt.Fprintln(a.env.Stdout, err)
		}
		a.debugf(2, "Waiting for a host to call back")
		if h, ok := calls.wait(a.retrans); ok {
			return h.result, h.hosts, h.err
		}
	}
	return 0, nil, errTimedOut
}

// listen opens the port that hosts call back, the one that firewalls know if it is free.
func (a *asking) listen(ctx context.Context) (net.Listener, error) {
	network := "tcp4"
	if a.six() {
		network = "tcp6"
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, network, ":"+strconv.Itoa(int(a.port)))
	if errors.Is(err, unix.EADDRINUSE) {
		ln, err = (&net.ListenConfig{}).Listen(ctx, network, ":0")
	}
	return ln, err
}

// six tells whether the request goes over IPv6.
func (a *asking) six() bool {
	targets, err := a.targets()
	return err == nil && targets[0].Is6()
}

// send sends a datagram from each address of this guest to each target. It fails if none could be sent.
func (a *asking) send(ctx context.Context, targets []netip.Addr, port uint16) error {
	from, err := localAddrs(a.six())
	if err != nil {
		return err
	}
	sent := 0
	for _, to := range targets {
		if to.IsMulticast() {
			for _, l := range from {
				if err = errors.Join(err, a.sendOne(ctx, l, to, port)); err == nil {
					sent++
				}
			}
			continue
		}
		l, e := sourceFor(ctx, to, a.port)
		if err = errors.Join(err, e); e == nil {
			if err = errors.Join(err, a.sendOne(ctx, l, to, port)); err == nil {
				sent++
			}
		}
	}
	if sent > 0 {
		return nil
	}
	return err
}

// local is an address of this guest and the interface that has it.
type local struct {
	addr  netip.Addr
	index int
}

// localAddrs lists where hosts may call back: over IPv4 all addresses, over IPv6 those that reach beyond the link.
func localAddrs(six bool) ([]local, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("looking for this guest's addresses: %w", err)
	}
	var out []local
	for _, ifi := range all {
		addrs, err := ifi.Addrs()
		if err != nil || ifi.Flags&net.FlagUp == 0 {
			continue
		}
		for _, x := range addrs {
			p, err := netip.ParsePrefix(x.String())
			if err != nil || p.Addr().Is6() != six || six && (p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast()) {
				continue
			}
			out = append(out, local{p.Addr(), ifi.Index})
		}
	}
	return out, nil
}

// sourceFor returns the address by which this guest reaches a host.
func sourceFor(ctx context.Context, to netip.Addr, port uint16) (local, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(to, port).String())
	if err != nil {
		return local{}, err
	}
	defer func() { _ = conn.Close() }()
	from, err := netip.ParseAddrPort(conn.LocalAddr().String())
	return local{addr: from.Addr().Unmap()}, err
}

func (a *asking) sendOne(ctx context.Context, from local, to netip.Addr, port uint16) error {
	r := a.request()
	r.CallBack = netip.AddrPortFrom(from.addr, port)
	r.Sign(a.key)
	network := "udp4"
	if to.Is6() {
		network = "udp6"
	}
	lc := net.ListenConfig{}
	if to.IsMulticast() {
		lc.Control = multicastFrom(from)
	}
	conn, err := lc.ListenPacket(ctx, network, ":0")
	if err != nil {
		return fmt.Errorf("sending from %s: %w", from.addr, err)
	}
	defer func() { _ = conn.Close() }()
	a.debugf(2, "Sending to %s via %s", to, from.addr)
	if _, err := conn.WriteTo(r.Bytes(), net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, a.port))); err != nil {
		return fmt.Errorf("sending to %s via %s: %w", to, from.addr, err)
	}
	return nil
}

// heard is what came of a call-back.
type heard struct {
	result protocol.Result
	hosts  []protocol.Host
	err    error
}

// callBacks takes the connections of hosts. All may show that they have the key; the first that does is answered,
// and only that one acts.
type callBacks struct {
	a       *asking
	ctx     context.Context //nolint:containedctx // of this call only
	wg      sync.WaitGroup
	answers chan heard

	mu       sync.Mutex
	chosen   bool
	accepted chan struct{} // closed when a host is chosen
	failure  error         // the last of those that were not let in
}

func (c *callBacks) closeAtEnd(closer interface{ Close() error }) {
	c.wg.Go(func() {
		<-c.ctx.Done()
		_ = closer.Close()
	})
}

func (c *callBacks) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		c.closeAtEnd(conn)
		c.wg.Go(func() { c.serve(conn) })
	}
}

// serve hears one host.
func (c *callBacks) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(c.a.timeout))
	s := c.a.session()
	s.Chosen = c.choose
	if s.Auth == protocol.None && !c.choose() {
		_ = conn.Close()
		return
	}
	if err := s.Guest(conn); err != nil {
		_ = conn.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		if !errors.Is(err, protocol.ErrNotChosen) {
			c.failure = sessionError(err)
		}
		return
	}
	h := heard{}
	h.result, h.hosts, h.err = c.a.hear(conn)
	select {
	case c.answers <- h:
	case <-c.ctx.Done():
	}
}

// choose lets the first host that asks act.
func (c *callBacks) choose() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chosen {
		return false
	}
	c.chosen = true
	close(c.accepted)
	return true
}

// wait waits for a host to be chosen and then for its answer. Hosts that could not be let in have failed the call
// when nobody else came in the meantime.
func (c *callBacks) wait(d time.Duration) (heard, bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.accepted:
		select {
		case h := <-c.answers:
			return h, true
		case <-c.ctx.Done():
			return heard{err: errTimedOut}, true
		}
	case <-c.ctx.Done():
		return heard{err: errTimedOut}, true
	case <-t.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil && !c.chosen {
		return heard{err: c.failure}, true
	}
	return heard{}, false
}
