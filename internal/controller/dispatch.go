package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// slack is what an operation gets beyond its own time-out when its graph says nothing.
const slack = time.Minute

// resend is after how long an order that may be lost is given again. Nodes do an operation at most once.
const resend = time.Second

// newFlight is an operation in flight that began now, as far as is known.
func (c *Controller) newFlight(op cib.Operation) *flight {
	delay := slack
	if c.plan != nil {
		delay = c.plan.delay
	} else if c.opts.clusterDelay > 0 {
		delay = c.opts.clusterDelay
	}
	f := &flight{op: op, since: c.now, patience: time.Duration(op.TimeoutMS+op.StartDelayMS)*time.Millisecond + delay}
	f.deadline = c.now.Add(f.patience)
	return f
}

// dispatch orders an operation. One that is in flight already, for an earlier plan, is waited for instead.
func (c *Controller) dispatch(a *transition.Action) {
	op := c.operation(a)
	for _, f := range c.plan.carried {
		if !f.landed && f.adopted == 0 && sameOrder(&f.op, &op) {
			f.adopted = a.ID
			return
		}
	}
	f := c.newFlight(op)
	c.flights.add(f)
	c.do(Dispatch{Op: f.op})
}

// sameOrder reports whether two plans order the same.
func sameOrder(a, b *cib.Operation) bool {
	return a.Node == b.Node && a.Target == b.Target && a.Resource == b.Resource && a.Name == b.Name && a.Name != "notify" &&
		a.IntervalMS == b.IntervalMS && a.CancelTask == b.CancelTask && a.TargetRC == b.TargetRC && digest(a) == digest(b)
}

// nodeOf is the node that carries an action out: for remote and guest nodes the one that is connected to them.
func nodeOf(a *transition.Action) string {
	if a.Router != "" {
		return a.Router
	}
	return a.Node
}

// operation is what a node is told to do for an action of the plan.
func (c *Controller) operation(a *transition.Action) cib.Operation {
	return makeOperation(a, c.plan.epoch, c.plan.graph, c.state.Cluster)
}

func makeOperation(a *transition.Action, epoch cib.Epoch, g *transition.Graph, cluster cib.Cluster) cib.Operation {
	op := cib.Operation{
		Epoch: epoch, Action: a.ID, Node: nodeOf(a), Name: a.Task, IntervalMS: a.Interval(),
		TimeoutMS: number(a.Attr("CRM_meta_timeout")), StartDelayMS: number(a.Attr("CRM_meta_start_delay")),
		TargetRC: int(number(a.Attr("CRM_meta_op_target_rc"))), OnFail: a.Attr("CRM_meta_on_fail"), Attrs: a.Attrs,
		ShutdownLock: a.ShutdownLock,
	}
	if op.Node != a.Node {
		op.Target = a.Node
	}
	if r := a.Rsc; r != nil {
		op.Resource, op.LongID, op.Class, op.Provider, op.Type = r.ID, r.LongID, r.Class, r.Provider, r.Type
	}
	if a.Task == "cancel" {
		op.CancelTask = a.Attr("CRM_meta_operation")
		if ms := number(a.Attr("CRM_meta_interval")); ms > 0 {
			op.IntervalMS = ms
		}
	}
	if g.FeatureSet != "" && a.Attr("crm_feature_set") == "" {
		op.Attrs = withAttr(a.Attrs, "crm_feature_set", g.FeatureSet)
	}
	op.Key = fmt.Sprintf("%d:%d:%d:%s", a.ID, g.ID, op.TargetRC, plannerID(cluster, epoch.Term))
	return op
}

// withAttr returns a copy of a list, which is sorted by name, with one more attribute.
func withAttr(list []cib.Attr, name, value string) []cib.Attr {
	out := make([]cib.Attr, 0, len(list)+1)
	added := false
	for _, a := range list {
		if !added && a.Name > name {
			out, added = append(out, cib.Attr{Name: name, Value: value}), true
		}
		out = append(out, a)
	}
	if !added {
		out = append(out, cib.Attr{Name: name, Value: value})
	}
	return out
}

// plannerID tells the leaders of a cluster apart in transition keys. It has the shape of a UUID, as tools
// expect, and derives from what leaders differ in.
func plannerID(cluster cib.Cluster, term uint64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%d", cluster.Name, cluster.Generation, term))
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// tellToStop has a node's daemon stop, now that everything there has ended.
func (c *Controller) tellToStop(a *transition.Action) {
	f := c.newFlight(c.operation(a))
	f.noWait = true
	c.dropFlights(func(old *flight) bool { return old.noWait && old.op.Node == a.Node })
	c.flights.add(f)
	c.do(Dispatch{Op: f.op})
}

// undelivered notes that an order may not have arrived. It is given again until a result comes, the node is
// lost or the time is up: whether it was carried out is never guessed.
func (c *Controller) undelivered(ev Undelivered) {
	if ev.Refused {
		if f := c.takeFlight(&ev.Op); f != nil {
			if id := c.actionOf(f); id != 0 {
				c.finish(id, false)
			}
			c.abort("refused by "+f.op.Node+", which knows of a later plan: "+f.words(), false)
		}
		return
	}
	if f := c.flights.find(&ev.Op); f != nil {
		f.err = ev.Err
		c.flights.resendAt(f, c.now.Add(resend))
	}
}

// actionOf is the action of the plan under way that an operation in flight carries out; 0 if there is none.
func (c *Controller) actionOf(f *flight) int {
	switch {
	case f == nil || c.plan == nil:
		return 0
	case f.op.Epoch == c.plan.epoch:
		return f.op.Action
	}
	return f.adopted
}

// takeFlight removes the operation that a result belongs to, and returns it; nil if it is not in flight.
func (c *Controller) takeFlight(op *cib.Operation) *flight {
	f := c.flights.find(op)
	if f == nil || f.noWait {
		return nil
	}
	c.flights.land(f)
	return f
}

// dropFlights gives up operations in flight, and returns how many.
func (c *Controller) dropFlights(which func(*flight) bool) int {
	var gone []*flight
	for f := range c.flights.all() {
		if which(f) {
			gone = append(gone, f)
		}
	}
	for _, f := range gone {
		c.flights.land(f)
	}
	return len(gone)
}
