package controller

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// factsAsked are the facts about members that are known here and not committed yet.
type factsAsked struct {
	open  bool
	note  string    // of what was proposed last; empty: it is committed
	count int       // proposals so far
	again time.Time // when to propose again
}

// askFacts proposes what is known of members and not in the state yet. Nothing is planned before it is.
func (c *Controller) askFacts() {
	if c.members == nil {
		return
	}
	cmd := c.factsMissing()
	if len(cmd.Nodes) == 0 && cmd.Lead == nil {
		c.facts.open = false
		return
	}
	c.facts.open = true
	if c.facts.note != "" && c.now.Before(c.facts.again) {
		return // one after the other: an older one must not overtake what has changed since
	}
	c.facts.count++
	c.facts.note = fmt.Sprintf("members, term %d, number %d: %s", c.term, c.facts.count, c.members.Why)
	c.facts.again = c.now.Add(askAgain)
	cmd.Note, cmd.Fencing = c.facts.note, c.provenByItself()
	c.propose(cmd)
}

// factsMissing compares what is heard with the state.
func (c *Controller) factsMissing() cib.Command {
	var cmd cib.Command
	heard := make(map[string]*Heard, len(c.members.Heard))
	for i := range c.members.Heard {
		heard[c.members.Heard[i].ID] = &c.members.Heard[i]
	}
	us := ""
	for i := range c.state.Cluster.Members {
		m := &c.state.Cluster.Members[i]
		if m.Name == c.cfg.Name {
			us = m.ID
		}
		if m.Witness {
			continue
		}
		u, change := c.judgeMember(m, heard[m.ID])
		if !change {
			continue
		}
		u.ID, u.Name = m.ID, m.Name
		cmd.Nodes = append(cmd.Nodes, u)
		// A node that is back does not leave any more. One that is lost before it was told to stop has not left in
		// good order, whatever it had been asked: who knows what it still runs.
		ns := c.state.CIB.NodeState(m.ID)
		broke := u.InCCM == "false" && !u.Erase && ns != nil && ns.Expected == "member"
		if (broke || u.InCCM == "true" && !u.Erase) && c.asked(m.ID, "shutdown") {
			cmd.Attributes = append(cmd.Attributes, cib.AttributeUpdate{Node: m.Name, Name: "shutdown", Delete: true})
		}
	}
	if us != "" && (c.state.CIB.DCUUID != us || c.state.CIB.HaveQuorum != c.members.Quorate) {
		cmd.Lead = &cib.LeadUpdate{DC: us, HaveQuorum: c.members.Quorate}
	}
	return cmd
}

// judgeMember tells what has to be written down of a member; h is nil when nothing can be said of it.
func (c *Controller) judgeMember(m *cib.Member, h *Heard) (u cib.NodeUpdate, change bool) {
	ns, facts := c.state.CIB.NodeState(m.ID), c.nodeFacts(m.ID)
	down := cib.NodeUpdate{InCCM: "false", Crmd: "offline", Join: "down"}
	isDown := ns != nil && ns.InCCM == "false" && ns.Crmd == "offline" && ns.Join == "down"
	told := isUp(ns) && ns.Expected == "down" && c.asked(m.ID, "shutdown") // to stop
	if facts.AwayUntil.IsZero() {
		delete(c.missed, m.ID)
	} else if h == nil || h.Lost || !h.Ready {
		c.missed[m.ID] = true
	}
	rebooted := h != nil && h.BootID != "" && facts.BootID != "" && h.BootID != facts.BootID
	switch {
	case h == nil || h.Lost:
		if ns == nil {
			// One that has joined and never come up has nothing to be fenced for; one of which nobody knows
			// what it runs is left unseen, and startup-fencing decides.
			down.Expected = "down"
			return down, !facts.Unverified
		}
		if h == nil || c.now.Before(facts.AwayUntil) {
			return u, false
		}
		return down, !isDown
	case !c.doubtedUntil(h).IsZero():
		return u, false // it has just been fenced, and was still in the air
	case !h.Ready && told:
		return down, true // it has done as it was told
	case !h.Ready && rebooted && ns != nil:
		down.Expected, down.Erase, down.BootID = "down", true, h.BootID
		return down, true
	case !h.Ready, told && !rebooted:
		return u, false
	}
	u = cib.NodeUpdate{InCCM: "true", Crmd: "online", Join: "member", Expected: "member", BootID: h.BootID}
	left := ns != nil && !isUp(ns) && ns.Expected == "down"
	u.Erase = rebooted || left && !c.opts.shutdownLock
	if h.BootID != "" && h.BootID == facts.Ended {
		c.note("error", "a node is there although it was fenced: its device or the confirmation was wrong", "node", m.Name, "boot", h.BootID)
	}
	if !u.Erase && !c.trusted[m.ID] && !isUp(ns) && ns != nil {
		return u, false // what it has done unheard must be known before it is taken in
	}
	back := c.missed[m.ID] || facts.AwayRun != "" && h.Run != "" && h.Run != facts.AwayRun // the one that went may be heard yet
	if !facts.AwayUntil.IsZero() && (back || !c.now.Before(facts.AwayUntil)) {
		u.AwayUntil = new(time.Time)
	}
	return u, !isUp(ns) || ns.Expected != "member" || h.BootID != "" && h.BootID != facts.BootID || u.AwayUntil != nil
}

