package pcs

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

func orderVerb() *verb {
	return &verb{name: "order", args: "[ACTION] RESOURCE then [ACTION] RESOURCE [kind=Optional|Mandatory|Serialize] [symmetrical=true|false] [require-all=true|false] [id=ID]", options: []string{"full", "force", "output-format"}, run: order,
		what: "Order actions (start, stop, promote, demote) of two resources; no ACTION stands for start.",
		sub: []*verb{
			{name: "config", aliases: []string{"show"}, args: "[--full]", options: []string{"full", "output-format"}, run: orderConfig, what: "List ordering constraints."},
			{name: "set", args: "RESOURCE... [sequential=true|false] [require-all=true|false] [action=ACTION] [role=ROLE] [set RESOURCE...]... [setoptions [id=ID] [kind=KIND] [symmetrical=true|false]]",
				options: []string{"force"}, run: constrainSets(configure.OrderSets), what: "Order sets of resources."},
			{name: "delete", aliases: []string{"remove"}, args: "RESOURCE...", run: orderDelete,
				what: "Remove resources from all ordering constraints."},
		}}
}

func colocationVerb() *verb {
	return &verb{name: "colocation", what: "Place resources with others, or apart from them.", bare: "config", options: []string{"full", "output-format"}, sub: []*verb{
		{name: "config", aliases: []string{"show"}, args: "[--full]", options: []string{"full", "output-format"}, run: colocationConfig, what: "List colocation constraints."},
		{name: "add", args: "[ROLE] RESOURCE with [ROLE] RESOURCE [SCORE] [influence=true|false] [node-attribute=NAME] [id=ID]", options: []string{"force"}, run: colocate,
			what: "Run the first resource where the second one is. A negative SCORE keeps them apart; the default is INFINITY."},
		{name: "set", args: "RESOURCE... [sequential=true|false] [role=ROLE] [set RESOURCE...]... [setoptions [id=ID] [score=SCORE]]",
			options: []string{"force"}, run: constrainSets(configure.ColocationSets), what: "Place sets of resources together."},
		{name: "delete", aliases: []string{"remove"}, args: "RESOURCE RESOURCE", run: colocationDelete,
			what: "Remove the colocation constraints between two resources."},
	}}
}

func ticketVerb() *verb {
	return &verb{name: "ticket", what: "Make resources depend on tickets.", bare: "config", options: []string{"full", "output-format"}, sub: []*verb{
		{name: "config", aliases: []string{"show"}, args: "[--full]", options: []string{"full", "output-format"}, run: ticketConfig, what: "List ticket constraints."},
		{name: "add", args: "TICKET [ROLE] RESOURCE [loss-policy=fence|stop|freeze|demote] [id=ID]", options: []string{"force"}, run: ticketAdd,
			what: "Let a resource run, or be promoted, only with a ticket."},
		{name: "set", args: "RESOURCE... [role=ROLE] [set RESOURCE...]... setoptions ticket=TICKET [loss-policy=POLICY] [id=ID]",
			options: []string{"force"}, run: constrainSets(configure.TicketSets), what: "Make sets of resources depend on a ticket."},
		{name: "delete", aliases: []string{"remove"}, args: "TICKET RESOURCE", run: ticketDelete,
			what: "Remove all constraints of a resource on a ticket."},
	}}
}

func orderConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.printConstraints(func(doc *cib.CIB) listing.Lines { return listing.Orders(doc, c.has("full")) }, "rsc_order")
}

func colocationConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.printConstraints(func(doc *cib.CIB) listing.Lines { return listing.Colocations(doc, c.has("full")) }, "rsc_colocation")
}

func ticketConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.printConstraints(func(doc *cib.CIB) listing.Lines { return listing.Tickets(doc, c.has("full")) }, "rsc_ticket")
}

func order(c *call) error {
	if len(c.words) == 0 {
		if c.has("force") {
			return c.unsupported("force")
		}
		return orderConfig(c)
	}
	if c.has("full") {
		return c.unsupported("full")
	}
	first, rest, err := orderEnd(c, c.words)
	if err != nil {
		return err
	}
	if len(rest) == 0 || rest[0] != "then" {
		return c.misused("'then' is missing after '%s'", first.Resource)
	}
	then, rest, err := orderEnd(c, rest[1:])
	if err != nil {
		return err
	}
	if slices.Contains(rest, "then") {
		return c.misused("Multiple 'then's cannot be specified; 'constraint order set' orders more than two resources")
	}
	options, err := pairs(rest)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.Order(d, first, then, options) })
}

// orderEnd reads [ACTION] RESOURCE.
func orderEnd(c *call, words []string) (end configure.OrderEnd, rest []string, err error) {
	if len(words) > 0 && slices.Contains([]string{"start", "stop", "promote", "demote"}, words[0]) {
		end.Action, words = words[0], words[1:]
	}
	if len(words) == 0 || words[0] == "then" {
		return end, nil, c.misused("a resource is missing: [ACTION] RESOURCE then [ACTION] RESOURCE")
	}
	end.Resource = words[0]
	return end, words[1:], nil
}

func orderDelete(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveFromOrders(d, c.words) })
}

func colocate(c *call) error {
	at := slices.Index(c.words, "with")
	if at < 1 || at > 2 {
		return c.misused("write: [ROLE] RESOURCE with [ROLE] RESOURCE [SCORE] [NAME=VALUE]...")
	}
	first := configure.CoLocated{Resource: c.words[at-1]}
	if at == 2 {
		first.Role = c.words[0]
	}
	rest := c.words[at+1:]
	if slices.Contains(rest, "with") {
		return c.misused("Multiple 'with's cannot be specified; 'constraint colocation set' places more than two resources together")
	}
	var with configure.CoLocated
	if len(rest) > 1 && !strings.Contains(rest[1], "=") && !looksLikeScore(rest[1]) {
		with.Role, rest = rest[0], rest[1:]
	}
	if len(rest) == 0 || strings.Contains(rest[0], "=") {
		return c.misused("a resource is missing after 'with'")
	}
	with.Resource, rest = rest[0], rest[1:]
	score := ""
	if len(rest) > 0 && !strings.Contains(rest[0], "=") {
		score, rest = rest[0], rest[1:]
	}
	options, err := pairs(rest)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.Colocate(d, first, with, score, options) })
}

func looksLikeScore(word string) bool {
	_, ok := cib.ParseScore(word)
	return ok
}

func colocationDelete(c *call) error {
	if err := c.want(2, 2); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveColocations(d, c.words[0], c.words[1]) })
}

func ticketAdd(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	ticket, role, rest := c.words[0], "", c.words[1:]
	if len(rest) > 1 && !strings.Contains(rest[1], "=") {
		role, rest = rest[0], rest[1:]
	}
	options, err := pairs(rest[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RequireTicket(d, ticket, role, rest[0], options) })
}

func ticketDelete(c *call) error {
	if err := c.want(2, 2); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveTicket(d, c.words[0], c.words[1]) })
}
