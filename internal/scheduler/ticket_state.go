package scheduler

// unpackTickets reads the state of each ticket. A ticket nobody has seen counts as not granted.
func (p *planner) unpackTickets() {
	p.tickets = map[string]*ticket{}
	for _, s := range p.in.Status.Tickets {
		t := p.ticket(s.ID)
		t.granted, t.standby, t.lastGranted = s.Granted, s.Standby, s.LastGranted
		for _, a := range s.Attrs {
			t.attrs[a.Name] = a.Value
		}
	}
}

// ticket is the ticket of that name, made on first mention.
func (p *planner) ticket(id string) *ticket {
	t := p.tickets[id]
	if t == nil {
		t = &ticket{id: id, attrs: map[string]string{}}
		p.tickets[id] = t
	}
	return t
}
