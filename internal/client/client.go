// Package client talks to a node's API: over its local socket, or over HTTPS with a certificate of the cluster.
//
// It owns the typed methods that commands use. It promises that an error says which node was asked and what to do, and
// that errors.As finds the API's own error in it. It keeps nothing between calls but a connection.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/wire"
)

// DefaultSocket is where the daemon's socket is unless CERCO_SOCKET says otherwise.
const DefaultSocket = "/run/cerco/cerco.sock"

// ErrNoDaemon says that nobody answers at the address.
var ErrNoDaemon = errors.New("no daemon answers")

// Error is an answer of the API that is not a success. Code is one of package wire's.
type Error struct {
	Status          int
	Code, What, Fix string
}

func (e *Error) Error() string {
	if e.Fix != "" {
		return e.What + ": " + e.Fix
	}
	return e.What
}

// HasCode reports whether err is an answer of the API with that code.
func HasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Client asks one node.
type Client struct {
	http *http.Client
	base string
	addr string // for messages
	tool string // that asks, for the record of changes
}

// SetTool names the program that asks: the cluster remembers it with each change.
func (c *Client) SetTool(name string) { c.tool = name }

// Dial makes a client for an address: the path of a socket, or https://host:port with the TLS configuration of a
// member. Nothing is sent yet.
func Dial(addr string, tlsConfig *tls.Config) (*Client, error) {
	t := &http.Transport{MaxIdleConns: 2, IdleConnTimeout: 30 * time.Second, DisableCompression: true}
	c := &Client{http: &http.Client{Transport: t}, addr: addr}
	switch {
	case strings.HasPrefix(addr, "https://"):
		if tlsConfig == nil {
			return nil, fmt.Errorf("%s: HTTPS needs a certificate of the cluster", addr)
		}
		t.TLSClientConfig, c.base = tlsConfig, strings.TrimSuffix(addr, "/")
	case strings.Contains(addr, "://"):
		return nil, fmt.Errorf("%s: use the path of a socket or https://host:port", addr)
	case addr == "":
		return nil, errors.New("no address: use the path of a socket or https://host:port")
	default:
		c.base = "http://cerco"
		var d net.Dialer
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", addr)
		}
	}
	return c, nil
}

// New makes a client of an HTTP transport, for tests and for connections that exist already.
func New(rt http.RoundTripper) *Client {
	return &Client{http: &http.Client{Transport: rt}, base: "http://cerco", addr: "the daemon"}
}

// Close gives its connection up.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Addr is what the client was made for.
func (c *Client) Addr() string { return c.addr }

// Wait says how long a change waits before it returns. The zero value: until it is committed.
type Wait struct {
	Settled bool          // until the cluster has come to rest
	Timeout time.Duration // of that; 0: as long as it takes
}

func (w Wait) query() url.Values {
	q := url.Values{}
	if w.Settled {
		q.Set("wait", "settled")
		if w.Timeout > 0 {
			q.Set("timeout", w.Timeout.String())
		}
	}
	return q
}

// do sends a request and returns the answer's body, which the caller closes.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, body any) (*http.Response, error) {
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(data)
	}
	u := c.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, in)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.tool != "" {
		req.Header.Set("Cerco-Tool", c.tool)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.refused(resp)
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s: %w: is the cluster running on this node? (systemctl start cerco)", c.addr, ErrNoDaemon)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return fmt.Errorf("%s: the daemon hangs up: only root and members of the group haclient may ask it (%w)", c.addr, err)
	}
	return fmt.Errorf("%s: %w", c.addr, err)
}

func (c *Client) refused(resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var e wire.Error
	if err == nil && json.Unmarshal(data, &e) == nil && e.What != "" {
		return &Error{resp.StatusCode, e.Code, e.What, e.Fix}
	}
	return &Error{Status: resp.StatusCode, Code: wire.CodeInternal, What: fmt.Sprintf("%s answers %s", c.addr, resp.Status)}
}
