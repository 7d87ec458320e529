package pcs

import (
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

func tagNoun() *verb {
	return &verb{name: "tag", what: "Manage tags: names for several resources at once.", bare: "config", options: []string{"output-format"}, sub: []*verb{
		{name: "config", aliases: []string{"list"}, args: "[TAG]...", options: []string{"output-format"}, run: tagConfig, what: "List tags and what they stand for."},
		{name: "create", args: "TAG RESOURCE...", run: tagCreate, what: "Make a tag."},
		{name: "update", args: "TAG [add RESOURCE... [--before RESOURCE | --after RESOURCE]] [remove RESOURCE...]", options: []string{"before", "after"}, run: tagUpdate,
			what: "Add resources to a tag, remove them from it, or move them in it."},
		{name: "delete", aliases: []string{"remove"}, args: "TAG...", run: tagDelete, what: "Remove tags."},
	}}
}

func tagConfig(c *call) error {
	refusal := &configure.Refusal{}
	err := c.printAs("tags", func(doc *cib.CIB) listing.Lines {
		lines, missing := listing.Tags(doc, c.words...)
		for _, name := range missing {
			refusal.List = append(refusal.List, configure.Problem{Text: fmt.Sprintf("tag '%s' does not exist", name)})
		}
		if len(missing) > 0 {
			return nil
		}
		if len(lines) == 0 {
			fmt.Fprintln(c.Stderr, " No tags defined")
		}
		return lines
	}, func(doc *cib.CIB) listing.Lines { return listing.TagCommands(doc, c.words...) })
	if err == nil && len(refusal.List) > 0 {
		return refusal
	}
	return err
}

func tagCreate(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.NewTag(d, c.words[0], c.words[1:]) })
}

func tagDelete(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveTags(d, c.words) })
}

func tagUpdate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	change := configure.TagChange{Before: c.option("before"), After: c.option("after")}
	if change.Before != "" && change.After != "" {
		return c.misused("Cannot specify both --before and --after")
	}
	for _, s := range sections(c.words[1:], "add", "remove") {
		list := map[string]*[]string{"add": &change.Add, "remove": &change.Remove}[s.keyword]
		switch {
		case list == nil && len(s.words) > 0:
			return c.misused("'%s' does not say whether to add or to remove", s.words[0])
		case list == nil:
		case *list != nil:
			return c.misused("'%s' cannot be used more than once", s.keyword)
		default:
			*list = append([]string{}, s.words...)
		}
	}
	if len(change.Add) == 0 && len(change.Remove) == 0 {
		return c.misused("Specify at least one id for 'add' or 'remove' arguments")
	}
	return c.change(func(d *configure.Draft) error { return configure.UpdateTag(d, c.words[0], change) })
}
