package daemon

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/peer"
)

// service answers a call of another node, or of this one.
type service func(ctx context.Context, from string, req []byte) ([]byte, error)

func (d *Daemon) services() map[string]service {
	return map[string]service{
		serviceOp:      d.serveOp,
		serviceOps:     d.serveOps,
		serviceLedger:  d.serveLedger,
		serviceResult:  d.serveResult,
		servicePropose: d.servePropose,
		serviceFresh:   d.serveFresh,
		serviceAdmit:   d.serveAdmit,
		serviceCluster: d.serveCluster,
		serviceFence:   d.serveFence,
		serviceConfirm: d.serveConfirm,
		serviceCount:   d.serveCount,
		serviceRest:    d.serveRest,
		serviceHistory: d.serveHistory,
		serviceUpgrade: d.serveUpgrade,
		serviceRotate:  d.serveRotate,
		serviceCA:      d.serveCA,
		serviceGuests:  d.servePassed,
		serviceReport:  d.serveReport,
		fencer.Service: d.fencer.Serve,
	}
}

// peers are the members, for the transport: those of the state, or of the last one that was written down.
func (d *Daemon) peers() []peer.Node {
	var out []peer.Node
	for _, m := range d.clusterMembers() {
		out = append(out, peer.Node{Name: m.Name, Addrs: m.Addrs, KeyHash: m.Key})
	}
	return out
}

// team is who belongs to the cluster, as of a state.
type team struct {
	generation, index uint64
	members           []cib.Member
}

// older reports whether a state is at least as new, and this node in it.
func (t *team) older(s cib.State, me string) bool {
	return s.Cluster.Member(me) != nil && (t.generation < s.Cluster.Generation || t.generation == s.Cluster.Generation && t.index <= s.Index)
}

// clusterMembers are the members as of the newest state that this node has ever seen. What the store shows while it
// catches up is older: whoever believed it would refuse those who joined since, and among them maybe the leader.
func (d *Daemon) clusterMembers() []cib.Member {
	t := d.team.Load()
	if opened := d.opened.Load(); opened != nil {
		if s := opened.View(); t.older(s, d.node.Name) {
			return s.Cluster.Members
		}
	}
	return t.members
}

// leaderName is the node that leads, "" when none does or nobody knows yet.
func (d *Daemon) leaderName() string {
	opened := d.opened.Load()
	if opened == nil {
		return ""
	}
	name, _ := opened.Leader()
	return name
}

// invited reports whether a key is one of an open invitation.
func (d *Daemon) invited(key string) bool {
	return slices.ContainsFunc(d.store.View().Cluster.Invites, func(i cib.Invite) bool {
		return i.Key == key && d.cfg.Now().Before(i.Expires)
	})
}

// changed is called by the store with every new state, in order.
func (d *Daemon) changed(st cib.State, c cib.Command) {
	before := d.seen
	d.seen = st
	d.arrivals.reach(st.Index)
	d.told.beyond(st.Cluster.Generation, st.Index)
	if before.CIB != nil {
		news := events.Derive(before, st, c)
		d.journal.Add(news...)
		d.alerts.Tell(st.CIB, news...)
	}
	if !slices.EqualFunc(before.Cluster.Members, st.Cluster.Members, sameMember) {
		d.rememberMembers(st)
		d.peer.Refresh()
	}
	d.mindIdentity(st)
	d.members.Poke()
	d.loop.applied(st, c)
	if c.Config != nil || before.CIB == nil {
		d.executor.SetLimit(nodeActionLimit(st.CIB, d.cfg.Now()))
	}
	if c.Config != nil {
		d.aside(func() { d.fencer.Warm(d.ctx) })
		d.guests.look()
	}
}

// nodeActionLimit is how many operations a node may have going on at one time; 0: as it sees fit.
func nodeActionLimit(in *cib.CIB, now time.Time) int {
	props, _ := cib.Evaluate(in.Properties, &cib.RuleInput{Now: now}, "cib-bootstrap-options")
	if props["node-action-limit"] == "INFINITY" {
		return cib.Infinity
	}
	n, err := strconv.Atoi(props["node-action-limit"])
	if err != nil {
		return 0 // not set
	}
	return n
}

func sameMember(a, b cib.Member) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Key == b.Key && a.API == b.API && a.Votes == b.Votes && slices.Equal(a.Addrs, b.Addrs)
}

// rememberMembers writes down who the others are: after a restart this node must find them.
func (d *Daemon) rememberMembers(s cib.State) {
	if !d.team.Load().older(s, d.node.Name) {
		return
	}
	d.team.Store(&team{s.Cluster.Generation, s.Index, s.Cluster.Members})
	n := *d.node
	n.Members, n.Found, n.Generation, n.Index = s.Cluster.Members, nil, s.Cluster.Generation, s.Index
	if err := d.cfg.Layout.writeNode(&n); err != nil {
		d.log.Error("the members of the cluster could not be written down", "error", err)
	}
}

func (d *Daemon) linkChanged(l peer.LinkStatus) {
	e := events.Event{At: d.cfg.Now(), Kind: events.KindLink, Node: l.Peer, Text: fmt.Sprintf("ring%d to %s is up", l.Ring, l.Peer)}
	if !l.Up {
		e.Bad, e.Text = true, fmt.Sprintf("ring%d to %s is down: %s", l.Ring, l.Peer, l.Error)
		if l.Idle {
			return
		}
	}
	d.journal.Add(e)
}

// What the fencer needs of the rest.

func (d *Daemon) remoteFencer(ctx context.Context, node string, req []byte) ([]byte, error) {
	return d.call(ctx, node, fencer.Service, req)
}

// askPeople tells that a fencing waits for somebody.
func (d *Daemon) askPeople(ctx context.Context, q fencer.Question) error {
	d.journal.Add(events.Event{At: d.cfg.Now(), Kind: events.KindNote, Node: q.Target, Bad: true,
		Text: fmt.Sprintf("an operator must see that %s is off, and say so: cerco stonith confirm %s", q.Target, q.Target)})
	if d.cfg.Ask == nil {
		return nil
	}
	return d.cfg.Ask(ctx, q)
}

// admitFencing refuses to fence for a leader of the past.
func (d *Daemon) admitFencing(e cib.Epoch) error {
	if e != (cib.Epoch{}) && e.Term < d.executor.Epoch().Term {
		return fmt.Errorf("a fencing of term %d, and term %d has begun", e.Term, d.executor.Epoch().Term)
	}
	return nil
}
