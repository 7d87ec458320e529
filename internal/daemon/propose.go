package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/peer"
	"github.com/cerco-ha/cerco/internal/store"
)

// Services that nodes offer each other.
const (
	serviceOp      = "op"      // an operation, from the leader
	serviceOps     = "ops"     // several of them
	serviceLedger  = "ledger"  // what a node's executor knows, for a new leader
	serviceResult  = "result"  // results, to the leader
	servicePropose = "propose" // a command, to the leader
	serviceFresh   = "fresh"   // the index of the newest committed state, of the leader
	serviceAdmit   = "admit"   // a node that joins, to the leader
	serviceCluster = "cluster" // a change of the cluster's description, to the leader
	serviceFence   = "fence"   // a fencing that somebody asks for, to the leader
	serviceConfirm = "confirm" // a person's word that a node is off, where nobody leads
	serviceGuests  = "guests"  // what a guest asked of a host that its machine has left since
	serviceCount   = "count"   // who is heard and how votes count, to the leader
	serviceRest    = "rest"    // has the cluster come to rest? to the leader
	serviceHistory = "history" // transitions that a node has decided
	serviceUpgrade = "upgrade" // how far an upgrade is, and that it is final; to the leader
	serviceRotate  = "rotate"  // exchange your key
	serviceCA      = "ca"      // the certificate authority, of who has it
	serviceReport  = "report"  // all that a node can tell, for those who look for the cause of a problem
	serviceBeat    = "beat"    // signs of life
)

// leaderPatience is between two looks for a leader.
const leaderPatience = 20 * time.Millisecond

// askLeader calls a service of whoever leads, and goes on looking for a leader until the context ends. What
// may have been carried out already is not asked for twice.
func (d *Daemon) askLeader(ctx context.Context, service string, body []byte) ([]byte, error) {
	var last error
	for {
		leader, _ := d.store.Leader()
		if leader != "" {
			answer, err := d.call(ctx, leader, service, body)
			if err == nil || !errors.Is(err, errElsewhere) && !errors.Is(err, peer.ErrUnreachable) {
				return answer, err
			}
			last = err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", api.ErrNoLeader, errors.Join(last, context.Cause(ctx)))
		case <-d.ended:
			return nil, fmt.Errorf("%w: the daemon of %s ends", api.ErrNoLeader, d.node.Name)
		case <-time.After(leaderPatience):
		}
	}
}

// ask puts a question to whoever leads, and reads the answer.
func ask[A any](ctx context.Context, d *Daemon, service string, question any) (answer A, err error) {
	body, err := json.Marshal(question)
	if err != nil {
		return answer, err
	}
	data, err := d.askLeader(ctx, service, body)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return answer, fmt.Errorf("the leader's answer to %q cannot be read: %w", service, err)
	}
	return answer, nil
}

// askState puts a question whose answer is an index to whoever leads, and returns a state of this node that has it.
func (d *Daemon) askState(ctx context.Context, service string, question any) (cib.State, error) {
	index, err := ask[uint64](ctx, d, service, question)
	if err != nil {
		return cib.State{}, err
	}
	return d.waitFor(ctx, index)
}

// errElsewhere says that the node that was asked does not lead, and has done nothing.
var errElsewhere = errors.New("this node does not lead")

// call calls a service of a node, of this one too.
func (d *Daemon) call(ctx context.Context, node, service string, body []byte) ([]byte, error) {
	if node == d.node.Name {
		answer, err := d.services()[service](ctx, node, body)
		return answer, ours(err)
	}
	answer, err := d.peer.Call(ctx, node, service, body)
	if remote := (*peer.RemoteError)(nil); errors.As(err, &remote) {
		return nil, readError(remote.Message)
	}
	return answer, err
}

// ours gives an error of the store the form in which it crosses the network.
func ours(err error) error {
	if elsewhere := (*store.NotLeaderError)(nil); errors.As(err, &elsewhere) || errors.Is(err, store.ErrNoLog) {
		return fmt.Errorf("%w: %w", errElsewhere, err)
	}
	return err
}

