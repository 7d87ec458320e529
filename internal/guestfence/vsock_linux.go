package guestfence

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// vsock is a listening socket of the family that guests and their host speak by without any network.
type vsock struct{ file *os.File }

// openVsock binds a port for all CIDs.
func openVsock(port uint16) (*vsock, error) {
	fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("this kernel has no vsock (modprobe vhost_vsock): %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrVM{CID: unix.VMADDR_CID_ANY, Port: uint32(port)}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("binding vsock port %d: %w", port, err)
	}
	if err := unix.Listen(fd, maxPerGuest); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listening on vsock port %d: %w", port, err)
	}
	return &vsock{os.NewFile(uintptr(fd), "vsock")}, nil
}

// Close ends a waiting accept too.
func (v *vsock) Close() error { return v.file.Close() }

// accept waits for a guest and tells its CID.
func (v *vsock) accept(ctx context.Context) (guestConn, string, error) {
	raw, err := v.file.SyscallConn()
	if err != nil {
		return nil, "", err
	}
	var fd int
	var from unix.Sockaddr
	var opErr error
	err = raw.Read(func(s uintptr) bool {
		fd, from, opErr = unix.Accept4(int(s), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return !errors.Is(opErr, unix.EAGAIN)
	})
	switch {
	case ctx.Err() != nil || errors.Is(err, os.ErrClosed):
		return nil, "", net.ErrClosed
	case err != nil:
		return nil, "", err
	case opErr != nil:
		return nil, "", opErr
	}
	cid := ""
	if a, ok := from.(*unix.SockaddrVM); ok {
		cid = strconv.FormatUint(uint64(a.CID), 10)
	}
	return os.NewFile(uintptr(fd), "vsock guest "+cid), cid, nil
}
