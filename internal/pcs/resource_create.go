package pcs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/configure"
)

const createArgs = "ID [CLASS:[PROVIDER:]]TYPE [NAME=VALUE]... [op ACTION NAME=VALUE... [ACTION NAME=VALUE...]...]... [meta NAME=VALUE...]"

func resourceCreateNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "create", args: createArgs + " [clone [ID] [NAME=VALUE]... | promotable [ID] [NAME=VALUE]... | bundle BUNDLE]", run: resourceCreate,
			options: []string{"force", "group", "before", "after", "disabled", "no-default-ops", "agent-validation", "future", "wait"},
			what: "Create a resource. Operations that are not given are those that the agent advises; with --no-default-ops only the monitor. " +
				"It can be made a clone, put into a bundle, or into a group, before or after another member."},
		{name: "update", args: "RESOURCE [NAME=[VALUE]]... [op ACTION NAME=VALUE...]... [meta NAME=[VALUE]...]", run: resourceUpdate,
			options: []string{"force", "agent-validation", "wait"},
			what: "Change parameters, meta attributes and operations of a resource, or the meta attributes of a clone, group or bundle. An empty value " +
				"removes an option. An operation is replaced by what is given for it, or added."},
	}}
}

func resourceCreate(c *call) error {
	spec, err := c.createSpec(true)
	if err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	return c.changeFor(created(spec), []string{spec.ID}, func(d *configure.Draft) error { return configure.CreateResource(d, agents, spec) })
}

// created is what is to become of a new resource.
func created(spec *configure.Create) outcome {
	if spec.Disabled {
		return stopped
	}
	return running
}

// createSpec reads the words and options of create. Only resources can be made clones or put into a bundle.
func (c *call) createSpec(places bool) (*configure.Create, error) {
	if err := c.want(2, -1); err != nil {
		return nil, err
	}
	spec := &configure.Create{ID: c.words[0], Agent: c.words[1], NoDefaultOps: c.has("no-default-ops"), Disabled: c.has("disabled"),
		Group: c.option("group"), Before: c.option("before"), After: c.option("after")}
	keywords := []string{"op", "meta"}
	if places {
		keywords = append(keywords, "clone", "promotable", "bundle")
	}
	if err := c.validator(&spec.Options); err != nil {
		return nil, err
	}
	if err := c.createSections(spec, sections(c.words[2:], keywords...)); err != nil {
		return nil, err
	}
	ways := 0
	for _, given := range []bool{spec.Clone != nil, spec.Bundle != "", spec.Group != ""} {
		if given {
			ways++
		}
	}
	switch {
	case ways > 1:
		return nil, errors.New("you can specify only one of clone, promotable, bundle or --group")
	case spec.Before != "" && spec.After != "" && spec.Group == "":
		return nil, errors.New("you cannot specify both --before and --after and you have to specify --group")
	case spec.Before != "" && spec.After != "":
		return nil, errors.New("you cannot specify both --before and --after")
	case spec.Before != "" && spec.Group == "":
		return nil, errors.New("you cannot use --before without --group")
	case spec.After != "" && spec.Group == "":
		return nil, errors.New("you cannot use --after without --group")
	}
	return spec, nil
}

func (c *call) createSections(spec *configure.Create, list []section) (err error) {
	if spec.Params, err = pairs(list[0].words); err != nil {
		return err
	}
	var opWords, metaWords []string
	inClone := false
	for _, s := range list[1:] {
		switch s.keyword {
		case "op":
			if opWords, err = appendOps(opWords, s.words); err != nil {
				return err
			}
		case "meta":
			if inClone && c.has("future") {
				more, err := pairs(s.words)
				if err != nil {
					return err
				}
				spec.Clone.Meta = append(spec.Clone.Meta, more...)
				continue
			}
			metaWords = append(metaWords, s.words...)
		case "clone", "promotable":
			if spec.Clone != nil && spec.Clone.Promotable != (s.keyword == "promotable") {
				return errors.New("you can specify only one of clone, promotable, bundle or --group")
			}
			if spec.Clone, err = cloneOptions(s.words, s.keyword == "promotable"); err != nil {
				return err
			}
			inClone = true
		case "bundle":
			if len(s.words) != 1 {
				return errors.New("you have to specify exactly one bundle")
			}
			spec.Bundle = s.words[0]
		}
	}
	if spec.Meta, err = pairs(metaWords); err != nil {
		return err
	}
	spec.Ops, err = ops(opWords)
	return err
}

// cloneOptions reads [ID] [NAME=VALUE]...
func cloneOptions(words []string, promotable bool) (*configure.CloneOptions, error) {
	o := &configure.CloneOptions{Promotable: promotable}
	if len(words) > 0 && !strings.Contains(words[0], "=") && words[0] != "meta" {
		o.ID, words = words[0], words[1:]
	}
	meta, err := pairs(slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "meta" }))
	o.Meta = meta
	if _, given := configure.Lookup(meta, "promotable"); given && promotable && err == nil {
		return nil, errors.New("you cannot specify both promotable option and promotable keyword")
	}
	return o, err
}

// appendOps adds the words behind one op to those behind others.
func appendOps(have, words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, errNoOp
	}
	if strings.Contains(words[0], "=") {
		return nil, errors.New("when using 'op' you must specify an operation name after 'op'")
	}
	return append(have, words...), nil
}

var errNoOp = errors.New("when using 'op' you must specify an operation name and at least one option")

// ops reads ACTION NAME=VALUE... [ACTION NAME=VALUE...]...
func ops(words []string) ([]configure.Op, error) {
	var list []configure.Op
	for i := 0; i < len(words); {
		name := words[i]
		end := i + 1
		for end < len(words) && strings.Contains(words[end], "=") {
			end++
		}
		options, err := pairs(words[i+1 : end])
		switch {
		case err != nil:
			return nil, err
		case len(options) == 0:
			return nil, fmt.Errorf("operation '%s': %w", name, errNoOp)
		}
		if err := opRenamed(name, options); err != nil {
			return nil, err
		}
		list = append(list, configure.Op{Name: name, Pairs: options})
		i = end
	}
	return list, nil
}

// opRenamed refuses an operation that is given another name among its options.
func opRenamed(name string, options []configure.Pair) error {
	if other, given := configure.Lookup(options, "name"); given && other != name {
		return fmt.Errorf("duplicate option 'name' with different values '%s' and '%s'", name, other)
	}
	return nil
}
