package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// A node leaves in order when the cluster tells it to: everything has been moved away by then. Leaving is written
// down, with the boot it was in, so that the daemon which is started next knows that nothing it finds of that boot
// in the state still holds: with all nodes stopped at once, the last ones leave when nobody can write it down for
// them any more.

func (d *Daemon) leftFile() string { return filepath.Join(d.cfg.Layout.Data, "left") }

// leave ends this node's part for good.
func (d *Daemon) leave() {
	d.leaves.Do(func() {
		if err := os.WriteFile(d.leftFile(), []byte(d.cfg.BootID+"\n"), 0o600); err != nil {
			d.log.Warn("it could not be written down that this node has left", "error", err)
		}
		close(d.ended)
	})
}

// leaveAlone lets the last nodes of a cluster that is being stopped go: they were asked to, nothing runs here, and
// without the others there is nobody left to say so.
func (d *Daemon) leaveAlone() {
	if d.members.View().Leader != "" {
		d.led.Store(d.up.Load())
		return
	}
	if !d.led.Load() || !d.askedToStop() || len(d.executor.Active()) > 0 {
		return
	}
	d.log.Info("the other nodes have left, and nothing runs here: this daemon ends, too")
	d.leave()
}

// askedToStop reports whether the state asks this node to stop.
func (d *Daemon) askedToStop() bool {
	st := d.store.View()
	m := st.Cluster.Member(d.node.Name)
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

// comeBack tells the cluster, before this node takes orders, that it left in order and that nothing runs here.
func (d *Daemon) comeBack() {
	defer d.members.Poke()
	defer d.up.Store(true)
	data, err := os.ReadFile(d.leftFile())
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			d.log.Warn("it cannot be read whether this node has left", "error", err)
		}
		return
	}
	for strings.TrimSpace(string(data)) == d.cfg.BootID && d.askedToStop() {
		m := d.store.View().Cluster.Member(d.node.Name)
		ctx, cancel := context.WithTimeout(d.ctx, 10*time.Second)
		_, err := d.Propose(ctx, cib.Command{By: d.node.Name, Note: d.node.Name + " had left in order: nothing runs there",
			Nodes: []cib.NodeUpdate{{ID: m.ID, Name: m.Name, InCCM: "false", Crmd: "offline", Join: "down", Expected: "down", Erase: true}}})
		cancel()
		if err == nil {
			break
		}
		if d.ctx.Err() != nil {
			return
		}
	}
	if err := os.Remove(d.leftFile()); err != nil {
		d.log.Warn("the note that this node has left could not be removed", "error", err)
	}
}
