package pcs

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/configure"
)

// defaultsNoun has resource defaults, resource op defaults, and their names below stonith.
func defaultsNoun(noun string) *verb {
	return &verb{name: noun, what: "Manage resources.", sub: []*verb{
		defaultsVerb("resources", configure.RscDefaults),
		{name: "op", sub: []*verb{defaultsVerb("operations", configure.OpDefaults)}},
	}}
}

func defaultsVerb(whose string, w configure.Defaults) *verb {
	rule := "The rule says when they count: 'resource [CLASS]:[PROVIDER]:[TYPE]', 'date gt|lt DATE', 'date in_range [DATE] to DATE', " +
		"'date in_range DATE to duration NAME=VALUE...', 'date-spec NAME=VALUE...'"
	if w == configure.OpDefaults {
		rule += ", 'op NAME [interval=INTERVAL]', 'defined|not_defined ATTRIBUTE', 'ATTRIBUTE lt|gt|lte|gte|eq|ne [string|integer|number|version] VALUE'"
	}
	return &verb{name: "defaults", args: "NAME=VALUE...", bare: "config", run: func(c *call) error { return oldDefaults(c, w) },
		what: "Set default values for " + whose + ", the older way: see update.", options: []string{"all", "force", "full", "no-expire-check", "output-format"}, sub: []*verb{
			{name: "config", run: func(c *call) error { return c.showDefaults(w) }, options: []string{"all", "full", "no-expire-check", "output-format"},
				what: "Show the sets of default values for " + whose + ". With --all those whose rules have expired too. Formats: text, cmd (commands that make them again), json."},
			{name: "update", args: "NAME=[VALUE]...", options: []string{"force"}, run: func(c *call) error { return defaultsUpdate(c, w) },
				what: "Set default values for " + whose + ". An empty value removes one."},
			{name: "set", what: "Manage sets of default values.", sub: []*verb{
				{name: "create", args: "[id=ID] [score=SCORE] [meta NAME=VALUE...] [rule EXPRESSION]", options: []string{"force"}, run: func(c *call) error { return defaultsCreate(c, w) },
					what: "Make a set of default values for " + whose + ". " + rule + "; joined with 'and', 'or' and brackets."},
				{name: "update", args: "SET [meta NAME=[VALUE]...]", run: func(c *call) error { return defaultsSetUpdate(c, w) }, what: "Change a set of default values."},
				{name: "delete", aliases: []string{"remove"}, args: "[SET]...", run: func(c *call) error { return defaultsDelete(c, w) }, what: "Remove sets of default values."},
			}},
		}}
}

func oldDefaults(c *call, w configure.Defaults) error {
	if len(c.words) == 0 || slices.ContainsFunc(c.words, func(s string) bool { return !strings.Contains(s, "=") }) {
		return c.misused("'%s' knows no '%s'", strings.Join(c.path, " "), strings.Join(c.words, " "))
	}
	c.deprecate("'%s NAME=VALUE' is now: %s update NAME=VALUE", strings.Join(c.path, " "), strings.Join(c.path, " "))
	return defaultsUpdate(c, w)
}

func defaultsUpdate(c *call, w configure.Defaults) error {
	list, err := pairs(c.words)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.SetDefaults(d, w, list) })
}

func defaultsCreate(c *call, w configure.Defaults) error {
	s := &configure.DefaultSet{}
	var meta []string
	var err error
	for i, part := range sections(c.words, "meta", "rule") {
		switch {
		case i == 0:
			s.Options, err = pairs(part.words)
		case part.keyword == "meta":
			meta = append(meta, part.words...)
		default:
			s.Rule = append(s.Rule, part.words...)
			if len(part.words) == 0 {
				return c.misused("no rule expression was specified")
			}
		}
		if err != nil {
			return err
		}
	}
	if s.Meta, err = pairs(meta); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.CreateDefaults(d, w, s) })
}

func defaultsSetUpdate(c *call, w configure.Defaults) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	parts := sections(c.words[1:], "meta")
	if len(parts[0].words) > 0 {
		return c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), strings.Join(parts[0].words, " "))
	}
	var words []string
	for _, p := range parts {
		words = append(words, p.words...)
	}
	list, err := pairs(words)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.UpdateDefaults(d, w, c.words[0], list) })
}

func defaultsDelete(c *call, w configure.Defaults) error {
	return c.change(func(d *configure.Draft) error { return configure.DeleteDefaults(d, w, c.words) })
}
