package daemon

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/membership"
	"github.com/cerco-ha/cerco/internal/store"
	"github.com/cerco-ha/cerco/internal/wire"
)

// makeMembers wires what knows who is there: heartbeats go over all links, what is heard goes to the controller,
// and what is to be done without a leader is done in lone.go.
func (d *Daemon) makeMembers() {
	id := ""
	for _, m := range d.clusterMembers() {
		if m.Name == d.node.Name {
			id = m.ID
		}
	}
	d.lone = &lone{d: d}
	d.away.Store(d.hasLeft())
	d.members = membership.New(membership.Config{
		ID: id, Name: d.node.Name, BootID: d.cfg.BootID, Run: d.run, Speaks: d.cfg.Speaks,
		State: d.store.View, Position: d.position, Voters: d.voters, Ready: d.ready, Left: d.away.Load,
		Send: func(to string, msg []byte) { d.peer.Send(to, serviceBeat, msg) },
		Sign: func(s membership.Sign) {
			d.store.Heard(store.Contact{Node: s.From, Term: s.Term, Leads: s.Leads, Follows: s.Follows, Since: s.Since})
		},
		Changed: d.viewChanged, Perform: d.lone.perform, Memory: d.readMemory(), Remember: d.remember, Now: d.cfg.Now, Log: d.log,
	})
	d.peer.HandleSend(serviceBeat, func(from string, _ int, msg []byte) { d.members.Receive(from, msg) })
}

// position is where this node's copy of the log is.
func (d *Daemon) position() membership.Position {
	var p membership.Position
	p.Leader, p.Term = d.store.Leader()
	p.LastTerm, p.LastIndex = d.store.Last()
	p.Generation = d.store.ID().Generation
	return p
}

// voters are the names of the members that have a vote in the log.
func (d *Daemon) voters() []string {
	var names []string
	for _, v := range d.store.Voters() {
		if v.Votes {
			names = append(names, v.Name)
		}
	}
	return names
}

// ready reports whether this node takes orders.
func (d *Daemon) ready() bool {
	select {
	case <-d.ended:
		return false
	case <-d.ctx.Done():
		return false
	default:
		return d.up.Load() && !d.left.Load()
	}
}

// What the counting of votes must remember over a restart of the daemon.

func (d *Daemon) memoryFile() string { return filepath.Join(d.cfg.Layout.Data, "quorum.json") }

func (d *Daemon) readMemory() membership.Memory {
	var m membership.Memory
	data, err := os.ReadFile(d.memoryFile())
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil && !os.IsNotExist(err) {
		d.log.Warn("what the counting of votes remembered is lost: it waits for all members as after a boot", "error", err)
		return membership.Memory{}
	}
	return m
}

func (d *Daemon) remember(m membership.Memory) {
	data, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(d.memoryFile()+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(d.memoryFile()+".new", d.memoryFile())
	}
	if err != nil {
		d.log.Warn("what the counting of votes must remember could not be written", "error", err)
	}
}

// viewChanged is told whenever somebody comes or goes.
func (d *Daemon) viewChanged(membership.View) {
	d.membersChanged()
	d.leaveAlone()
}

// membersChanged tells the controller who is there, and asks whoever has not opened its ledger in this office for it.
func (d *Daemon) membersChanged() {
	o := d.leading()
	if o == nil {
		return
	}
	v := d.members.View()
	if !v.Leads {
		return
	}
	now := controller.Members{Quorate: v.Verdict.Quorate, Why: v.Verdict.Why}
	for _, s := range v.Seen {
		now.Heard = append(now.Heard, controller.Heard{ID: s.ID, Name: s.Name, BootID: s.BootID, Run: s.Run, Lost: s.Lost, LastHeard: s.LastHeard, Ready: s.Ready})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	ask, tell := o.duty.Members(now, d.store.View(), d.cfg.Now())
	for _, node := range ask {
		d.aside(func() { d.askLedger(o, node) })
	}
	if tell != nil {
		d.loop.put(*tell)
	}
}

// askLedger has a member open its ledger. Whoever does not is asked again.
func (d *Daemon) askLedger(o *office, node string) {
	ledger, err := d.openLedger(o, node)
	if err == nil {
		d.loop.put(ledger)
	} else {
		if o.ctx.Err() == nil {
			d.log.Warn("a node does not open its ledger: it is asked again, and gets no orders before", "peer", node, "error", err)
		}
		select {
		case <-time.After(ledgerPatience / 10):
		case <-o.ctx.Done(): // nobody is asked for this office any more
			return
		}
	}
	o.mu.Lock()
	o.duty.Asked(node, err == nil)
	o.mu.Unlock()
	d.membersChanged()
}

// heard is the last sign of life of a node.
func (d *Daemon) heard(node string) (fencer.Heard, bool) {
	for _, s := range d.members.View().Seen {
		if s.Name == node && !s.LastHeard.IsZero() {
			return fencer.Heard{At: s.LastHeard, BootID: s.BootID}, true
		}
	}
	return fencer.Heard{}, false
}

// reachable reports whether a node is heard just now.
func (d *Daemon) reachable(node string) bool {
	for _, s := range d.members.View().Seen {
		if s.Name == node {
			return !s.Lost
		}
	}
	return false
}

// mayAct reports whether this node's lease holds.
func (d *Daemon) mayAct() bool { return d.members.Lease().Held(d.cfg.Now()) }

// seen is how the members are heard, for people.
func (d *Daemon) seenMembers() []wire.Seen {
	var out []wire.Seen
	for _, s := range d.members.View().Seen {
		out = append(out, wire.Seen{Name: s.Name, ID: s.ID, Heard: !s.Lost, LastHeard: s.LastHeard, Ready: s.Ready, Speaks: s.Speaks})
	}
	return out
}
