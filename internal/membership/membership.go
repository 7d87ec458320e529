package membership

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Config is what a node's membership needs. All functions but Remember are called from one goroutine and must
// not block. Without Start they are called by Turn.
type Config struct {
	ID, Name string
	BootID   string         // of the host
	Run      string         // of this daemon: another one after each start
	Speaks   cib.Vocabulary // of commands, the newest that it knows

	State    func() cib.State            // the last that was agreed on
	Position func() Position             // of this node's copy of the log
	Voters   func() []string             // names of the members that have a vote in the log
	Ready    func() bool                 // takes orders; nil: always
	Left     func() bool                 // has left in order, and no leader has taken it back since; nil: never
	Send     func(to string, msg []byte) // to a member, by name; may lose it
	Sign     func(Sign)                  // somebody has told who leads the log; nil: nobody wants to know
	Changed  func(View)                  // there is news; the view is the caller's to keep
	Perform  func(Effect)                // what is to be done without a leader; nil: nothing is
	Memory   Memory                      // as it was kept; that of another boot is not looked at
	Remember func(Memory)                // keep it; nil: it is not kept
	Now      func() time.Time            // nil: time.Now
	Log      *slog.Logger                // nil: none
}

// Membership is one node's part in knowing who is there.
type Membership struct {
	cfg  Config
	wake chan struct{} // of capacity 1: something is in the queue
	keep chan Memory   // of capacity 1: to be remembered
	stop chan struct{}
	once sync.Once
	wg   sync.WaitGroup

	mu    sync.Mutex // guards what follows up to detector; all else belongs to the goroutine
	view  View
	queue []func()

	detector *detector
	memory   Memory
	kept     Memory   // as it was last to be remembered
	off      []string // ids of members that were confirmed to be off
	lone     *lone
	sent     time.Time     // when the last round of heartbeats went out
	apart    time.Duration // since when we have no quorum, as attended; 0: we have it
}

// New makes a membership that is not started yet.
func New(cfg Config) *Membership {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Ready == nil {
		cfg.Ready = func() bool { return true }
	}
	if cfg.Left == nil {
		cfg.Left = func() bool { return false }
	}
	m := &Membership{cfg: cfg, wake: make(chan struct{}, 1), keep: make(chan Memory, 1), stop: make(chan struct{}), lone: newLone()}
	if m.memory = cfg.Memory; m.memory.BootID != cfg.BootID {
		m.memory = Memory{BootID: cfg.BootID}
	}
	m.kept = m.memory
	m.detector = newDetector(identity{cfg.ID, cfg.Name, cfg.BootID, cfg.Run, cfg.Speaks}, cfg.Now())
	return m
}

// Start begins to send and to listen.
func (m *Membership) Start() {
	m.wg.Go(m.run)
	m.wg.Go(m.remember)
}

// Stop ends it. It is safe to call it more than once.
func (m *Membership) Stop() {
	m.once.Do(func() { close(m.stop) })
	m.wg.Wait()
}

// Receive takes a message that a member has sent; from is the name that the transport vouches for.
func (m *Membership) Receive(from string, msg []byte) {
	b, err := DecodeBeat(msg)
	if err != nil || b.Name != from {
		m.cfg.Log.Warn("a heartbeat that is none", "from", from, "err", err)
		return
	}
	m.put(maxWaiting, func() {
		answer, sign := m.detector.hear(b, m.cfg.Now())
		if sign != (Sign{}) && m.cfg.Sign != nil {
			m.cfg.Sign(sign)
		}
		if answer {
			m.heartbeat([]*peer{m.detector.peers[b.ID]})
		}
		if b.Leads && b.Generation == m.detector.position.Generation {
			m.memory.Seen, m.memory.Expected = true, b.Expected // it has counted for the cluster
		}
	})
}

// Poke says that something has changed: there is another leader, or another state.
func (m *Membership) Poke() { m.do(func() {}) }

// Confirm says that a member is known to be off: it need not be waited for.
func (m *Membership) Confirm(name string) {
	m.do(func() {
		for _, mm := range m.detector.members {
			if mm.Name == name && !slices.Contains(m.off, mm.ID) {
				m.off = append(m.off, mm.ID)
			}
		}
	})
}

