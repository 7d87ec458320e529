package xvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// connectLimit is how long it may take to reach a host by TCP.
const connectLimit = 3 * time.Second

// stream is a connection with a host.
type stream interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

func (a *asking) askTCP(ctx context.Context) (protocol.Result, []protocol.Host, error) {
	network := map[string]string{"ipv4": "tcp4", "ipv6": "tcp6"}[a.family]
	if network == "" {
		network = "tcp"
	}
	dialing, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(dialing, network, net.JoinHostPort(a.tcp, strconv.Itoa(int(a.port))))
	if err != nil {
		return 0, nil, saidf("Unable to connect to fence_virtd host %s:%d %s", a.tcp, a.port, reason(err))
	}
	return a.askStream(conn)
}

// reason says in the system's words why a connection failed.
func reason(err error) string {
	var errno syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &errno):
		return sentence(errno)
	case errors.As(err, &dns):
		return "Name or service not known"
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return sentence(syscall.ETIMEDOUT)
	}
	return err.Error()
}

// sentence begins with a capital letter, as the system's own messages do.
func sentence(errno syscall.Errno) string {
	s := errno.Error()
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// askStream sends the request and hears the answer on a connection that the guest opened.
func (a *asking) askStream(conn stream) (protocol.Result, []protocol.Host, error) {
	defer func() { _ = conn.Close() }()
	r := a.request()
	r.Sign(a.key)
	_ = conn.SetDeadline(time.Now().Add(a.timeout))
	if _, err := conn.Write(r.Bytes()); err != nil {
		return 0, nil, fmt.Errorf("sending the request: %w", err)
	}
	if err := a.session().Guest(conn); err != nil {
		return 0, nil, sessionError(err)
	}
	return a.hear(conn)
}

func (a *asking) session() *protocol.Session {
	return &protocol.Session{Key: a.key, Auth: a.auth, Challenge: func() (c protocol.Challenge) {
		a.random(c[:])
		return c
	}}
}

// sessionError says it in the original's words where it has some.
func sessionError(err error) error {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return saidf("Error reading challenge response: %sInvalid response to challenge", sentence(errno))
	case errors.Is(err, protocol.ErrWrongKey), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return said("Invalid response to challenge")
	}
	return err
}

// hear waits for the result, and for the list that may follow it.
func (a *asking) hear(conn stream) (protocol.Result, []protocol.Host, error) {
	_ = conn.SetDeadline(time.Now().Add(a.timeout))
	a.debugf(2, "Waiting for the host's answer")
	var b [1]byte
	if _, err := io.ReadFull(conn, b[:]); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	result := protocol.Result(b[0])
	if result != protocol.HostsList {
		return result, nil, nil
	}
	hosts, err := protocol.ReadList(conn)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	return result, hosts, nil
}
