package xvm

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"golang.org/x/sys/unix"
)

// askChannel asks by a channel: an address that the hypervisor forwards to the host's daemon.
func (a *asking) askChannel(ctx context.Context) (protocol.Result, []protocol.Host, error) {
	dialing, cancel := context.WithTimeout(ctx, min(a.timeout, connectLimit))
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(dialing, "tcp", net.JoinHostPort(a.channel, strconv.Itoa(int(a.port))))
	if err != nil {
		_, _ = fmt.Fprintf(a.env.Stdout, "Failed to connect to %s:%d\n", a.channel, a.port)
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return a.askFrames(conn)
}

// askDevice asks by a serial line.
func (a *asking) askDevice(context.Context) (protocol.Result, []protocol.Host, error) {
	f, err := openSerial(a.device, a.params)
	if err != nil {
		_, _ = fmt.Fprintln(a.env.Stderr, err)
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return a.askFrames(f)
}

// askFrames speaks as on a serial line: nothing is signed.
func (a *asking) askFrames(conn stream) (protocol.Result, []protocol.Host, error) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(a.timeout))
	r := protocol.SerialRequest{Action: a.action, Domain: a.domain, Seq: a.seq}
	if a.uuid {
		r.Flags = protocol.FlagUUID
	}
	if _, err := conn.Write(r.Bytes()); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	in := bufio.NewReader(conn)
	result, err := protocol.ReadSerialResponse(in)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	if result != protocol.HostsList {
		return result, nil, nil
	}
	hosts, err := protocol.ReadList(in)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	_, _ = io.CopyN(io.Discard, in, protocol.SerialResponseSize) // the frame that ends it; the list is whole without it
	return result, hosts, nil
}

// speeds are the rates that a serial line may have.
func speeds() map[string]uint32 {
	return map[string]uint32{
		"9600": unix.B9600, "19200": unix.B19200, "38400": unix.B38400, "57600": unix.B57600, "115200": unix.B115200,
	}
}

// openSerial opens a serial line for this process alone, raw, with eight bits, no parity, one stop bit and
// hardware flow control.
func openSerial(device, params string) (_ *os.File, err error) {
	rate, form, _ := strings.Cut(params, ",")
	speed, ok := speeds()[rate]
	if !ok || !strings.EqualFold(form, "8N1") && form != "" {
		return nil, fmt.Errorf("%q is no setting of a serial line; 115200,8N1 is one", params)
	}
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", device, err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &lock); err != nil {
		return nil, fmt.Errorf("%s is used by somebody else: %w", device, err)
	}
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s is no serial line: %w", device, err)
	}
	t.Iflag, t.Oflag, t.Lflag = unix.IGNBRK|unix.IGNPAR, 0, 0
	t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.CRTSCTS | speed
	t.Ispeed, t.Ospeed = speed, speed
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("setting %s: %w", device, err)
	}
	_ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
	return os.NewFile(uintptr(fd), device), nil
}
