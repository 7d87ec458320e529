package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/wire"
)

// version is that of the program, as the tool that built it knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Self is what this node knows of itself and of who decides.
func (d *Daemon) Self() wire.Node {
	st := d.store.View()
	n := wire.Node{Name: d.node.Name, Cluster: d.node.Cluster, Index: st.Index, Generation: st.Cluster.Generation, BootID: d.cfg.BootID, Version: version()}
	if m := st.Cluster.Member(d.node.Name); m != nil {
		n.ID = m.ID
	}
	n.Leader, n.Term = d.store.Leader()
	v := d.members.View().Verdict
	n.Quorate, n.Why = v.Quorate, v.Why
	return n
}

// countPatience is how long the leader may take to say how it has counted.
const countPatience = 500 * time.Millisecond

// Cluster is who belongs to it, how each is heard and how votes count: as the leader has it, and where none answers,
// as it looks from here.
func (d *Daemon) Cluster(ctx context.Context) (wire.Cluster, error) {
	count := d.counted()
	if leader := d.members.View().Leader; leader != "" && leader != d.node.Name {
		ctx, cancel := context.WithTimeout(ctx, countPatience)
		defer cancel()
		if theirs, err := ask[wire.Counted](ctx, d, serviceCount, nil); err == nil {
			count = theirs
		}
	}
	c := wire.Cluster{Cluster: d.store.View().Cluster, Seen: count.Seen, Quorum: count.Quorum}
	c.Invites = nil // nobody needs to see them
	c.Voters = d.voters()
	for _, l := range d.peer.Links() {
		c.Links = append(c.Links, wire.Link{Peer: l.Peer, Ring: l.Ring, Local: l.Local, Remote: l.Remote, Up: l.Up,
			RTTMS: float64(l.RTT.Microseconds()) / 1000, Since: l.Since, Error: l.Error})
	}
	return c, nil
}

// counted is whom this node hears, and what that is worth in votes.
func (d *Daemon) counted() wire.Counted {
	v := d.members.View().Verdict
	return wire.Counted{Seen: d.seenMembers(), Quorum: wire.Quorum{Quorate: v.Quorate, Why: v.Why, Votes: v.Votes, Expected: v.Expected, Needed: v.Needed}}
}

// serveCount tells another node how the votes count.
func (d *Daemon) serveCount(context.Context, string, []byte) ([]byte, error) {
	if d.inOffice() == nil {
		return nil, errElsewhere
	}
	return json.Marshal(d.counted())
}

// Devices lists the fence devices, or those that can reach a target.
func (d *Daemon) Devices(ctx context.Context, target string) ([]wire.Device, error) {
	var out []wire.Device
	if target == "" {
		for _, i := range d.fencer.Devices(ctx) {
			out = append(out, wire.Device{ID: i.ID, Agent: i.Agent})
		}
		return out, nil
	}
	for _, c := range d.fencer.CanFence(ctx, target) {
		if c.OK {
			out = append(out, wire.Device{ID: c.Device, Level: c.Level, Nodes: []string{d.node.Name}})
		}
	}
	return out, nil
}

// debugTopics are what Debug tells of.
func (d *Daemon) debugTopics() map[string]func() (any, error) {
	return map[string]func() (any, error){
		"controller": func() (any, error) { s, _, _ := d.loop.look(); return s, nil },
		"links":      func() (any, error) { return d.peer.Links(), nil },
		"fencing":    func() (any, error) { return d.fencer.Waiting(), nil },
		"ledger":     func() (any, error) { return d.executor.Ledger(d.executor.Epoch()) },
		"members":    func() (any, error) { return d.members.View(), nil },
		"store": func() (any, error) {
			term, index := d.store.Last()
			leader, now := d.store.Leader()
			return map[string]any{"log": d.store.ID().String(), "last_term": term, "last_index": index, "leader": leader, "term": now,
				"disk": fmt.Sprint(d.store.DiskError())}, nil
		},
	}
}

// Debug tells of the inside.
func (d *Daemon) Debug(_ context.Context, what string) (any, error) {
	topics := d.debugTopics()
	if what == "" {
		var names []string
		for name := range topics {
			names = append(names, name)
		}
		slices.Sort(names)
		return names, nil
	}
	f := topics[what]
	if f == nil {
		return nil, fmt.Errorf("%w: no topic %q", api.ErrNotFound, what)
	}
	v, err := f()
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	return v, nil
}
