package fencer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// nodes are the names of all nodes that have a fencer: the members of the cluster.
func (f *Fencer) nodes() []string {
	s := f.cfg.State()
	var out []string
	for _, m := range s.Cluster.Members {
		if !m.Witness {
			out = append(out, m.Name)
		}
	}
	if len(out) == 0 {
		for _, n := range s.CIB.Nodes {
			if n.Kind == cib.NodeMember {
				out = append(out, n.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (f *Fencer) reachable(node string) bool {
	if strings.EqualFold(node, f.cfg.Node) {
		return true
	}
	if f.cfg.Remote == nil {
		return false
	}
	if f.cfg.Reachable != nil {
		return f.cfg.Reachable(node)
	}
	c := f.cfg.State().CIB
	n := c.NodeByName(node)
	if n == nil {
		return false
	}
	s := c.NodeState(n.ID)
	if s == nil {
		return false
	}
	in := s.InCCM != "" && s.InCCM != "false" && s.InCCM != "0"
	return in && s.Crmd != "" && s.Crmd != "offline" && s.Crmd != "0"
}

// runners are the nodes that may use the device against the target, in the order in which they are asked: we
// ourselves (nothing can get lost on the way), then where its resource runs, then the others. Nodes where it
// has failed come after these, the target itself is the last. why says why the others may not.
func (f *Fencer) runners(d *Device, target string) (nodes, why []string) {
	c := f.cfg.State().CIB
	rank := make(map[string]int)
	for _, n := range f.nodes() {
		seen := *d
		if !strings.EqualFold(n, f.cfg.Node) {
			all := devices(c, n, f.cfg.Now())
			if i := slices.IndexFunc(all, func(o Device) bool { return o.ID == d.ID }); i >= 0 {
				seen = all[i]
			}
		}
		runs, bad := operated(c, n, d.ID)
		switch {
		case seen.Unusable != "":
			why = append(why, seen.Unusable)
			continue
		case !f.reachable(n):
			if !strings.EqualFold(n, target) {
				why = append(why, n+" cannot be reached")
			}
			continue
		case strings.EqualFold(n, target):
			rank[n] = 4
		case bad:
			rank[n] = 3
		case strings.EqualFold(n, f.cfg.Node):
			rank[n] = 0
		case runs:
			rank[n] = 1
		default:
			rank[n] = 2
		}
		nodes = append(nodes, n)
	}
	slices.SortStableFunc(nodes, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	return nodes, slices.Compact(why)
}

// operated reports whether the device's resource runs on the node, or is known not to work there.
func operated(c *cib.CIB, node, device string) (runs, bad bool) {
	n := c.NodeByName(node)
	if n == nil {
		return false, false
	}
	s := c.NodeState(n.ID)
	if s == nil {
		return false, false
	}
	h := s.History(device)
	if h == nil {
		return false, false
	}
	newest := -1
	for _, op := range h.Ops {
		if op.CallID < newest || op.Status == cib.OpPending || op.Status == cib.OpCancelled {
			continue
		}
		newest = op.CallID
		switch {
		case op.Operation == "stop":
			runs, bad = false, false
		case op.Operation == "monitor" && op.IntervalMS == 0:
			runs, bad = op.RC == cib.RCOk, false
		case op.Operation == "start" || op.Operation == "monitor":
			runs = op.RC == cib.RCOk && op.Status <= cib.OpDone
			bad = !runs
		}
	}
	return runs, bad
}

// onTarget reports whether the device's "on" must run on the target.
func (f *Fencer) onTarget(ctx context.Context, d *Device) bool {
	meta, err := f.metadata(ctx, d.Agent)
	if err != nil {
		return false
	}
	a := meta.Action("on")
	return a != nil && a.OnTarget
}

func (f *Fencer) heard(node string) (Heard, bool) {
	if f.cfg.Heard == nil {
		return Heard{}, false
	}
	return f.cfg.Heard(node)
}

func (f *Fencer) timing() cib.Timing {
	t := f.cfg.State().Cluster.Timing
	def := cib.DefaultTiming
	if t.HeartbeatMS > 0 {
		def.HeartbeatMS = t.HeartbeatMS
	}
	if t.LeaseMS > 0 {
		def.LeaseMS = t.LeaseMS
	}
	if t.TokenMS > 0 {
		def.TokenMS = t.TokenMS
	}
	return def
}

func (f *Fencer) token() time.Duration { return time.Duration(f.timing().TokenMS) * time.Millisecond }

// gainsay asks the target itself, as it were: a node whose power was cut and that goes on sending signs of life
// under the same boot id was not cut off, whatever the device says. It costs three heartbeats, and only
// where the target was alive until now.
func (j *job) gainsay(ctx context.Context, l level, out outcome) outcome {
	f, t := j.f, j.fl.req.Target
	if !out.power || j.fl.record.Evidence == cib.ByWatchdog {
		return out
	}
	before, ok := f.heard(t)
	end := f.cfg.Now()
	if !ok || end.Sub(before.At) > f.token() {
		return out
	}
	beat := time.Duration(f.timing().HeartbeatMS) * time.Millisecond
	f.say(j.fl, "listens whether %s is still alive", t)
	if sleep(ctx, 3*beat) != nil {
		return outcome{problem: withdrawn(ctx)}
	}
	after, ok := f.heard(t)
	if !ok || after.BootID != before.BootID || after.At.Sub(end) <= beat {
		return out
	}
	return outcome{problem: where(l, fmt.Sprintf("%s said that it has cut %s off, but %s is alive under the same boot id: "+
		"it may have cut off another one; look at pcmk_host_map, port and plug",
		strings.Join(j.fl.record.Devices, " and "), t, t))}
}
