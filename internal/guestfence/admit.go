package guestfence

import (
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
	claimed     bool                    // it is being carried out
	done        time.Time               // it was carried out then
}

// maxExchanges bounds the table; it is filled by those who have the key, if at all.
const maxExchanges = 4096

func keyOf(r *protocol.Request) exchangeKey {
	return exchangeKey{r.Action, r.Seq, strings.ToLower(r.Domain)}
}

// open notes a message of a call and how long ago its first one came. It fails if the call is carried out
// already, or if its guest is being called back at the same address.
func (e *exchanges) open(k exchangeKey, to netip.AddrPort, now time.Time) (age time.Duration, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.prune(now)
	x := e.m[k]
	if x == nil {
		if len(e.m) >= maxExchanges {
			return 0, errTooMany
		}
		x = &exchange{first: now, trying: map[netip.AddrPort]bool{}}
		e.m[k] = x
	}
	x.last = now
	if x.claimed || x.trying[to] {
		return 0, errSeen
	}
	x.trying[to] = true
	return now.Sub(x.first), nil
}

// gaveUp ends an attempt that open began, without the call being carried out by it.
func (e *exchanges) gaveUp(k exchangeKey, to netip.AddrPort) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.m[k]; x != nil {
		delete(x.trying, to)
	}
}

// claim gives the right to carry the call out, to one attempt.
func (e *exchanges) claim(k exchangeKey) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	x := e.m[k]
	if x == nil || x.claimed {
		return false
	}
	x.claimed = true
	return true
}

// finish notes that the call was carried out, well or not.
func (e *exchanges) finish(k exchangeKey, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.m[k]; x != nil {
		x.done = now
	}
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
