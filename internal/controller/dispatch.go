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

// flight is an operation that a node was told to do and of which no result is known.
type flight struct {
	op       cib.Operation
	since    time.Time
	patience time.Duration // its own time-out, and the time for messages
	deadline time.Time     // then it counts as timed out
	again    time.Time     // when to send the order again, since it may not have arrived; zero: it has
	err      string        // why it may not have arrived
	noWait   bool          // it has no result
	adopted  int           // the action of the plan under way that it does as well, though an earlier plan ordered it; 0: none
}

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

// progress notes that a node has done something: what it was told to do later has waited for its turn until now.
func (c *Controller) progress(node string) {
	for _, f := range c.flights {
		if f.op.Node == node && !f.noWait {
			f.deadline = c.now.Add(f.patience)
		}
	}
}

// dispatch orders an operation. One that is in flight already, for an earlier plan, is waited for instead.
func (c *Controller) dispatch(a *transition.Action) {
	op := c.operation(a)
	for _, f := range c.flights {
		if f.op.Epoch != op.Epoch && !f.noWait && f.adopted == 0 && f.op.Node == op.Node && f.op.Target == op.Target && f.op.Resource == op.Resource &&
			f.op.Name == op.Name && f.op.IntervalMS == op.IntervalMS && f.op.CancelTask == op.CancelTask && f.op.TargetRC == op.TargetRC && op.Name != "notify" && digest(&f.op) == digest(&op) {
			f.adopted = a.ID
			return
		}
	}
	f := c.newFlight(op)
	c.flights = append(c.flights, f)
	c.do(Dispatch{Op: f.op})
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
	c.flights = append(c.flights, f)
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
	for _, f := range c.flights {
		if f.op.Epoch == ev.Op.Epoch && f.op.Action == ev.Op.Action && f.op.Node == ev.Op.Node {
			f.err, f.again = ev.Err, c.now.Add(resend)
		}
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
	for i, f := range c.flights {
		if f.op.Epoch == op.Epoch && f.op.Action == op.Action && f.op.Node == op.Node && !f.noWait {
			c.flights = append(c.flights[:i:i], c.flights[i+1:]...)
			return f
		}
	}
	return nil
}

// dropFlights gives up operations in flight, and returns how many.
func (c *Controller) dropFlights(which func(*flight) bool) int {
	kept := c.flights[:0:0]
	for _, f := range c.flights {
		if !which(f) {
			kept = append(kept, f)
		}
	}
	n := len(c.flights) - len(kept)
	c.flights = kept
	return n
}
