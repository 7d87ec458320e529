package membership

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Situation is what a node that may be without a leader has to go by.
type Situation struct {
	Now       time.Time
	Self      string // our id
	State     cib.State
	Voters    []string // names of the members that have a vote in the log
	Leader    string   // whom the log takes for its leader
	Open      bool     // nobody leads, or the leader is not heard
	Quorate   bool     // by the rules of votequorum
	Why       string
	LeaseOver bool
	Alone     bool // those that were heard as lately as a lease lasts are no quorum, and not because we slept
	Leased    bool // there was a lease since this daemon has started
	Settled   bool // of each member it is known whether it is heard
	Left      bool // we had left in order, and no leader has taken us back: the others may have gone on without us
	Term      uint64
	Heard     []Survivor // ourselves too, by id
}

// Survivor is a member that is heard.
type Survivor struct {
	ID, Name, BootID    string
	Leader              string // whom it takes for the leader
	Leads               bool   // it is that itself, and may act
	LastTerm, LastIndex uint64 // how far its log goes
	Generation          uint64
}

// Effect is something to be done without a leader: FenceLost, CancelFence, Recover, JoinLog or StopHere.
type Effect interface{ effect() }

// FenceLost asks this node's fencer to cut a lost voter off. Its delays, static and random, decide the race when the
// other side does the same; DelayMS of the request is left to whoever knows priorities. The outcome comes back
// through Fenced.
type FenceLost struct{ Request cib.FenceRequest }

// CancelFence takes a request back: what it is for is no longer so.
type CancelFence struct{ ID, Target string }

// Recover asks for a new log of this node alone, one generation up. Evidence holds a successful record for each voter
// that is given up; it is to be the first command of the new log. The outcome comes back through Recovered.
type Recover struct{ Evidence []cib.FenceRecord }

// JoinLog says that another node has begun a log of a later generation: ours is void, and we are to join that.
type JoinLog struct {
	Leader     string // its leader's name
	Generation uint64
}

// StopHere says that this node has to carry out no-quorum-policy on itself. It comes again while that lasts.
type StopHere struct{ Why string }

func (FenceLost) effect()   {}
func (CancelFence) effect() {}
func (Recover) effect()     {}
func (JoinLog) effect()     {}
func (StopHere) effect()    {}

const (
	fenceAgain   = 2 * time.Second // after a fencing that failed
	recoverAgain = time.Second     // after a recovery that failed
	joinAgain    = time.Second
	stopAgain    = 5 * time.Second
)

// lone is what one node does without a leader. It is pure.
type lone struct {
	asked   map[string]*asked // by the name of the lost node
	number  int               // of the last request
	busy    bool              // a recovery is under way
	again   time.Time         // not before then another one
	joined  time.Time         // when we last said whom to join
	stopped time.Time         // when we last said to stop
	waiting string            // what is waited for, in words
	later   uint64            // the latest generation of a log that was heard of
}

// asked is a lost voter that was to be fenced.
type asked struct {
	request cib.FenceRequest
	open    bool             // no outcome yet
	again   time.Time        // not before then another try
	proof   *cib.FenceRecord // it is off
	failed  string           // why the last try failed
}

func newLone() *lone { return &lone{asked: make(map[string]*asked)} }

// fenced takes the outcome of a fencing. A proof is one for this loss only: when its node is heard again it is void.
func (l *lone) fenced(r cib.FenceRecord, now time.Time) {
	a := l.asked[r.Target]
	switch {
	case r.Action == "on" || r.State == cib.FencePending:
	case r.State == cib.FenceDone:
		if a == nil && r.Evidence != cib.ByOperator {
			return
		}
		if a == nil {
			a = &asked{}
			l.asked[r.Target] = a
		}
		a.proof, a.open = &r, false
	case a != nil && a.open && r.ID == a.request.ID:
		a.open, a.again, a.failed = false, now.Add(fenceAgain), cmp.Or(r.Error, "it failed")
	}
}

// recovered takes the outcome of a recovery.
func (l *lone) recovered(err error, now time.Time) {
	l.busy = false
	if err != nil {
		l.again, l.waiting = now.Add(recoverAgain), "the log could not be begun anew: "+err.Error()
	}
}

// step decides what is to be done now.
func (l *lone) step(s *Situation) []Effect {
	l.waiting = ""
	if s.self() == nil || len(s.Voters) == 0 { // we belong to no cluster yet
		return nil
	}
	effects := l.forget(s)
	for _, h := range s.Heard {
		l.later = max(l.later, h.Generation)
	}
	if j := l.join(s); j != nil {
		return append(effects, j)
	}
	if !s.Open || s.Leader != "" && !s.LeaseOver || s.led() {
		return append(effects, l.calm(s)...)
	}
	lost, fences := s.lostVoters(), canFence(&s.State, s.Now)
	ignore := policy(&s.State, s.Now) == "ignore"
	if s.Alone && s.Leased && !fences && !ignore && (len(lost) == 0 || !l.proved(lost)) { // what we run may be started elsewhere when the token is over
		return append(effects, l.stop(s, ignore, lost)...)
	}
	if 2*(len(s.Voters)-len(lost)) > len(s.Voters) { // the log can elect a leader by itself
		l.waiting = "the nodes elect a leader"
		return append(effects, l.calm(s)...)
	}
	if !s.Quorate && !ignore || !fences && !l.proved(lost) {
		return append(effects, l.stop(s, ignore, lost)...)
	}
	if (2*len(lost) > len(s.Voters) || l.behind(s) || s.Left) && !ignore && !l.said(lost) { // they may have promised what is not known here
		return append(effects, l.stop(s, ignore, lost)...)
	}
	return append(effects, l.survive(s, lost)...)
}