// Fenced takes the outcome of a fencing that was asked for, and an operator's word.
func (m *Membership) Fenced(r cib.FenceRecord) {
	m.do(func() { m.lone.fenced(r, m.cfg.Now()) })
	if r.State == cib.FenceDone && r.Evidence == cib.ByOperator && r.Action != "on" {
		m.Confirm(r.Target)
	}
}

// Recovered takes the outcome of a Recover.
func (m *Membership) Recovered(err error) { m.do(func() { m.lone.recovered(err, m.cfg.Now()) }) }

// View is what this node sees.
func (m *Membership) View() View {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := m.view
	v.Seen = slices.Clone(v.Seen)
	return v
}

// Lease is this node's right to act.
func (m *Membership) Lease() Lease {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.view.Lease
}

// maxWaiting is how many heartbeats may wait to be looked at. Those beyond are dropped: newer ones will come.
const maxWaiting = 1024

// do has something done by the goroutine. It never waits, so that whoever is called by it may call it.
func (m *Membership) do(f func()) { m.put(0, f) }

func (m *Membership) put(limit int, f func()) {
	m.mu.Lock()
	if limit == 0 || len(m.queue) < limit {
		m.queue = append(m.queue, f)
	}
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Membership) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queue
	m.queue = nil
	return q
}

func (m *Membership) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-m.wake:
		case <-timer.C:
		}
		timer.Reset(m.Turn())
	}
}

// Turn is one round of what Start has a goroutine do: it takes what has come, judges, sends and tells the news. It
// returns when to come again at the latest, by this node's clock. It is for those who have no goroutines, and call it
// instead of Start.
func (m *Membership) Turn() time.Duration {
	m.begin()
	for q := m.take(); len(q) > 0; q = m.take() { // before anybody is judged
		for _, f := range q {
			f()
		}
	}
	return m.step()
}

// Kept is what is to be remembered since it was last asked for, if there is anything: Start has it kept by itself.
func (m *Membership) Kept() (Memory, bool) {
	select {
	case mem := <-m.keep:
		return mem, true
	default:
		return Memory{}, false
	}
}

// remember has the memory kept: that takes a disk, which may be slow.
func (m *Membership) remember() {
	for {
		select {
		case <-m.stop:
			return
		case mem := <-m.keep:
			m.cfg.Remember(mem)
		}
	}
}

// begin lets the time pass that has passed, and looks at what is agreed on now.
func (m *Membership) begin() {
	now := m.cfg.Now()
	m.detector.attend(now)
	s := m.cfg.State()
	m.detector.update(&s.Cluster, m.cfg.Position(), m.cfg.Ready())
}

// step judges, sends what is due and tells the news. It returns when to come again.
func (m *Membership) step() time.Duration {
	now, d := m.cfg.Now(), m.detector
	d.listen()
	state := m.cfg.State()
	q := Question{Options: state.Cluster.Quorum, Members: state.Cluster.Members, Off: m.off, Now: now}
	next := d.judge(func(ids []string) bool {
		q, mem := q, m.memory
		q.Heard = ids
		return Decide(q, &mem).Quorate
	})
	v := m.look(&state, now)
	if m.rejoined(v.Verdict.Quorate) {
		d.forgive()
		v = m.look(&state, now)
	}
	if v.Leads && m.view.Leads && v.Lease.Held(now) && !m.view.Lease.Held(m.view.At) {
		d.takeOver() // we have led without anybody's consent for a while
		next, v.Seen = d.timing.heartbeat, d.seen(now)
	}
	if due := d.timing.next(m.sent).Sub(now); due <= 0 || v.Open != m.view.Open || v.Leader != m.view.Leader {
		if m.sent = now; v.Open && !m.view.Open { // the next round, with answers to what comes now, follows soon
			m.sent = now.Add(-d.timing.heartbeat * 3 / 4)
			next = min(next, d.timing.heartbeat/4)
		}
		m.sendTo(d.targets(now), &v)
	} else {
		next = min(next, due)
	}
	for _, e := range m.lone.step(m.situation(&state, &v, now)) {
		if m.cfg.Perform != nil {
			m.cfg.Perform(e)
		}
	}
	v.Waiting = m.lone.waiting
	m.mu.Lock()
	news := v.differs(&m.view)
	m.view = v
	m.mu.Unlock()
	if news && m.cfg.Changed != nil {
		v.Seen = slices.Clone(v.Seen)
		m.cfg.Changed(v)
	}
	return max(next, time.Millisecond)
}

