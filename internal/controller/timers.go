package controller

import "time"

// onTime does what is due by now.
func (c *Controller) onTime() {
	if !c.wake.IsZero() && !c.now.Before(c.wake) {
		c.wake = time.Time{}
	}
	c.overdue()
	for _, w := range c.waits {
		if !c.now.Before(w.again) {
			w.again = c.now.Add(askAgain)
			c.propose(w.cmd)
		}
	}
	if !c.stuckAt.IsZero() && !c.now.Before(c.stuckAt) {
		c.stuckAt = time.Time{}
		for key, until := range c.proposed { //house:unordered each is judged by itself, and the earliest is the same in any order
			if !c.now.Before(until) {
				delete(c.proposed, key) // the node sends it again
				delete(c.gate, key)
			} else {
				c.stuckAt = earliest(c.stuckAt, until)
			}
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
	next = earliest(next, c.flights.due)
	for _, w := range c.waits {
		next = earliest(next, w.again)
	}
	if c.first {
		next = earliest(next, c.tidied)
	}
	if len(c.gate) > 0 {
		next = earliest(next, c.stuckAt)
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
		if c.due != "" && c.now.Before(c.repeats.until) { // else it waits for something else
			next = earliest(next, c.repeats.until)
		}
	}
	return next
}
