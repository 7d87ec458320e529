package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/wire"
)

// get asks for JSON.
func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	return call[T](ctx, c, http.MethodGet, path, q, nil)
}

func post[T any](ctx context.Context, c *Client, path string, q url.Values, body any) (T, error) {
	return call[T](ctx, c, http.MethodPost, path, q, body)
}

func call[T any](ctx context.Context, c *Client, method, path string, q url.Values, body any) (T, error) {
	var v T
	resp, err := c.do(ctx, method, path, q, body)
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return v, fmt.Errorf("%s: the answer cannot be read: %w", c.addr, err)
	}
	return v, nil
}

func (c *Client) raw(ctx context.Context, path string, q url.Values) ([]byte, error) {
	resp, err := c.do(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// local is the query for what this node has, which needs no leader.
func local(yes bool) url.Values {
	q := url.Values{}
	if yes {
		q.Set("local", "1")
	}
	return q
}

// Node says which node answers and what it knows of who decides.
func (c *Client) Node(ctx context.Context) (wire.Node, error) {
	return get[wire.Node](ctx, c, "/v1/node", nil)
}

// CIB returns the CIB as XML. With here it is what the node has, without a leader's word that it is the newest.
func (c *Client) CIB(ctx context.Context, here bool) ([]byte, error) {
	return c.raw(ctx, "/v1/cib", local(here))
}

// Query returns what an XPath finds in the CIB.
func (c *Client) Query(ctx context.Context, xpath string, here bool) ([]wire.Found, error) {
	q := local(here)
	q.Set("xpath", xpath)
	return get[[]wire.Found](ctx, c, "/v1/cib", q)
}

// Edit changes the CIB.
func (c *Client) Edit(ctx context.Context, e wire.Edit, w Wait) (wire.Changed, error) {
	return post[wire.Changed](ctx, c, "/v1/cib", w.query(), e)
}

// Attributes lists node attributes; empty strings match everything.
func (c *Client) Attributes(ctx context.Context, node, name string, here bool) ([]wire.Attribute, error) {
	q := local(here)
	if node != "" {
		q.Set("node", node)
	}
	if name != "" {
		q.Set("name", name)
	}
	return get[[]wire.Attribute](ctx, c, "/v1/attributes", q)
}

// SetAttributes changes node attributes. An update without a node is about the node that is asked.
func (c *Client) SetAttributes(ctx context.Context, updates []cib.AttributeUpdate, w Wait) (wire.Changed, error) {
	return post[wire.Changed](ctx, c, "/v1/attributes", w.query(), wire.Attributes{Updates: updates})
}

// Status is the whole picture. A daemon that does not put the CIB behind the rest has it in there.
func (c *Client) Status(ctx context.Context) (wire.Status, error) {
	var st wire.Status
	resp, err := c.do(ctx, http.MethodGet, "/v1/status", url.Values{"cib": {"after"}}, nil)
	if err != nil {
		return st, err
	}
	defer resp.Body.Close()
	in := json.NewDecoder(resp.Body)
	err = in.Decode(&st)
	if err == nil && st.CIB == "" {
		var b strings.Builder
		b.Grow(int(min(max(resp.ContentLength, 0), 64<<20)))
		_, err = io.Copy(&b, io.MultiReader(in.Buffered(), resp.Body))
		st.CIB = strings.TrimPrefix(b.String(), "\n")
	}
	if err != nil {
		return st, fmt.Errorf("%s: the answer cannot be read: %w", c.addr, err)
	}
	return st, nil
}

// Rest says whether the cluster is at rest, after waiting for it if asked to.
func (c *Client) Rest(ctx context.Context, w Wait) (wire.Rest, error) {
	return get[wire.Rest](ctx, c, "/v1/rest", w.query())
}

// FencingHistory lists fencings, oldest first; target may be empty.
func (c *Client) FencingHistory(ctx context.Context, target string) ([]cib.FenceRecord, error) {
	q := url.Values{}
	if target != "" {
		q.Set("target", target)
	}
	return get[[]cib.FenceRecord](ctx, c, "/v1/fencing", q)
}

// Fence fences a node and returns once that is decided.
func (c *Client) Fence(ctx context.Context, f wire.Fence) (cib.FenceRecord, error) {
	return post[cib.FenceRecord](ctx, c, "/v1/fencing", nil, f)
}

// Confirm gives an operator's word that a node is off.
func (c *Client) Confirm(ctx context.Context, target string) (cib.FenceRecord, error) {
	return post[cib.FenceRecord](ctx, c, "/v1/fencing/confirm", nil, wire.Confirm{Target: target})
}

// FenceDevices lists devices that can fence the target; all for an empty one.
func (c *Client) FenceDevices(ctx context.Context, target string) ([]wire.Device, error) {
	q := url.Values{}
	if target != "" {
		q.Set("target", target)
	}
	return get[[]wire.Device](ctx, c, "/v1/fencing/devices", q)
}

// Transitions lists the n newest transitions, newest first; 0: all that are kept.
func (c *Client) Transitions(ctx context.Context, n int) ([]wire.Transition, error) {
	q := url.Values{}
	if n > 0 {
		q.Set("n", strconv.Itoa(n))
	}
	return get[[]wire.Transition](ctx, c, "/v1/transitions", q)
}

// TransitionCIB is the CIB that a transition was made from.
func (c *Client) TransitionCIB(ctx context.Context, id string) ([]byte, error) {
	return c.raw(ctx, "/v1/transitions/"+url.PathEscape(id)+"/cib", nil)
}

// TransitionGraph is the graph of a transition as XML.
func (c *Client) TransitionGraph(ctx context.Context, id string) ([]byte, error) {
	return c.raw(ctx, "/v1/transitions/"+url.PathEscape(id)+"/graph", nil)
}

// Cluster describes the members and how they are heard.
func (c *Client) Cluster(ctx context.Context) (wire.Cluster, error) {
	return get[wire.Cluster](ctx, c, "/v1/cluster", nil)
}

// Invite makes an invitation to join.
func (c *Client) Invite(ctx context.Context, i wire.Invite) (wire.Invited, error) {
	return post[wire.Invited](ctx, c, "/v1/cluster/invite", nil, i)
}

// Options changes how the cluster counts votes and how fast it notices.
func (c *Client) Options(ctx context.Context, o wire.Options) error {
	_, err := post[struct{}](ctx, c, "/v1/cluster/options", nil, o)
	return err
}

// Remove takes a node out of the cluster.
func (c *Client) Remove(ctx context.Context, node string, force bool) error {
	_, err := post[struct{}](ctx, c, "/v1/cluster/remove", nil, wire.OnNode{Node: node, Force: force})
	return err
}

// Rotate has a node exchange its key, or the cluster its certificate authority.
func (c *Client) Rotate(ctx context.Context, r wire.Rotate) error {
	_, err := post[struct{}](ctx, c, "/v1/cluster/rotate", nil, r)
	return err
}

// Upgrade says how far an upgrade of the nodes is; with final it ends it.
func (c *Client) Upgrade(ctx context.Context, final bool) (wire.Upgrade, error) {
	if final {
		return post[wire.Upgrade](ctx, c, "/v1/cluster/upgrade", nil, struct{}{})
	}
	return get[wire.Upgrade](ctx, c, "/v1/cluster/upgrade", nil)
}

// Stop has a node's resources moved away and its daemon end.
func (c *Client) Stop(ctx context.Context, node string) error {
	_, err := post[struct{}](ctx, c, "/v1/cluster/stop", nil, wire.OnNode{Node: node})
	return err
}

// Standby keeps resources away from a node, or lets them come back.
func (c *Client) Standby(ctx context.Context, o wire.OnNode, w Wait) (wire.Changed, error) {
	return post[wire.Changed](ctx, c, "/v1/cluster/standby", w.query(), o)
}

// Locate says where a resource is.
func (c *Client) Locate(ctx context.Context, resource string) (wire.Located, error) {
	return get[wire.Located](ctx, c, "/v1/resources/"+url.PathEscape(resource), nil)
}

// Cleanup forgets failures; Refresh forgets all history.
func (c *Client) Cleanup(ctx context.Context, f wire.Forget, w Wait) (wire.Changed, error) {
	return post[wire.Changed](ctx, c, "/v1/resources/cleanup", w.query(), f)
}

// Refresh forgets history, so that the resource is probed again.
func (c *Client) Refresh(ctx context.Context, f wire.Forget, w Wait) (wire.Changed, error) {
	return post[wire.Changed](ctx, c, "/v1/resources/refresh", w.query(), f)
}

// Fail has the cluster believe that a resource has failed.
func (c *Client) Fail(ctx context.Context, f wire.Fail, w Wait) (wire.Changed, error) {
	return post[wire.Changed](ctx, c, "/v1/resources/fail", w.query(), f)
}

// Metrics is what monitoring reads, in Prometheus' text format.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) { return c.raw(ctx, "/v1/metrics", nil) }

// Debug tells of the inside of the daemon.
func (c *Client) Debug(ctx context.Context, what string) ([]byte, error) {
	path := "/v1/debug"
	if what != "" {
		path += "/" + url.PathEscape(what)
	}
	return c.raw(ctx, path, nil)
}

// Now is the From of Events for those that happen from now on.
const Now = ^uint64(0)

// Events calls f with each event after number from (0: all that are kept, Now: only new ones) until the context ends
// or f returns an error. With once it ends with the newest.
func (c *Client) Events(ctx context.Context, from uint64, once bool, f func(events.Event) error) error {
	q := url.Values{}
	if from != Now {
		q.Set("from", strconv.FormatUint(from, 10))
	}
	if once {
		q.Set("follow", "0")
	}
	resp, err := c.do(ctx, http.MethodGet, "/v1/events", q, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var e events.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("%s: an event cannot be read: %w", c.addr, err)
		}
		if err := f(e); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: the events end: %w", c.addr, err)
	}
	if once {
		return nil
	}
	return fmt.Errorf("%s: the events end: the daemon has stopped", c.addr)
}

// WithTimeout is a context for one call, from a timeout that may be 0 for none.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}
