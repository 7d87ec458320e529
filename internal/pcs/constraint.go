package pcs

import (
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

func constraintNoun() *verb {
	return &verb{name: "constraint", what: "Manage constraints: where resources run, in which order, and with which others.", bare: "config", options: []string{"full", "all", "output-format"}, sub: []*verb{
		{name: "config", aliases: []string{"list", "show"}, args: "[--full]", options: []string{"full", "all", "output-format"}, run: constraintConfig,
			what: "List all constraints that have not expired. --all lists the expired ones too, --full shows ids."},
		locationVerb(),
		orderVerb(),
		colocationVerb(),
		ticketVerb(),
		{name: "delete", aliases: []string{"remove"}, args: "ID...", run: constraintDelete,
			what: "Remove constraints, or rules of constraints."},
		{name: "ref", args: "RESOURCE...", run: constraintRef,
			what: "List the constraints that name resources."},
		{name: "rule", what: "Manage rules of location constraints.", sub: []*verb{
			{name: "add", args: "CONSTRAINT [id=ID] [role=Promoted|Unpromoted] [score=SCORE|score-attribute=ATTRIBUTE] EXPRESSION", options: []string{"force"}, run: ruleAdd,
				what: "Give a location constraint one more rule. " + ruleHelp},
			{name: "delete", aliases: []string{"remove"}, args: "ID", run: ruleDelete,
				what: "Remove a rule. With its last rule a constraint is removed, too."},
		}},
	}}
}

const ruleHelp = `An expression is one of "defined|not_defined ATTRIBUTE", "ATTRIBUTE lt|gt|lte|gte|eq|ne [string|integer|number|version] VALUE", ` +
	`"date gt|lt DATE", "date in_range DATE to DATE", "date in_range DATE to duration NAME=VALUE...", "date-spec NAME=VALUE...", ` +
	`or several of them with "and", "or" and parentheses.`

// rules says how rules are to be shown.
func (c *call) rules() listing.RuleOptions {
	o := listing.RuleOptions{Full: c.has("full"), All: c.has("all")}
	if !c.has("no-expire-check") {
		o.Now = c.now()
	}
	return o
}

func (c *call) now() time.Time {
	if c.Now == nil {
		return time.Time{}
	}
	return c.Now()
}

func constraintConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.printConstraints(func(doc *cib.CIB) listing.Lines { return listing.Constraints(doc, c.rules()) }, listing.ConstraintKinds()...)
}

func constraintDelete(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveConstraints(d, c.words) })
}

func constraintRef(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	return c.print("", func(doc *cib.CIB) (all listing.Lines) {
		for _, id := range c.words {
			all = append(all, listing.References(doc, id)...)
		}
		return all
	})
}

func ruleAdd(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	options, rule, err := typedRule(c.words[1:], "id", "role", "score", "score-attribute")
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.AddRule(d, c.words[0], options, rule) })
}

func ruleDelete(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveRule(d, c.words[0]) })
}

// typedRule reads the options that a rule begins with, as far as they are known, and the rule.
func typedRule(words []string, known ...string) ([]configure.Pair, *configure.Rule, error) {
	n := 0
	for n < len(words) {
		name, _, ok := strings.Cut(words[n], "=")
		if !ok || !slices.Contains(known, name) {
			break
		}
		n++
	}
	options, err := pairs(words[:n])
	if err != nil {
		return nil, nil, err
	}
	if n == len(words) {
		return nil, nil, &usageError{"no rule expression was specified"}
	}
	rule, err := configure.ParseRule(words[n:], configure.LocationRule)
	return options, rule, err
}

// setsOf reads RESOURCE... [NAME=VALUE]... [set RESOURCE...]... [setoptions NAME=VALUE...].
func (c *call) setsOf(words []string) (sets []configure.Set, options []configure.Pair, err error) {
	seen := false
	for i, s := range sections(words, "set", "setoptions") {
		switch s.keyword {
		case "setoptions":
			if seen {
				return nil, nil, c.misused("Keyword 'setoptions' may be mentioned at most once")
			}
			seen = true
			if options, err = pairs(s.words); err != nil {
				return nil, nil, err
			}
			continue
		}
		var set configure.Set
		var named []string
		for _, w := range s.words {
			if strings.Contains(w, "=") {
				named = append(named, w)
			} else {
				set.Resources = append(set.Resources, w)
			}
		}
		if len(set.Resources) == 0 {
			return nil, nil, c.misused("set %d has no resources", i+1)
		}
		if set.Options, err = pairs(named); err != nil {
			return nil, nil, err
		}
		sets = append(sets, set)
	}
	return sets, options, nil
}

// constrainSets is the verb set of a kind of constraints.
func constrainSets(kind configure.SetKind) func(c *call) error {
	return func(c *call) error {
		sets, options, err := c.setsOf(c.words)
		if err != nil {
			return err
		}
		return c.change(func(d *configure.Draft) error { return configure.ConstrainSets(d, kind, sets, options) })
	}
}