// forget drops what is about nodes that are heard: they are not lost, and if they were said to be off, that was
// not true or is over.
func (l *lone) forget(s *Situation) []Effect {
	var effects []Effect
	for _, h := range s.Heard {
		a := l.asked[h.Name]
		if a == nil {
			continue
		}
		delete(l.asked, h.Name)
		if a.open {
			effects = append(effects, CancelFence{a.request.ID, h.Name})
		}
	}
	return effects
}

// calm is what is left to do when there is a leader, or will be.
func (l *lone) calm(s *Situation) []Effect {
	l.stopped, l.again = time.Time{}, time.Time{}
	if s.Leader == "" {
		return nil
	}
	var effects []Effect
	for _, name := range l.names() {
		if a := l.asked[name]; a.open {
			effects = append(effects, CancelFence{a.request.ID, name})
		}
	}
	clear(l.asked)
	return effects
}

func (l *lone) names() []string {
	names := make([]string, 0, len(l.asked))
	for name := range l.asked {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// join tells whom to join when others have gone on with a later log. They had a proof that we were off, so that
// nothing we hold back for can be ours any more; only one that acts under a leader must not be torn out of it.
func (l *lone) join(s *Situation) Effect {
	us := s.self()
	if s.Leader != "" && s.Quorate && !s.LeaseOver {
		return nil
	}
	for _, h := range s.Heard {
		if h.Generation <= us.Generation || h.Leader == "" || s.Now.Before(l.joined.Add(joinAgain)) {
			continue
		}
		l.joined = s.Now
		l.waiting = fmt.Sprintf("the log of generation %d has ended, that of %s, generation %d, is to be joined", us.Generation, h.Leader, h.Generation)
		return JoinLog{h.Leader, h.Generation}
	}
	return nil
}

// stop carries no-quorum-policy out, once the lease is over.
func (l *lone) stop(s *Situation, ignore bool, lost []cib.Member) []Effect {
	switch {
	case l.behind(s):
		l.waiting = fmt.Sprintf("the log of generation %d has ended, and nobody leads that of generation %d", s.self().Generation, l.later)
		if len(lost) > 0 {
			l.waiting += "; " + confirmHint(lost)
		}
	case ignore:
		l.waiting = "fencing is not possible, so no one can tell whether " + list(lost) + " still run: " + confirmHint(lost)
		return nil
	case s.Quorate && 2*len(lost) > len(s.Voters):
		l.waiting = list(lost) + " may have agreed on what is not known here, being the majority of the log without us; " + confirmHint(lost)
	case s.Quorate && s.Left && len(lost) > 0:
		l.waiting = list(lost) + " may have agreed on what is not known here, since this node had left; " + confirmHint(lost)
	case s.Quorate && len(lost) > 0:
		l.waiting = "there is no fence device, so no one can tell whether " + list(lost) + " still run: " + confirmHint(lost)
	default:
		l.waiting = "no quorum: " + s.Why
	}
	// Where there is fencing, the others have to wait for it, and there is time to find out who is there. A
	// daemon that has just started takes that time too: what runs here was started under an earlier lease.
	due := s.Settled || s.Alone && s.Leased && !canFence(&s.State, s.Now)
	if !s.Quorate && !s.LeaseOver || !due || s.Now.Before(l.stopped.Add(stopAgain)) && !l.stopped.IsZero() {
		return nil
	}
	l.stopped = s.Now
	return []Effect{StopHere{Why: l.waiting}}
}

// survive goes the way to a log of our own: every lost voter has to be proved off.
func (l *lone) survive(s *Situation, lost []cib.Member) []Effect {
	l.stopped = time.Time{}
	best := s.best()
	if best == nil || best.ID != s.Self {
		l.waiting = "the node with the newest log goes on"
		if best != nil {
			l.waiting = best.Name + " has the newest log and goes on"
		}
		return nil
	}
	if !s.Settled || l.busy {
		l.waiting = "it is not yet known who is there"
		return nil
	}
	var effects []Effect
	var open []string
	for i := range lost {
		if e, wait := l.fence(s, &lost[i]); wait != "" {
			open = append(open, wait)
			if e != nil {
				effects = append(effects, e)
			}
		}
	}
	if len(open) > 0 {
		l.waiting = strings.Join(open, "; ")
		return effects
	}
	if s.Now.Before(l.again) {
		return effects
	}
	l.busy = true
	r := Recover{}
	for _, m := range lost {
		r.Evidence = append(r.Evidence, *l.asked[m.Name].proof)
	}
	return append(effects, r)
}

// fence asks for one lost voter to be cut off. wait says what is waited for; empty: it is off.
func (l *lone) fence(s *Situation, m *cib.Member) (e Effect, wait string) {
	a := l.asked[m.Name]
	if a == nil {
		a = &asked{}
		l.asked[m.Name] = a
	}
	switch f := s.State.Facts(m.ID); {
	case a.proof != nil:
		return nil, ""
	case m.Witness:
		return nil, fmt.Sprintf("the witness %s is not heard, and nothing can fence it: if it is off, `cerco stonith confirm %s` says so", m.Name, m.Name)
	case f != nil && s.Now.Before(f.AwayUntil):
		return nil, fmt.Sprintf("%s restarts and is waited for until %s", m.Name, f.AwayUntil.Format(time.TimeOnly))
	case a.open:
		return nil, fmt.Sprintf("%s is being fenced", m.Name)
	case s.Now.Before(a.again):
		return nil, fmt.Sprintf("%s could not be fenced (%s) and will be tried again: if it is off, `cerco stonith confirm %s` says so", m.Name, a.failed, m.Name)
	}
	l.number++
	us := s.self()
	a.open = true
	a.request = cib.FenceRequest{ID: fmt.Sprintf("lone-%s-%d-%d-%d", s.Self, us.Generation, s.Term, l.number), Target: m.Name, TargetID: m.ID,
		Action: fenceAction(&s.State, s.Now), By: us.Name, Why: "lost together with the log's majority; " + s.Why,
		Epoch: cib.Epoch{Term: s.Term, Plan: 0}}
	return FenceLost{a.request}, fmt.Sprintf("%s is being fenced", m.Name)
}

// proved reports whether all of them are known to be off.
func (l *lone) proved(lost []cib.Member) bool {
	for _, m := range lost {
		if a := l.asked[m.Name]; a == nil || a.proof == nil {
			return false
		}
	}
	return true
}

// behind reports whether there is a later log than all that are heard have.
func (l *lone) behind(s *Situation) bool {
	return !slices.ContainsFunc(s.Heard, func(h Survivor) bool { return h.Generation >= l.later })
}

// said reports whether a person has said of all of them that they are off. Such a person has decided to go on
// without what they may know.
func (l *lone) said(lost []cib.Member) bool {
	return l.proved(lost) && !slices.ContainsFunc(lost, func(m cib.Member) bool { return l.asked[m.Name].proof.Evidence != cib.ByOperator })
}

func (s *Situation) self() *Survivor {
	for i := range s.Heard {
		if s.Heard[i].ID == s.Self {
			return &s.Heard[i]
		}
	}
	return nil
}

// led reports whether somebody leads that is heard, although our log does not know it yet.
func (s *Situation) led() bool {
	us := s.self()
	return slices.ContainsFunc(s.Heard, func(h Survivor) bool { return h.Leads && h.ID != s.Self && h.Generation == us.Generation })
}

// lostVoters are the voters of the log that are not heard.
func (s *Situation) lostVoters() []cib.Member {
	var lost []cib.Member
	for _, m := range s.State.Cluster.Members {
		heard := slices.ContainsFunc(s.Heard, func(h Survivor) bool { return h.ID == m.ID })
		if slices.Contains(s.Voters, m.Name) && !heard {
			lost = append(lost, m)
		}
	}
	return lost
}

// best is the survivor whose log knows all that the others know; among equals the one with the lowest id.
func (s *Situation) best() *Survivor {
	var best *Survivor
	for i := range s.Heard {
		h := &s.Heard[i]
		if best == nil || cmp.Or(cmp.Compare(h.Generation, best.Generation), cmp.Compare(h.LastTerm, best.LastTerm),
			cmp.Compare(h.LastIndex, best.LastIndex), compareIDs(best.ID, h.ID)) > 0 {
			best = h
		}
	}
	return best
}

func policy(s *cib.State, now time.Time) string { return s.CIB.Option("no-quorum-policy", now) }

// fenceAction is what stonith-action asks for.
func fenceAction(s *cib.State, now time.Time) string {
	if a := s.CIB.Option("stonith-action", now); a == "off" || a == "poweroff" {
		return "off"
	}
	return "reboot"
}

// canFence reports whether there is anything to fence with: a device, or watchdogs.
func canFence(s *cib.State, now time.Time) bool {
	if enabled, ok := cib.ParseBool(s.CIB.Option("stonith-enabled", now)); ok && !enabled {
		return false
	}
	for r := range s.CIB.AllResources() {
		if r.Class == "stonith" {
			return true
		}
	}
	w := s.CIB.Option("stonith-watchdog-timeout", now)
	return w != "" && w != "0"
}

func list(members []cib.Member) string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.Name
	}
	return strings.Join(names, ", ")
}

func confirmHint(lost []cib.Member) string {
	hints := make([]string, len(lost))
	for i, m := range lost {
		hints[i] = "`cerco stonith confirm " + m.Name + "`"
	}
	return "if they are off, " + strings.Join(hints, " and ") + " says so"
}
