package cib

import (
	"slices"
	"strconv"
)

// fencing takes a record over, and what its success means: a node that was cut off has lost all that ran
// there. A record that was successful already means nothing new.
func (a *applying) fencing(r *FenceRecord) error {
	if r.ID == "" || r.Target == "" {
		return refuse("this is a fault of the program: report it", "a fencing record is without id or target")
	}
	before := a.record(*r)
	if r.State != FenceDone || before == FenceDone {
		return nil
	}
	a.satisfy(r)
	id, remote, ok := a.target(r.Target)
	if !ok {
		return nil
	}
	if r.Action == "on" {
		a.unfenced(a.nodeState(r.Target, id, remote), r)
		return nil
	}
	if r.Evidence == ByItself { // it is back already: the update that says so has erased what was
		return nil
	}
	n := a.nodeState(r.Target, id, remote)
	attrs := []Attr{{"in_ccm", "false"}, {"crmd", "offline"}, {"join", "down"}, {"expected", "down"}, {"crm-debug-origin", originFencing}}
	if remote {
		attrs = []Attr{{"in_ccm", "false"}, {"node_fenced", "1"}, {"crm-debug-origin", originFencing}}
	} else {
		f := a.facts(id)
		f.Ended, f.AwayUntil, f.AwayRun, f.Unverified = f.BootID, NodeFacts{}.AwayUntil, "", false
	}
	n.Set(attrs...)
	a.empty(n)
	return nil
}

// record puts a record among the others, in the place of that of the same id; it returns the state that one had.
func (a *applying) record(r FenceRecord) (before string) {
	list := slices.Clone(a.state.Fencing)
	if at := slices.IndexFunc(list, func(o FenceRecord) bool { return o.ID == r.ID }); at >= 0 {
		before = list[at].State
		list[at] = r
	} else {
		list = append(list, r)
	}
	if extra := len(list) - FenceHistory; extra > 0 {
		list = slices.Delete(list, 0, extra)
	}
	a.state.Fencing = slices.Clip(list)
	return before
}

// satisfy ends the requests that wait for what a record says has been done: those of a leader that is gone would
// be pending for ever.
func (a *applying) satisfy(done *FenceRecord) {
	list := a.state.Fencing // a copy: record has made it
	for i := range list {
		r := &list[i]
		same := r.Action == done.Action || r.Action == "reboot" && done.Action == "off"
		if r.State == FencePending && r.Target == done.Target && same && !r.Requested.After(done.Completed) {
			r.State, r.Evidence, r.Node, r.Devices, r.Completed = FenceDone, done.Evidence, done.Node, done.Devices, done.Completed
		}
	}
}

// unfenced notes when a node was let in again, and with which parameters of the devices.
func (a *applying) unfenced(n *NodeEdit, r *FenceRecord) {
	at := r.Completed
	if at.IsZero() {
		at = a.cmd.At
	}
	for _, p := range [...]Attr{{"#node-unfenced", strconv.FormatInt(at.Unix(), 10)}, {"#digests-all", r.DigestsAll}, {"#digests-secure", r.DigestsSecure}} {
		if p.Value != "" {
			n.SetTransient(transientSet(n), p.Name, p.Value)
		}
	}
}