// doubtedUntil is when a node that was fenced and is still heard, with the boot that is said to be over, must be
// believed to be alive: it would have fallen silent long before. Zero: there is no such doubt.
func (c *Controller) doubtedUntil(h *Heard) time.Time {
	if h.Lost || h.BootID == "" || h.BootID != c.nodeFacts(h.ID).Ended {
		return time.Time{}
	}
	silence := max(5*time.Second, 3*time.Duration(c.state.Cluster.Timing.TokenMS)*time.Millisecond)
	for i := len(c.state.Fencing) - 1; i >= 0; i-- {
		if r := &c.state.Fencing[i]; r.Target == h.Name && r.State == cib.FenceDone && r.Action != "on" {
			if at := r.Completed.Add(silence); c.now.Before(at) {
				return at
			}
			break
		}
	}
	return time.Time{}
}

// provenByItself ends fencings of nodes that have come back with another boot id: all that ran there has
// ended.
func (c *Controller) provenByItself() []cib.FenceRecord {
	var out []cib.FenceRecord
	for _, f := range c.fencings {
		i := slices.IndexFunc(c.members.Heard, func(h Heard) bool { return h.Name == f.req.Target })
		if i < 0 || f.req.Action == "on" {
			continue
		}
		h := &c.members.Heard[i]
		if facts := c.nodeFacts(h.ID); h.Lost || h.BootID == "" || facts.BootID == "" || h.BootID == facts.BootID {
			continue
		}
		out = append(out, cib.FenceRecord{FenceRequest: f.req, State: cib.FenceDone, Evidence: cib.ByItself,
			Node: f.req.Target, Requested: f.since, Completed: c.now})
	}
	return out
}

// nodeFacts are the facts of a member, empty ones if there are none.
func (c *Controller) nodeFacts(id string) cib.NodeFacts {
	if f := c.state.Facts(id); f != nil {
		return *f
	}
	return cib.NodeFacts{ID: id}
}

// asked reports whether a transient attribute of a node holds a time or a truth.
func (c *Controller) asked(id, name string) bool {
	ns := c.state.CIB.NodeState(id)
	if ns == nil {
		return false
	}
	v, _ := cib.Value(ns.Attrs, &cib.RuleInput{Now: c.now}, name)
	n, err := strconv.ParseInt(v, 10, 64)
	b, _ := cib.ParseBool(v)
	return b || err == nil && n > 0
}

// away is when the first of the members that are away for a while must be back; zero: none is away.
func (c *Controller) away() time.Time {
	var first time.Time
	for _, f := range c.state.Nodes {
		if c.now.Before(f.AwayUntil) {
			first = earliest(first, f.AwayUntil)
		}
	}
	return first
}
