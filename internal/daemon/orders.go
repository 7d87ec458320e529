package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/executor"
	"github.com/cerco-ha/cerco/internal/peer"
)

// orderPatience is for orders to be accepted.
const orderPatience = 5 * time.Second

// orders are what nodes are told to do at one time: those of a node go together, so many that neither a message nor
// the time that it takes to accept them grows without bounds.
type orders struct {
	batches []*batch // of a node in their order
	open    map[string]*batch
}

type batch struct {
	node string
	ops  []cib.Operation
}

const ordersTogether = 128

func (o *orders) add(op cib.Operation) {
	b := o.open[op.Node]
	if b == nil || len(b.ops) == ordersTogether {
		if o.open == nil {
			o.open = map[string]*batch{}
		}
		b = &batch{node: op.Node}
		o.open[op.Node] = b
		o.batches = append(o.batches, b)
	}
	b.ops = append(b.ops, op)
}

// dispatch gives orders to a node, and tells the controller of those that did not get through.
func (d *Daemon) dispatch(ctx context.Context, node string, ops []cib.Operation) {
	refusals, err := d.give(ctx, node, ops)
	if errors.Is(err, peer.ErrNoService) { // of a version that takes one at a time
		for _, op := range ops {
			d.aside(func() {
				if err := d.giveOne(ctx, op); err != nil {
					d.undelivered(ctx, op, err)
				}
			})
		}
		return
	}
	for i, op := range ops {
		refusal := err
		if refusal == nil && refusals[i] != "" {
			refusal = readError(refusals[i])
		}
		if refusal != nil {
			d.undelivered(ctx, op, refusal)
		}
	}
}

func (d *Daemon) undelivered(ctx context.Context, op cib.Operation, err error) {
	if ctx.Err() != nil {
		return
	}
	d.log.Warn("an order did not get through", "plan", op.Epoch, "node", op.Node, "resource", op.Resource, "operation", op.Name, "error", err)
	refused := strings.Contains(err.Error(), executor.ErrStale.Error()) // it may have come over the wire
	d.loop.put(controller.Undelivered{Op: op, Err: err.Error(), Refused: refused})
}

// give hands orders to a node. It returns why each was refused; empty: it was taken.
func (d *Daemon) give(ctx context.Context, node string, ops []cib.Operation) (refusals []string, err error) {
	if node == d.node.Name {
		return d.orderAll(ops), nil
	}
	if len(ops) == 1 { // every version takes it like this
		return []string{""}, d.giveOne(ctx, ops[0])
	}
	body, err := json.Marshal(ops)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	data, err := d.call(ctx, node, serviceOps, body)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &refusals); err != nil || len(refusals) != len(ops) {
		return nil, fmt.Errorf("the answer of %s to %d orders cannot be read: %w", node, len(ops), errors.Join(err, peer.ErrUnknownOutcome))
	}
	return refusals, nil
}

func (d *Daemon) giveOne(ctx context.Context, op cib.Operation) error {
	body, err := json.Marshal(op)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	_, err = d.call(ctx, op.Node, serviceOp, body)
	return err
}

// serveOp takes an order of the leader.
func (d *Daemon) serveOp(_ context.Context, _ string, body []byte) ([]byte, error) {
	var op cib.Operation
	if err := json.Unmarshal(body, &op); err != nil {
		return nil, err
	}
	return nil, d.order(op)
}

// serveOps takes several, and answers why each was refused; empty: it was taken.
func (d *Daemon) serveOps(_ context.Context, _ string, body []byte) ([]byte, error) {
	var ops []cib.Operation
	if err := json.Unmarshal(body, &ops); err != nil {
		return nil, err
	}
	return json.Marshal(d.orderAll(ops))
}

func (d *Daemon) orderAll(ops []cib.Operation) []string {
	refusals := make([]string, len(ops))
	for i, op := range ops {
		if err := sendError(d.order(op)); err != nil {
			refusals[i] = err.Error()
		}
	}
	return refusals
}

// order hands an operation to this node's executor, or carries out what is the daemon's own to do.
func (d *Daemon) order(op cib.Operation) error {
	if op.Name == "do_shutdown" {
		d.log.Info("the cluster has moved everything away: this daemon ends", "plan", op.Epoch)
		d.leave()
		return nil
	}
	return d.executor.Do(op)
}
