package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/store"
)

// A node leaves in order when the cluster tells it to: everything has been moved away by then. Leaving is written
// down, with the boot it was in, so that the daemon which is started next knows that nothing it finds of that boot
// in the state still holds: with all nodes stopped at once, the last ones leave when nobody can write it down for
// them any more.

func (d *Daemon) leftFile() string { return filepath.Join(d.cfg.Layout.Data, "left") }

// votePatience is how long a node that leaves waits for its vote to be taken. Then it goes anyway, as a lost one would.
const votePatience = 3 * time.Second

// leave ends this node's part for good. It takes no orders from now on, which tells the leader that it has left.
func (d *Daemon) leave() {
	d.leaves.Do(func() {
		if err := os.WriteFile(d.leftFile(), []byte(d.cfg.BootID+"\n"), 0o600); err != nil {
			d.log.Warn("it could not be written down that this node has left", "error", err)
		}
		d.left.Store(true)
		d.members.Poke()
		d.aside(func() {
			d.awaitVoteless()
			close(d.ended)
		})
	})
}

// awaitVoteless waits until this node has no vote on the log any more, where those that stay could not decide without
// it: of two nodes, the one that stays would have to fence the other to be sure. That the vote is gone is on this
// node's own disk then, so that it will not take itself for one of two when it is started and nobody is there.
func (d *Daemon) awaitVoteless() {
	ctx, cancel := context.WithTimeout(d.ctx, votePatience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for slices.Contains(d.voters(), d.node.Name) && d.needless() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			d.log.Warn("this node leaves with its vote on the log: the others may have to prove that it is off")
			return
		}
	}
}

// needless reports whether the log is to go on without the vote of this node, which leaves: somebody else stays.
func (d *Daemon) needless() bool {
	st := d.store.View()
	off := append(store.Down(st), d.node.Name)
	for _, m := range st.Cluster.Members {
		if d.askedToStop(st, m.Name) {
			off = append(off, m.Name)
		}
	}
	m := st.Cluster.Member(d.node.Name)
	return m != nil && !slices.Contains(store.VoterPlan(st.Cluster, off), m.ID)
}

// leaveAlone lets the last nodes of a cluster that is being stopped go: they were asked to, nothing runs here, and
// without the others there is nobody left to say so.
func (d *Daemon) leaveAlone() {
	if d.members.View().Leader != "" {
		d.led.Store(d.up.Load())
		return
	}
	if !d.led.Load() || !d.askedToStop(d.store.View(), d.node.Name) || len(d.executor.Active()) > 0 {
		return
	}
	d.log.Info("the other nodes have left, and nothing runs here: this daemon ends, too")
	d.leave()
}

// askedToStop reports whether a state asks a node to stop.
func (d *Daemon) askedToStop(st cib.State, name string) bool {
	m := st.Cluster.Member(name)
	if m == nil {
		return false
	}
	n := st.CIB.NodeState(m.ID)
	if n == nil {
		return false
	}
	v, _ := cib.Value(n.Attrs, &cib.RuleInput{Now: d.cfg.Now()}, "shutdown")
	return v != "" && v != "0"
}

// hasLeft reports whether this node left in order since its host has booted.
func (d *Daemon) hasLeft() bool {
	data, err := os.ReadFile(d.leftFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.log.Warn("it cannot be read whether this node has left", "error", err)
	}
	return strings.TrimSpace(string(data)) == d.cfg.BootID
}

// comeBack tells the cluster, before this node takes orders, that it left in order and that nothing runs here. Until a
// leader knows, this node decides nothing alone: the others have gone on without it.
func (d *Daemon) comeBack() {
	defer d.members.Poke()
	defer d.up.Store(true)
	for d.away.Load() {
		if err := d.tellBack(); err == nil {
			break
		}
		select {
		case <-time.After(leaderPatience):
		case <-d.ctx.Done():
			return
		}
	}
	d.away.Store(false)
	if err := os.Remove(d.leftFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.log.Warn("the note that this node has left could not be removed", "error", err)
	}
}

// tellBack tells a leader that nothing runs here, if the state still asks this node to stop.
func (d *Daemon) tellBack() error {
	st := d.store.View()
	m := st.Cluster.Member(d.node.Name)
	switch {
	case d.members.View().Leader == "":
		return errElsewhere
	case m == nil || !d.askedToStop(st, d.node.Name):
		return nil
	}
	ctx, cancel := context.WithTimeout(d.ctx, 10*time.Second)
	defer cancel()
	_, err := d.Propose(ctx, cib.Command{By: d.node.Name, Note: d.node.Name + " had left in order: nothing runs there",
		Nodes: []cib.NodeUpdate{{ID: m.ID, Name: m.Name, InCCM: "false", Crmd: "offline", Join: "down", Expected: "down", Erase: true}}})
	return err
}
