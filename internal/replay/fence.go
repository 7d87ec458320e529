package replay

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// fence is how the device of a node is.
type fence struct {
	failures int    // so many calls are to fail; negative: all
	mode     string // "" works; "hang" says nothing; "late" says that it has failed, and does it afterwards
}

// fencing is one that a daemon has begun.
type fencing struct {
	gone bool // it was withdrawn, or its daemon has ended
	tell func(error string)
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

// fence has a node's device switch it off. What comes of it is told, at last with an outcome.
func (n *Node) fence(req cib.FenceRequest, tell func(cib.FenceRecord)) {
	w, dev := n.w, n.w.fenceOf(req.Target)
	w.mark(n, "F fences "+req.Target)
	record := cib.FenceRecord{FenceRequest: req, State: cib.FencePending, Requested: n.now(), Node: n.Name}
	f := &fencing{tell: func(err string) {
		record.Completed = n.now()
		if record.State = cib.FenceDone; err != "" {
			record.State, record.Error = cib.FenceFailed, err
		} else {
			record.Evidence, record.Devices = cib.ByAgent, []string{"device"}
		}
		tell(record)
	}}
	n.d.fencings[req.ID] = f
	tell(record)
	took := w.vary(w.delay.Fence) + time.Duration(req.DelayMS)*time.Millisecond
	outcome := func(err string) {
		if !f.gone && n.Daemon() && n.d.fencings[req.ID] == f {
			delete(n.d.fencings, req.ID)
			f.tell(err)
		}
	}
	mode := dev.mode
	if mode != "" {
		w.count("fence device " + map[string]string{"hang": "hangs", "late": "succeeds late"}[mode])
		n.afterReal(w.delay.FenceTimeout, func() { outcome("the device does not answer in time") })
		if mode == "late" {
			w.after(w.delay.FenceTimeout+w.vary(2*time.Second), func() {
				if !w.healed {
					w.switchOff(req.Target, req.Action)
				}
			})
		}
		return
	}
	w.after(took, func() {
		switch {
		case f.gone && (req.DelayMS > 0 || !w.chance(2)): // an agent that was told to end may have done it all the same
		case n.paused && n.Alive: // the agent too
			n.afterReal(0, func() { outcome("the device was not called in time") })
		case dev.failures != 0:
			dev.failures = max(-1, dev.failures-1)
			w.count("fence device fails")
			outcome("the device does not answer")
		case w.cfg.Plant.DeviceLies:
			outcome("")
		default:
			w.switchOff(req.Target, req.Action)
			outcome("")
		}
	})
}

// cancelFence withdraws a fencing.
func (n *Node) cancelFence(id string) {
	if f := n.d.fencings[id]; f != nil && !f.gone {
		f.gone = true
		delete(n.d.fencings, id)
		f.tell("withdrawn")
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
		boots := n.boots
		w.after(w.vary(w.delay.Boot), func() {
			if n.boots == boots {
				n.Start()
			}
		})
	}
}

// Confirm is an operator's word that a node is off; it must be.
func (w *World) Confirm(target string) {
	t := w.Node(target)
	if t.Alive {
		panic("replay: the operator is mistaken, " + target + " is on")
	}
	w.trace("** an operator says that %s is off", target)
	r := cib.FenceRecord{State: cib.FenceDone, Evidence: cib.ByOperator, Requested: w.Now, Completed: w.Now,
		FenceRequest: cib.FenceRequest{ID: "confirm-" + target, Target: target, TargetID: t.ID, Action: "off", By: "root"}}
	if w.Leader() != nil {
		w.Propose(cib.Command{By: "root", Fencing: []cib.FenceRecord{r}})
		return
	}
	for _, n := range w.nodes {
		if n.Daemon() {
			n.d.members.Fenced(r)
			n.poke()
		}
	}
}
