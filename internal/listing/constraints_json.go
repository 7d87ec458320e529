package listing

import "github.com/cerco-ha/cerco/internal/cib"

// ConstraintsJSON shows constraints of those kinds as JSON, in the shape of pcs 0.12. What is absent is null.
func ConstraintsJSON(c *cib.CIB, kinds ...string) Lines {
	doc := constraintsJSON{[]locationJSON{}, []onSetsJSON{}, []colocationJSON{}, []onSetsJSON{}, []orderJSON{}, []onSetsJSON{}, []ticketJSON{}, []onSetsJSON{}}
	for _, kind := range kinds {
		for _, e := range children(section(c, "constraints"), kind) {
			doc.add(e)
		}
	}
	return toJSON(doc)
}

type constraintsJSON struct {
	Location      []locationJSON   `json:"location"`
	LocationSet   []onSetsJSON     `json:"location_set"`
	Colocation    []colocationJSON `json:"colocation"`
	ColocationSet []onSetsJSON     `json:"colocation_set"`
	Order         []orderJSON      `json:"order"`
	OrderSet      []onSetsJSON     `json:"order_set"`
	Ticket        []ticketJSON     `json:"ticket"`
	TicketSet     []onSetsJSON     `json:"ticket_set"`
}

type onSetsJSON struct {
	Sets       []resourceSetJSON `json:"resource_sets"`
	Attributes any               `json:"attributes"`
}

type resourceSetJSON struct {
	ID         string   `json:"set_id"`
	Sequential *bool    `json:"sequential"`
	RequireAll *bool    `json:"require_all"`
	Ordering   *string  `json:"ordering"`
	Action     *string  `json:"action"`
	Role       *string  `json:"role"`
	Score      *string  `json:"score"`
	Kind       *string  `json:"kind"`
	Resources  []string `json:"resources_ids"`
}

type locationJSON struct {
	Resource   *string       `json:"resource_id"`
	Pattern    *string       `json:"resource_pattern"`
	Role       *string       `json:"role"`
	Attributes locationAttrs `json:"attributes"`
}

type locationAttrs struct {
	ID        string     `json:"constraint_id"`
	Score     *string    `json:"score"`
	Node      *string    `json:"node"`
	Rules     []ruleJSON `json:"rules"`
	Lifetime  []ruleJSON `json:"lifetime"`
	Discovery *string    `json:"resource_discovery"`
}

type colocationJSON struct {
	Resource      string          `json:"resource_id"`
	With          string          `json:"with_resource_id"`
	NodeAttribute *string         `json:"node_attribute"`
	Role          *string         `json:"resource_role"`
	WithRole      *string         `json:"with_resource_role"`
	Instance      *int            `json:"resource_instance"`
	WithInstance  *int            `json:"with_resource_instance"`
	Attributes    colocationAttrs `json:"attributes"`
}

type colocationAttrs struct {
	ID        string     `json:"constraint_id"`
	Score     *string    `json:"score"`
	Influence *string    `json:"influence"`
	Lifetime  []ruleJSON `json:"lifetime"`
}

type orderJSON struct {
	First         string     `json:"first_resource_id"`
	Then          string     `json:"then_resource_id"`
	FirstAction   *string    `json:"first_action"`
	ThenAction    *string    `json:"then_action"`
	FirstInstance *int       `json:"first_resource_instance"`
	ThenInstance  *int       `json:"then_resource_instance"`
	Attributes    orderAttrs `json:"attributes"`
}

type orderAttrs struct {
	ID          string  `json:"constraint_id"`
	Symmetrical *bool   `json:"symmetrical"`
	RequireAll  *bool   `json:"require_all"`
	Score       *string `json:"score"`
	Kind        *string `json:"kind"`
}

type ticketJSON struct {
	Resource   string      `json:"resource_id"`
	Role       *string     `json:"role"`
	Attributes ticketAttrs `json:"attributes"`
}

type ticketAttrs struct {
	ID         string  `json:"constraint_id"`
	Ticket     string  `json:"ticket"`
	LossPolicy *string `json:"loss_policy"`
}

// add puts a constraint into its list.
func (doc *constraintsJSON) add(e *cib.Element) {
	sets := resourceSets(e)
	switch e.Name {
	case "rsc_location":
		a := locationAttrs{e.ID(), text(e, "score"), text(e, "node"), rulesOf(e), rulesOf(e.Child("lifetime")), text(e, "resource-discovery")}
		if len(sets) > 0 {
			doc.LocationSet = append(doc.LocationSet, onSetsJSON{sets, a})
			return
		}
		doc.Location = append(doc.Location, locationJSON{text(e, "rsc"), text(e, "rsc-pattern"), roleText(e, "role"), a})
	case "rsc_colocation":
		a := colocationAttrs{e.ID(), text(e, "score"), text(e, "influence"), rulesOf(e.Child("lifetime"))}
		if len(sets) > 0 {
			doc.ColocationSet = append(doc.ColocationSet, onSetsJSON{sets, a})
			return
		}
		doc.Colocation = append(doc.Colocation, colocationJSON{e.Attr("rsc"), e.Attr("with-rsc"), text(e, "node-attribute"),
			roleText(e, "rsc-role"), roleText(e, "with-rsc-role"), number(e, "rsc-instance"), number(e, "with-rsc-instance"), a})
	case "rsc_order":
		a := orderAttrs{e.ID(), truth(e, "symmetrical"), truth(e, "require-all"), text(e, "score"), text(e, "kind")}
		if len(sets) > 0 {
			doc.OrderSet = append(doc.OrderSet, onSetsJSON{sets, a})
			return
		}
		doc.Order = append(doc.Order, orderJSON{e.Attr("first"), e.Attr("then"), text(e, "first-action"), text(e, "then-action"),
			number(e, "first-instance"), number(e, "then-instance"), a})
	case "rsc_ticket":
		a := ticketAttrs{e.ID(), e.Attr("ticket"), text(e, "loss-policy")}
		if len(sets) > 0 {
			doc.TicketSet = append(doc.TicketSet, onSetsJSON{sets, a})
			return
		}
		doc.Ticket = append(doc.Ticket, ticketJSON{e.Attr("rsc"), roleText(e, "rsc-role"), a})
	}
}

func resourceSets(e *cib.Element) []resourceSetJSON {
	var list []resourceSetJSON
	for _, set := range children(e, "resource_set") {
		s := resourceSetJSON{set.ID(), truth(set, "sequential"), truth(set, "require-all"), text(set, "ordering"), text(set, "action"),
			roleText(set, "role"), text(set, "score"), text(set, "kind"), []string{}}
		for _, ref := range children(set, "resource_ref") {
			s.Resources = append(s.Resources, ref.ID())
		}
		list = append(list, s)
	}
	return list
}

func rulesOf(e *cib.Element) []ruleJSON {
	list := []ruleJSON{}
	for _, r := range children(e, "rule") {
		list = append(list, ruleOf(r))
	}
	return list
}

// roleText is text of a role, by its new name.
func roleText(e *cib.Element, name string) *string {
	r := text(e, name)
	if r != nil {
		*r = role(*r)
	}
	return r
}