// rejoined reports whether we have quorum again after we had none for so long that others may have given us up. Then
// it was we who were cut off: that somebody was not heard meanwhile says nothing of them.
func (m *Membership) rejoined(quorate bool) bool {
	d := m.detector
	if !quorate {
		if m.apart == 0 {
			m.apart = max(d.attended, 1)
		}
		return false
	}
	long := m.apart > 0 && d.attended-m.apart >= d.timing.token
	m.apart = 0
	return long
}

// look is what is seen now.
func (m *Membership) look(s *cib.State, now time.Time) View {
	d := m.detector
	v := View{At: now, Leader: d.position.Leader, Leads: d.mode == leading, Open: d.mode == open, Seen: d.seen(now)}
	up := func(id string) bool {
		n := s.CIB.NodeState(id)
		return n != nil && n.InCCM == "true"
	}
	heard, doubt := d.present(up)
	doubt = append(doubt, d.beyond()...)
	q := Question{Options: s.Cluster.Quorum, Members: s.Cluster.Members, Heard: heard, Doubt: doubt, Off: m.off, Now: now}
	for _, n := range s.CIB.Status.Nodes {
		if n.InCCM == "true" {
			q.Before = append(q.Before, n.ID)
		}
	}
	if p := d.leader(); d.mode == following && p != nil { // it has counted for all
		v.Verdict = Verdict{Quorate: p.beat.Quorate, Why: "as the leader, " + p.name + ", has counted"}
	} else {
		v.Verdict = Decide(q, &m.memory)
	}
	v.Lease.Until = d.lease(now, func(heard []string) bool {
		q, mem := q, m.memory
		q.Heard, q.Doubt = heard, nil
		return Decide(q, &mem).Quorate
	})
	v.Lease.Ever = m.view.Lease.Ever || v.Lease.Held(now)
	if m.memory != m.kept {
		if m.kept = m.memory; m.cfg.Remember != nil {
			select { // only the newest counts
			case <-m.keep:
			default:
			}
			m.keep <- m.memory
		}
	}
	return v
}

// heartbeat answers at once.
func (m *Membership) heartbeat(to []*peer) { m.sendTo(to, &m.view) }

// situation is what a partition without a leader has to go by.
func (m *Membership) situation(s *cib.State, v *View, now time.Time) *Situation {
	d := m.detector
	near := Question{Options: s.Cluster.Quorum, Members: s.Cluster.Members, Heard: d.near(), Now: now}
	mem := m.memory
	out := &Situation{Now: now, Self: d.self.id, State: *s, Voters: m.cfg.Voters(), Leader: v.Leader, Open: v.Open, Quorate: v.Verdict.Quorate,
		Why: v.Verdict.Why, LeaseOver: !v.Lease.Held(now), Leased: v.Lease.Ever, Alone: v.Open && d.awake() && !Decide(near, &mem).Quorate, Settled: d.settled(), Left: m.cfg.Left(), Term: d.position.Term}
	for _, mm := range d.members {
		p := d.peers[mm.ID]
		switch {
		case mm.ID == d.self.id:
			out.Heard = append(out.Heard, Survivor{ID: mm.ID, Name: mm.Name, BootID: d.self.boot, Leader: d.position.Leader, Leads: v.Leads,
				LastTerm: d.position.LastTerm, LastIndex: d.position.LastIndex, Generation: d.position.Generation})
		case p != nil && p.ever && !p.lost && d.fresh(p):
			b := &p.beat
			out.Heard = append(out.Heard, Survivor{p.id, p.name, b.Boot, b.Leader, b.Leads, b.LastTerm, b.LastIndex, b.Generation})
		}
	}
	return out
}

func (m *Membership) sendTo(to []*peer, v *View) {
	if len(to) == 0 {
		return
	}
	now := m.cfg.Now()
	b := m.detector.beat(now, v.Verdict.Quorate, v.Leads && v.Verdict.Quorate && v.Lease.Held(now))
	b.Expected = m.memory.Expected
	if b.Leads {
		b.Lease = v.Lease.Until.Sub(now).Milliseconds()
	}
	for _, p := range to {
		mine := m.detector.to(b, p)
		m.cfg.Send(p.name, mine.Encode())
	}
}
