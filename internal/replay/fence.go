package replay

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// fence is how the device of a node is, and what it does at the moment.
type fence struct {
	failures int    // so many calls are to fail; negative: all
	id       string // of the request that is being carried out
}

func (w *World) fenceOf(target string) *fence {
	f := w.fences[target]
	if f == nil {
		f = &fence{}
		w.fences[target] = f
	}
	return f
}

// FailFencing has so many fencings of a node fail; negative: all of them.
func (w *World) FailFencing(target string, times int) { w.fenceOf(target).failures = times }

// beginFence has a node's device switch it off.
func (w *World) beginFence(l *Node, req cib.FenceRequest) {
	w.checkFence(l, req)
	f := w.fenceOf(req.Target)
	f.id = req.ID
	record := cib.FenceRecord{FenceRequest: req, State: cib.FencePending, Requested: w.Now, Node: l.Name}
	w.after(0, func() {
		if w.leader == l {
			w.step(l, controller.Fenced{Record: record})
		}
	})
	w.after(w.vary(w.delay.Fence)+time.Duration(req.DelayMS)*time.Millisecond, func() {
		if !l.Alive || !l.Daemon || f.id != req.ID {
			return // nobody is there any more to call the device, or it was given up
		}
		f.id = ""
		record.Completed = w.Now
		if f.failures != 0 {
			f.failures = max(-1, f.failures-1)
			record.State, record.Error = cib.FenceFailed, "the device does not answer"
		} else {
			record.State, record.Evidence, record.Devices = cib.FenceDone, cib.ByAgent, []string{"device"}
			w.switchOff(req.Target, req.Action)
		}
		if w.leader == l {
			w.step(l, controller.Fenced{Record: record})
		}
	})
}

func (w *World) cancelFence(id string) {
	for _, f := range w.fences {
		if f.id == id {
			f.id = ""
		}
	}
}

func (w *World) switchOff(target, action string) {
	n := w.Node(target)
	if action == "on" {
		return
	}
	w.trace("%s is off", target)
	if n.Alive {
		n.die()
	}
	if action == "reboot" {
		w.after(w.vary(w.delay.Boot), func() { n.Start() })
	}
}

// Confirm is an operator's word that a node is off; it must be.
func (w *World) Confirm(target string) {
	if w.Node(target).Alive {
		panic("replay: the operator is mistaken, " + target + " is on")
	}
	w.Propose(cib.Command{By: "root", Fencing: []cib.FenceRecord{{State: cib.FenceDone, Evidence: cib.ByOperator, Requested: w.Now, Completed: w.Now,
		FenceRequest: cib.FenceRequest{ID: "confirm-" + target, Target: target, TargetID: w.Node(target).ID, Action: "off", By: "root"}}}})
}
