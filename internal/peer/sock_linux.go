package peer

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Options of sockets that package syscall has no names for (linux/tcp.h, linux/in6.h).
const (
	tcpUserTimeout = 0x12
	ipv6Freebind   = 78
)

const (
	connectTimeout = 400 * time.Millisecond // for a TCP connection; then another attempt, since SYN is repeated only after 1 s
	userTimeout    = 3 * time.Second        // for data to be acknowledged; links notice silence sooner by themselves
)

// dialTCP connects from a host's address, so that ring k uses the network of ring k.
func dialTCP(ctx context.Context, local, remote string) (net.Conn, error) {
	d := net.Dialer{
		Timeout:         connectTimeout,
		KeepAliveConfig: keepAlive(),
		Control:         func(_, _ string, c syscall.RawConn) error { return control(c, setUserTimeout) },
	}
	if ip := net.ParseIP(local); ip != nil && !ip.IsUnspecified() {
		d.LocalAddr = &net.TCPAddr{IP: ip}
	}
	return d.DialContext(ctx, "tcp", remote)
}

// listenTCP listens, also on an address that the host does not have yet: a ring whose network comes up late
// must not keep a node from starting.
func listenTCP(addr string) (net.Listener, error) {
	lc := net.ListenConfig{
		KeepAliveConfig: keepAlive(),
		Control: func(network, _ string, c syscall.RawConn) error {
			return control(c, func(fd int) error {
				level, option := syscall.IPPROTO_IP, syscall.IP_FREEBIND
				if network == "tcp6" {
					level, option = syscall.IPPROTO_IPV6, ipv6Freebind
				}
				// Where the kernel does not know the option, only the convenience is lost.
				_ = syscall.SetsockoptInt(fd, level, option, 1)
				return setUserTimeout(fd) // accepted connections inherit it
			})
		},
	}
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for other nodes on %s: %w; see who has the port with: ss -ltnp", addr, err)
	}
	return l, nil
}

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3}
}

func setUserTimeout(fd int) error {
	err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpUserTimeout, int(userTimeout.Milliseconds()))
	if err != nil {
		return fmt.Errorf("set TCP_USER_TIMEOUT: %w", err)
	}
	return nil
}

func control(c syscall.RawConn, do func(fd int) error) error {
	var inner error
	if err := c.Control(func(fd uintptr) { inner = do(int(fd)) }); err != nil {
		return err
	}
	return inner
}
