package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket"
	"github.com/digitalocean/go-libvirt/socket/dialers"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// link is one connection to libvirt. The library knows no deadlines; closing the connection is what ends its
// calls, all of them. So each purpose has its own, and one that a call ended on is never used again.
type link struct {
	lib  *libvirt.Libvirt
	conn net.Conn
}

func (l *link) close() { _ = l.conn.Close() }

// kept hands a connection that is open already to the library.
type kept struct{ conn net.Conn }

func (k kept) Dial() (net.Conn, error) { return k.conn, nil }

// connect opens a connection, or fails by the end of ctx.
func (p place) connect(ctx context.Context) (*link, error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	l := &link{lib: libvirt.NewWithDialer(kept{conn}), conn: conn}
	stop := context.AfterFunc(ctx, l.close)
	err = l.lib.ConnectToURI(libvirt.ConnectURI(p.driver))
	if !stop() || err != nil {
		l.close()
		return nil, errors.Join(err, context.Cause(ctx))
	}
	return l, nil
}

func (p place) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	switch p.transport {
	case "unix":
		var errs []error
		for _, s := range p.sockets() {
			c, err := d.DialContext(ctx, "unix", s)
			if err == nil {
				return c, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	case "tcp":
		return d.DialContext(ctx, "tcp", net.JoinHostPort(p.host, either(p.port, "16509")))
	case "tls":
		opts := []dialers.TLSOption{dialers.UseTLSPort(either(p.port, "16514"))}
		if p.pki != "" {
			opts = append(opts, dialers.UsePKIPath(p.pki))
		}
		return slowly(ctx, dialers.NewTLS(p.host, opts...))
	default:
		return p.dialSSH(ctx)
	}
}

// slowly dials with what knows no deadline but a long one of its own; who comes too late is sent away.
func slowly(ctx context.Context, d socket.Dialer) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		c, err := d.Dial()
		done <- result{c, err}
	}()
	select {
	case r := <-done:
		return r.conn, r.err
	case <-ctx.Done():
		go func() {
			if r := <-done; r.conn != nil {
				_ = r.conn.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// answered tells whether an error is libvirt's answer, and not the want of one.
func answered(err error) bool {
	var e libvirt.Error
	return err == nil || errors.As(err, &e) || errors.Is(err, libvirt.ErrUnsupported)
}

// is tells whether libvirt answered with this number.
func is(err error, n libvirt.ErrorNumber) bool {
	var e libvirt.Error
	return errors.As(err, &e) && e.Code == uint32(n)
}

// ask has fn ask libvirt on the connection for questions. What got no answer is asked again on a new connection,
// until ctx ends: fn must do no harm when it is called twice.
func (l *Libvirt) ask(ctx context.Context, fn func(*libvirt.Libvirt) error) error {
	return l.persist(ctx, func(ctx context.Context) error {
		k, err := l.question(ctx)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, k.close)
		err = fn(k.lib)
		if !stop() || !answered(err) {
			l.forget(k)
		}
		return err
	})
}

// act is ask on a connection of its own, so that what takes long stands in nobody's way.
func (l *Libvirt) act(ctx context.Context, fn func(*libvirt.Libvirt) error) error {
	return l.persist(ctx, func(ctx context.Context) error {
		k, err := l.place.connect(ctx)
		if err != nil {
			return err
		}
		defer k.close()
		defer context.AfterFunc(ctx, k.close)()
		return fn(k.lib)
	})
}

// persist tries until there is an answer.
func (l *Libvirt) persist(ctx context.Context, try func(context.Context) error) error {
	const first, last = 20 * time.Millisecond, 500 * time.Millisecond
	for pause := first; ; pause = min(2*pause, last) {
		err := try(ctx)
		if answered(err) || errors.Is(err, errClosed) {
			return err
		}
		l.cfg.Log.Debug("libvirt gives no answer", "uri", l.cfg.URI, "err", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: libvirt at %s: %w", guestfence.ErrUnreachable, l.cfg.URI, err)
		case <-time.After(pause):
		}
	}
}

// question returns the connection for questions.
func (l *Libvirt) question(ctx context.Context) (*link, error) {
	l.mu.Lock()
	k := l.asking
	l.mu.Unlock()
	if k != nil {
		return k, nil
	}
	k, err := l.place.connect(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking != nil || l.closed { // somebody was faster
		k.close()
		if l.closed {
			return nil, errClosed
		}
		return l.asking, nil
	}
	l.asking = k
	return k, nil
}

func (l *Libvirt) forget(k *link) {
	k.close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asking == k {
		l.asking = nil
	}
}
