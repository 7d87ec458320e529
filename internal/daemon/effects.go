package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/events"
)

const verifyPatience = 2 * time.Second // for a majority to confirm that we lead

// perform carries out what the controller wants done. It is called by the loop, and waits for one thing
// only: before anything that can start a resource or fence a node, a majority confirms that we lead.
func (d *Daemon) perform(effects []controller.Effect) {
	o := d.leading()
	var unconfirmed error
	if o == nil {
		unconfirmed = errElsewhere
	} else if acts(effects) {
		ctx, cancel := context.WithTimeout(o.ctx, verifyPatience)
		unconfirmed = d.store.VerifyLeader(ctx)
		cancel()
	}
	var orders orders
	for _, e := range effects {
		switch e := e.(type) {
		case controller.Propose:
			d.proposals.put(e.Command)
		case controller.Dispatch:
			if unconfirmed != nil {
				d.loop.put(controller.Undelivered{Op: e.Op, Err: unconfirmed.Error()})
				continue
			}
			orders.add(e.Op)
		case controller.Fence:
			if unconfirmed != nil {
				d.loop.put(controller.Fenced{Record: cib.FenceRecord{FenceRequest: e.Request, State: cib.FenceFailed,
					Error: "not tried: " + unconfirmed.Error(), Requested: d.cfg.Now(), Completed: d.cfg.Now()}})
				continue
			}
			d.aside(func() { d.fence(o.ctx, e.Request) })
		case controller.CancelFence:
			d.fences.cancel(e.ID)
		case controller.Ack:
			d.acks.done(e.Node, e.Serial)
		case controller.Keep:
			d.archive.put(e.Transition)
		case controller.Ended:
			d.archive.end(e)
		case controller.Note:
			d.note(e)
		}
	}
	for _, b := range orders.batches {
		d.aside(func() { d.dispatch(o.ctx, b.node, b.ops) })
	}
}

// acts reports whether an effect can start something or fence somebody.
func acts(effects []controller.Effect) bool {
	for _, e := range effects {
		switch e.(type) {
		case controller.Dispatch, controller.Fence:
			return true
		}
	}
	return false
}

// fence has a node cut off for the controller.
func (d *Daemon) fence(ctx context.Context, req cib.FenceRequest) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.fences.begin(req.ID, cancel)
	defer d.fences.end(req.ID)
	rec := d.fencer.Fence(ctx, req, func(r cib.FenceRecord) { d.loop.put(controller.Fenced{Record: r}) })
	d.loop.put(controller.Fenced{Record: rec})
}

func (d *Daemon) note(n controller.Note) {
	level := slog.LevelInfo
	switch n.Level {
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	}
	d.log.Log(d.ctx, level, n.Text, n.Args...)
	if level > slog.LevelInfo {
		text := n.Text
		for i := 0; i+1 < len(n.Args); i += 2 {
			text += fmt.Sprintf(" %v=%v", n.Args[i], n.Args[i+1])
		}
		d.journal.Add(events.Event{At: d.cfg.Now(), Kind: events.KindNote, Text: text, Bad: true})
	}
}
