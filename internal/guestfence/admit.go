package guestfence

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// Why a request is dropped without an answer. Guests hear nothing, as from the original, so that nothing can be
// learnt by trying.
var (
	errWeakHash = errors.New("its hash is weaker than the listener allows")
	errUnsigned = errors.New("it is not signed with our key")
	errSeen     = errors.New("it was seen before")
	errTooMany  = errors.New("too many are being served")
)

// historyTime is how long a request that was carried out is not carried out again, by whatever datagram it comes.
const historyTime = 10 * time.Second

// admit checks the bytes of a request. What it lets through is signed and new.
func (s *Server) admit(l *Listener, b []byte) (*protocol.Request, error) {
	r, err := protocol.ParseRequest(b)
	switch {
	case err != nil:
		return nil, err
	case r.Hash < l.Hash:
		return nil, errWeakHash
	case !protocol.VerifyRequest(b, l.Key):
		return nil, errUnsigned
	case r.Hash == protocol.None:
		return r, nil // nothing tells two such requests apart
	}
	fresh, err := s.memories[string(l.Key)].take(r.Digest, r.Action.Changes())
	if err == nil && !fresh {
		err = errSeen
	}
	return r, err
}

// exchanges are the calls of guests that are under way or were carried out a short while ago. A guest sends many
// datagrams for one call; one of them leads to a session, in which it is carried out, once.
type exchanges struct {
	mu     sync.Mutex
	m      map[exchangeKey]*exchange
	pruned time.Time
}

type exchangeKey struct {
	action protocol.Action
	seq    uint32
	domain string
}

type exchange struct {
	first, last time.Time
	trying      map[netip.AddrPort]bool // where the guest is being called back
	turn        chan struct{}           // of capacity 1: who has put something in calls back
	claimed     bool                    // it is being carried out
	done        time.Time               // it was carried out then
}

// attempt is a message of a call that may lead to the session in which it is carried out.
type attempt struct {
	e     *exchanges
	x     *exchange
	to    netip.AddrPort
	age   time.Duration // of the call, when the message came
	turns bool          // it has the turn
}

// otherAddress is how long a guest is called back at one address before it is at another one, too. A guest hears one
// host, and the same call on two ways at once would have the slower one come to the guest's next request.
const otherAddress = 500 * time.Millisecond

// maxExchanges bounds the table; it is filled by those who have the key, if at all.
const maxExchanges = 4096

func keyOf(r *protocol.Request) exchangeKey {
	return exchangeKey{r.Action, r.Seq, strings.ToLower(r.Domain)}
}

// open notes a message of a call. It fails if the call is carried out already, or if its guest is being called back
// at the same address. The attempt must be ended.
func (e *exchanges) open(k exchangeKey, to netip.AddrPort, now time.Time) (*attempt, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prune(now)
	x := e.m[k]
	if x == nil {
		if len(e.m) >= maxExchanges {
			return nil, errTooMany
		}
		x = &exchange{first: now, trying: map[netip.AddrPort]bool{}, turn: make(chan struct{}, 1)}
		e.m[k] = x
	}
	x.last = now
	if x.claimed || x.trying[to] {
		return nil, errSeen
	}
	x.trying[to] = true
	a := &attempt{e: e, x: x, to: to, age: now.Sub(x.first)}
	select {
	case x.turn <- struct{}{}:
		a.turns = true
	default:
	}
	return a, nil
}

// end ends the attempt, whether the call was carried out by it or not.
func (a *attempt) end() {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	delete(a.x.trying, a.to)
	if a.turns {
		<-a.x.turn
	}
}

// enter waits until the guest is not being called back at another address any more, but not for long.
func (a *attempt) enter(ctx context.Context) {
	if a.turns {
		return
	}
	late := time.NewTimer(otherAddress)
	defer late.Stop()
	select {
	case a.x.turn <- struct{}{}:
		a.turns = true
	case <-late.C:
	case <-ctx.Done():
	}
}

// over tells whether the call is being carried out, or was.
func (a *attempt) over() bool {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	return a.x.claimed
}

// claim gives the right to carry the call out, to one attempt.
func (a *attempt) claim() bool {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	first := !a.x.claimed
	a.x.claimed = true
	return first
}

// finish notes that the call was carried out, well or not.
func (a *attempt) finish(now time.Time) {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	a.x.done = now
}

// prune forgets what is over. The lock is held.
func (e *exchanges) prune(now time.Time) {
	if e.m == nil {
		e.m = map[exchangeKey]*exchange{}
	}
	if now.Sub(e.pruned) < time.Second {
		return
	}
	e.pruned = now
	for k, x := range e.m {
		over := x.claimed && !x.done.IsZero() && now.Sub(x.done) > historyTime
		if over || !x.claimed && len(x.trying) == 0 && now.Sub(x.last) > time.Minute {
			delete(e.m, k)
		}
	}
}

// drops counts what is dropped and says so now and then, so that a flood does not fill the log.
type drops struct {
	log  *slog.Logger
	now  func() time.Time
	mu   sync.Mutex
	last map[string]time.Time // by reason
	n    map[string]int       // since then
}

const dropsEvery = 10 * time.Second

func (d *drops) note(kind, from string, err error) {
	reason := err.Error()
	switch {
	case errors.Is(err, protocol.ErrMalformed):
		reason = protocol.ErrMalformed.Error()
	case errors.Is(err, errSeen):
		return // each call comes in several datagrams
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		d.last, d.n = map[string]time.Time{}, map[string]int{}
	}
	if _, known := d.n[reason]; !known && len(d.n) > 100 {
		return
	}
	d.n[reason]++
	now := d.now()
	if now.Sub(d.last[reason]) < dropsEvery {
		return
	}
	d.last[reason] = now
	d.log.Warn("requests are dropped", "reason", reason, "times", d.n[reason], "last from", from, "listener", kind)
	d.n[reason] = 0
}
