package guestfence

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bindDatagrams opens the socket of a multicast or unicast listener. One daemon has a port, as with the original.
func (s *Server) bindDatagrams(l *Listener) (*net.UDPConn, error) {
	network, host := "udp4", "0.0.0.0"
	if l.Address.Is6() {
		network, host = "udp6", "::"
	}
	if l.Address.IsValid() && !l.Address.IsMulticast() {
		host = l.Address.String()
	}
	pc, err := (&net.ListenConfig{}).ListenPacket(s.ctx, network, net.JoinHostPort(host, strconv.Itoa(int(l.Port))))
	if err != nil {
		return nil, err
	}
	conn := pc.(*net.UDPConn) //nolint:forcetypeassert // what net gives for udp
	if !l.Address.IsMulticast() {
		return conn, nil
	}
	joined := map[int]bool{}
	if err := joinGroup(conn, l, joined); err != nil {
		s.cfg.Log.Warn("the group is not joined yet; it is tried again", "group", l.Address.String(), "interface", l.Interface, "error", err)
	}
	s.wg.Go(func() { s.keepJoined(conn, l, joined) })
	return conn, nil
}

// rejoinEvery is how soon an interface that appears, a bridge that libvirt makes for one, is listened on.
const rejoinEvery = 5 * time.Second

func (s *Server) keepJoined(conn *net.UDPConn, l *Listener, joined map[int]bool) {
	tick := time.NewTicker(rejoinEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		before := len(joined)
		if err := joinGroup(conn, l, joined); err == nil && before == 0 {
			s.cfg.Log.Info("the group is joined", "group", l.Address.String(), "interface", l.Interface)
		}
	}
}

// joinGroup joins the listener's group on its interface, or on all that can, and forgets interfaces that are gone.
func joinGroup(conn *net.UDPConn, l *Listener, joined map[int]bool) error {
	all, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("looking for interfaces: %w", err)
	}
	there := map[int]bool{}
	var last error
	for _, ifi := range all {
		if l.Interface != "" && ifi.Name != l.Interface || l.Interface == "" && (ifi.Flags&net.FlagMulticast == 0 && ifi.Flags&net.FlagLoopback == 0 || ifi.Flags&net.FlagUp == 0) {
			continue
		}
		there[ifi.Index] = true
		if joined[ifi.Index] {
			continue
		}
		if err := join(conn, l.Address, ifi.Index); err != nil && !errors.Is(err, unix.EADDRINUSE) {
			last = fmt.Errorf("joining on %s: %w", ifi.Name, err)
			continue
		}
		joined[ifi.Index] = true
	}
	for i := range joined {
		if !there[i] {
			delete(joined, i)
		}
	}
	switch {
	case len(joined) > 0:
		return nil
	case last != nil:
		return last
	case l.Interface != "":
		return fmt.Errorf("there is no interface %s", l.Interface)
	}
	return errors.New("there is no interface that is up")
}

func join(conn syscall.Conn, group netip.Addr, index int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var opErr error
	err = raw.Control(func(fd uintptr) {
		if group.Is4() {
			opErr = unix.SetsockoptIPMreqn(int(fd), unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: group.As4(), Ifindex: int32(index)})
		} else {
			opErr = unix.SetsockoptIPv6Mreq(int(fd), unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: uint32(index)})
		}
	})
	return errors.Join(err, opErr)
}

// listenVsock binds a stream socket for guests of this host, whichever CID they reach it by.
func (s *Server) listenVsock(i int, l *Listener) error {
	sock, err := openVsock(l.Port)
	if err != nil {
		return err
	}
	s.addrs[i] = vsockAddr(l.Port)
	s.serveStreams(l, func() (guestConn, string, error) { return sock.accept(s.ctx) }, sock)
	return nil
}

// vsockAddr is the port of a vsock listener.
type vsockAddr uint32

func (vsockAddr) Network() string  { return "vsock" }
func (a vsockAddr) String() string { return strconv.FormatUint(uint64(a), 10) }

func (s *Server) listenTCP(i int, l *Listener) error {
	host := ""
	if l.Address.IsValid() {
		host = l.Address.String()
	}
	ln, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(int(l.Port))))
	if err != nil {
		return err
	}
	s.addrs[i] = ln.Addr()
	s.serveStreams(l, func() (guestConn, string, error) {
		conn, err := ln.Accept()
		if err != nil {
			return nil, "", err
		}
		from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		return conn, from.Addr().Unmap().String(), err
	}, ln)
	return nil
}
