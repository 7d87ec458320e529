package simulate

import "github.com/cerco-ha/cerco/internal/cib"

// ticketEdits is the tickets section while it is changed.
type ticketEdits struct {
	children []*cib.Element
}

// setTicket sets an attribute of a ticket's state, and makes the state if the ticket was never seen.
func (s *state) setTicket(id, attr, value string) {
	if s.tickets == nil {
		s.tickets = &ticketEdits{}
		if section := s.in.Root.Child("status").Child("tickets"); section != nil {
			s.tickets.children = append(s.tickets.children, section.Children...)
		}
	}
	s.updates++
	for i, c := range s.tickets.children {
		if c.Kind == cib.KindElement && c.Name == "ticket_state" && c.ID() == id {
			s.tickets.children[i] = c.With(attr, value)
			return
		}
	}
	s.tickets.children = append(s.tickets.children,
		cib.NewElement("ticket_state", []cib.Attr{{Name: "id", Value: id}, {Name: attr, Value: value}}))
}

func (t *ticketEdits) build(old *cib.Element) *cib.Element {
	if old != nil {
		return old.WithChildren(t.children)
	}
	return cib.NewElement("tickets", nil, t.children...)
}
