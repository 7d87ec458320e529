package controller

import "time"

// onTime does what is due by now.
func (c *Controller) onTime() {
	if !c.wake.IsZero() && !c.now.Before(c.wake) {
		c.wake = time.Time{}
	}
	kept := c.flights[:0:0]
	for _, f := range c.flights {
		switch {
		case f.noWait && !c.now.Before(f.deadline):
			continue // it had its time; if the node is still there the next plan tells it again
		case !c.now.Before(f.deadline):
			c.timedOut(f)
			f.deadline = c.now.Add(askAgain) // until that is committed
		case !f.again.IsZero() && !c.now.Before(f.again):
			f.again = time.Time{}
			c.do(Dispatch{Op: f.op})
		}
		kept = append(kept, f)
	}
	c.flights = kept
	for _, w := range c.waits {
		if !c.now.Before(w.again) {
			w.again = c.now.Add(askAgain)
			c.propose(w.cmd)
		}
	}
	for key, until := range c.proposed {
		if !c.now.Before(until) {
			delete(c.proposed, key) // the node sends it again
			delete(c.gate, key)
		}
	}
	if c.plan == nil && !c.recheck.IsZero() && !c.now.Before(c.recheck) {
		c.recheck = time.Time{}
		c.repeats.forget()
		c.replan("time has passed")
	}
}

// setWake asks for a Tick when something will be due.
func (c *Controller) setWake() {
	var next time.Time
	if c.leading {
		next = c.nextDue()
	}
	if !next.Equal(c.wake) {
		c.wake = next
		c.do(Wake{At: next})
	}
}

func (c *Controller) nextDue() time.Time {
	var next time.Time
	if c.members == nil {
		return next
	}
	for _, f := range c.flights {
		next = earliest(next, f.deadline)
		next = earliest(next, f.again)
	}
	for _, w := range c.waits {
		next = earliest(next, w.again)
	}
	if c.first {
		next = earliest(next, c.tidied)
	}
	if len(c.gate) > 0 {
		for _, until := range c.proposed { //house:unordered the earliest is the same in any order
			next = earliest(next, until)
		}
	}
	for i := range c.members.Heard {
		next = earliest(next, c.doubtedUntil(&c.members.Heard[i]))
	}
	if c.facts.open {
		next = earliest(next, c.facts.again)
	}
	next = earliest(next, c.away())
	for _, f := range c.fencings {
		if x := c.failed[f.req.Target]; !f.sent && x != nil && c.now.Before(x.until) {
			next = earliest(next, x.until)
		}
	}
	if c.plan == nil {
		next = earliest(next, c.recheck)
		if c.due != "" {
			next = earliest(next, c.repeats.until)
		}
	}
	return next
}
