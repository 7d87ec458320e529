package configure

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// RequireTicket makes a resource, or a role of it, depend on a ticket.
func RequireTicket(d *Draft, ticket, role, resource string, options []Pair) error {
	var unknown []string
	for _, o := range options {
		switch o.Name {
		case "id":
		case "loss-policy":
			d.checkLossPolicy(o.Value)
		default:
			unknown = append(unknown, o.Name)
		}
	}
	if len(unknown) > 0 {
		d.Fail("%s", invalidOptions("ticket constraint", unknown, []string{"id", "loss-policy"}))
	}
	if role != "" {
		switch strings.ToLower(role) {
		case "started", "stopped", "promoted", "unpromoted", "master", "slave":
		default:
			d.Fail("'%s' is not a valid role value, use %s", role, quoted(roleNames()))
		}
		role = d.oldRole(role)
	}
	if !isTicket(ticket) {
		d.Fail("booth ticket name '%s' is not valid, use up to 63 alphanumeric characters or dash", ticket)
	}
	d.constrainable(resource)
	id := "ticket-" + ticket + "-" + resource
	if role != "" {
		id += "-" + role
	}
	id = d.constraintID(options, id)
	d.duplicate(d.Where(func(e *cib.Element) bool {
		return e.Name == "rsc_ticket" && e.Attr("ticket") == ticket && e.Attr("rsc") == resource && d.Role(e.Attr("rsc-role")) == role
	}))
	if err := d.Refused(); err != nil {
		return err
	}
	attrs := []cib.Attr{{Name: "id", Value: id}, {Name: "rsc", Value: resource}, {Name: "ticket", Value: ticket}}
	if role != "" {
		attrs = append(attrs, cib.Attr{Name: "rsc-role", Value: role})
	}
	d.addConstraint("rsc_ticket", append(attrs, attrList(without(options, "id"))...))
	return nil
}

// roleNames are the roles as they are typed.
func roleNames() []string {
	return []string{"Master", "Promoted", "Slave", "Started", "Stopped", "Unpromoted"}
}

func (d *Draft) checkLossPolicy(policy string) {
	switch policy {
	case "demote", "fence", "freeze", "stop":
	default:
		d.Fail("'%s' is not a valid loss-policy value, use 'demote', 'fence', 'freeze', 'stop'", policy)
	}
}

func isTicket(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	return name != "" && len(name) <= 63 && strings.Trim(name, allowed) == ""
}

// RemoveTicket takes a resource out of every constraint on a ticket.
func RemoveTicket(d *Draft, ticket, resource string) error {
	found := false
	plain := func(e *cib.Element) bool {
		return e.Name == "rsc_ticket" && e.Attr("ticket") == ticket && e.Attr("rsc") == resource
	}
	for p := firstOf(d.Where(plain)); p != nil; p = firstOf(d.Where(plain)) {
		d.Put(p, nil)
		found = true
	}
	found = d.removeFromSets(resource, func(e *cib.Element) bool { return e.Name == "rsc_ticket" && e.Attr("ticket") == ticket }) || found
	if !found {
		return d.refuse("no matching ticket constraint found: '%s' does not depend on ticket '%s'", resource, ticket)
	}
	return nil
}
