package xvm

import (
	"context"
	"errors"
	"os"
	"strconv"
	"syscall"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"golang.org/x/sys/unix"
)

// multicastFrom has datagrams to a group leave by the interface that has an address, and go two hops at most.
func multicastFrom(from local) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var opErr error
		err := c.Control(func(fd uintptr) {
			s := int(fd)
			if from.addr.Is4() {
				opErr = errors.Join(unix.SetsockoptInet4Addr(s, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, from.addr.As4()),
					unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, protocol.HopLimit))
				return
			}
			opErr = errors.Join(unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, from.index),
				unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, protocol.HopLimit))
		})
		return errors.Join(err, opErr)
	}
}

// askVsock asks the host of a CID.
func (a *asking) askVsock(ctx context.Context) (protocol.Result, []protocol.Host, error) {
	conn, err := dialVsock(ctx, a.cid, uint32(a.port))
	if err != nil {
		return 0, nil, saidf("Unable to connect to fence_virtd host %d:%d %s", a.cid, a.port, reason(err))
	}
	return a.askStream(conn)
}

// dialVsock connects; the kernel itself gives up after two seconds.
func dialVsock(ctx context.Context, cid, port uint32) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err = ctx.Err(); err == nil {
		err = unix.Connect(fd, &unix.SockaddrVM{CID: cid, Port: port})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that there are deadlines
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "vsock "+strconv.FormatUint(uint64(cid), 10)), nil
}
