package scheduler

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// unpackTicketConstraint makes resources depend on a ticket. Without loss-policy, losing it stops the
// resource, or demotes it if the constraint is about the promoted role.
func (p *planner) unpackTicketConstraint(c *cib.TicketConstraint) {
	t := p.tickets[c.Ticket]
	if t == nil {
		t = &ticket{id: c.Ticket}
		p.tickets[c.Ticket] = t
	}
	for _, set := range c.Sets {
		members, ok := p.setMembers(c.ID, set)
		for _, r := range members {
			p.addTicket(c, r, t, set.Role)
		}
		if !ok {
			return
		}
	}
	if len(c.Sets) > 0 {
		return
	}
	ids, _ := p.expand(c.Rsc)
	for _, id := range ids {
		r := p.constraintTarget(id)
		if r == nil {
			p.warn("constraint " + c.ID + ": no resource '" + id + "': the constraint is ignored")
			return
		}
		p.addTicket(c, r, t, c.RscRole)
	}
}

func (p *planner) addTicket(c *cib.TicketConstraint, r *resource, t *ticket, roleName string) {
	tc := &ticketCon{id: c.ID, rsc: r, ticket: t}
	tc.role, _ = constraintRole(roleName)
	if tc.role == roleStarted {
		tc.role = roleUnknown
	}
	tc.loss = strings.ToLower(c.LossPolicy)
	switch {
	case tc.loss == "fence" && !p.cfg.fencing:
		tc.loss = "stop"
	case tc.loss == "fence" || tc.loss == "freeze" || tc.loss == "demote" || tc.loss == "stop":
	case tc.role == rolePromoted:
		tc.loss = "demote"
	default:
		tc.loss = "stop"
	}
	r.ticketCons = append(r.ticketCons, tc)
	p.applyTicket(r, tc)
}

// applyTicket keeps r from every node while the ticket is not granted, or stands by, and does what the
// loss policy asks for if r is active without it.
func (p *planner) applyTicket(r *resource, tc *ticketCon) {
	t := tc.ticket
	if t.granted && !t.standby {
		return
	}
	if len(r.children) > 0 {
		for _, c := range r.children {
			p.applyTicket(c, tc)
		}
		return
	}
	ban := func(why string) { p.pinAll(r, banned, "ticket", tc.id, why) }
	if !t.granted && len(r.runningOn) > 0 {
		p.loseTicket(r, tc, ban)
		return
	}
	if tc.role != rolePromoted || tc.loss == "stop" {
		if t.granted {
			ban("ticket " + t.id + " stands by")
		} else {
			ban("ticket " + t.id + " is not granted")
		}
	}
}

func (p *planner) loseTicket(r *resource, tc *ticketCon, ban func(string)) {
	const lost = "its ticket was lost"
	matches := tc.role == roleUnknown || tc.role == r.role
	switch tc.loss {
	case "stop":
		ban(lost)
	case "demote":
		// What needs the ticket for the promoted role alone is demoted when roles are given out.
		if tc.role != rolePromoted {
			ban(lost)
		}
	case "fence":
		if matches {
			ban(lost)
			for _, n := range r.runningOn {
				p.fence(n, "deadman ticket was lost", false)
			}
		}
	case "freeze":
		if matches {
			r.managed = false
			r.blocked = true
		}
	}
}

// promotionTicketMissing reports whether the clone's promotion needs a ticket that it does not have.
func promotionTicketMissing(r *resource) bool {
	for _, tc := range r.ticketCons {
		if tc.role == rolePromoted && (!tc.ticket.granted || tc.ticket.standby) {
			return true
		}
	}
	return false
}