// Errors that callers tell apart cross the network as a word before the text.
var errorWords = map[string]error{
	"elsewhere": errElsewhere,
	"version":   cib.ErrVersion,
	"exists":    cib.ErrExists,
	"uncertain": store.ErrUncertain,
	"not-found": api.ErrNotFound,
}

// refusal is how a *cib.CommandError crosses the network.
const refusal = "refused"

// sendError writes an error for the network.
func sendError(err error) error {
	if err = ours(err); err == nil {
		return nil
	}
	if refused := (*cib.CommandError)(nil); errors.As(err, &refused) {
		data, _ := json.Marshal(refused) // two strings
		return fmt.Errorf("%s %s", refusal, data)
	}
	for _, word := range []string{"elsewhere", "version", "exists", "uncertain", "not-found"} {
		if errors.Is(err, errorWords[word]) {
			return fmt.Errorf("%s %w", word, err)
		}
	}
	return err
}

// remoteError is an error of another node: its text, and the error of ours that it is.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// readError reads what sendError wrote.
func readError(s string) error {
	word, rest, _ := strings.Cut(s, " ")
	if word == refusal {
		e := &cib.CommandError{}
		if json.Unmarshal([]byte(rest), e) == nil {
			return e
		}
	}
	if is := errorWords[word]; is != nil {
		return &remoteError{rest, is}
	}
	return errors.New(s)
}

// Propose has a command committed, through the leader wherever it is, and returns a state of this node that
// has it.
func (d *Daemon) Propose(ctx context.Context, c cib.Command) (cib.State, error) {
	return d.askState(ctx, servicePropose, json.RawMessage(c.Encode()))
}

// servePropose is the leader's part: it stamps the command and has it committed.
func (d *Daemon) servePropose(ctx context.Context, _ string, body []byte) ([]byte, error) {
	c, err := cib.DecodeCommand(body)
	if err != nil {
		return nil, err
	}
	if c.At.IsZero() {
		c.At = d.cfg.Now()
	}
	if c.Config != nil {
		now := d.store.View()
		next, err := cib.Apply(now, c)
		if err == nil {
			err = cib.Refuse(now.CIB, next.CIB)
		}
		if err != nil {
			return nil, err
		}
	}
	st, err := d.store.Propose(ctx, c)
	if err != nil {
		return nil, err
	}
	return json.Marshal(st.Index)
}

// State is the committed state; with fresh, one that is no older than the call.
func (d *Daemon) State(ctx context.Context, fresh bool) (cib.State, error) {
	if !fresh {
		return d.store.View(), nil
	}
	return d.askState(ctx, serviceFresh, nil)
}

// serveFresh makes sure that this node leads, and answers with the index of what is committed.
func (d *Daemon) serveFresh(ctx context.Context, _ string, _ []byte) ([]byte, error) {
	if d.inOffice() == nil { // what earlier leaders had committed may not be in our state yet
		return nil, errElsewhere
	}
	index := d.store.View().Index
	if err := d.store.VerifyLeader(ctx); err != nil {
		return nil, err
	}
	return json.Marshal(index)
}

// arrivals lets callers wait for a command to reach this node's state.
type arrivals struct {
	mu    sync.Mutex
	index uint64
	more  chan struct{} // closed and replaced when the index rises
}

func (a *arrivals) reach(index uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index = index // another log may have begun lower
	if a.more != nil {
		close(a.more)
		a.more = nil
	}
}

func (a *arrivals) next() (uint64, <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.more == nil {
		a.more = make(chan struct{})
	}
	return a.index, a.more
}

// waitFor waits until this node's state has the command of an index.
func (d *Daemon) waitFor(ctx context.Context, index uint64) (cib.State, error) {
	for {
		_, more := d.arrivals.next()
		if st := d.store.View(); st.Index >= index {
			return st, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return cib.State{}, fmt.Errorf("%w: it is committed, but %s has not heard of it yet", context.Cause(ctx), d.node.Name)
		}
	}
}
