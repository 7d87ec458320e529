package compat

import (
	"fmt"
	"strings"
)

// argument says whether an option takes one.
type argument uint8

const (
	none     argument = iota
	required          // the rest of a short option, or the next word
	optional          // the rest, or the next word unless that is an option
	attached          // only if it is attached: -m2, --name=2
)

// option is one option of a tool.
type option struct {
	short byte // 0: none
	long  string
	takes argument
	set   func(value string, given bool)
}

// flagTo is an option that sets a bool.
func flagTo(short byte, long string, to *bool) option {
	return option{short, long, none, func(string, bool) { *to = true }}
}

// textTo is an option that sets a string.
func textTo(short byte, long string, to *string) option {
	return option{short, long, required, func(v string, _ bool) { *to = v }}
}

// command is an option that chooses what is done; the last one wins.
func command(short byte, long string, to *string) option {
	return option{short, long, none, func(string, bool) { *to = long }}
}

// commandWith is a command with an argument.
func commandWith(short byte, long string, to, value *string) option {
	return option{short, long, required, func(v string, _ bool) { *to, *value = long, v }}
}

// usageError is a mistake in a command line.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// parseOptions reads a command line. What is no option is returned.
func parseOptions(args []string, list []option) (rest []string, err error) {
	p := &optionParser{args: args, list: list}
	for len(p.args) > 0 {
		a := p.args[0]
		p.args = p.args[1:]
		switch {
		case a == "--":
			return append(p.rest, p.args...), nil
		case strings.HasPrefix(a, "--"):
			err = p.long(a[2:])
		case len(a) > 1 && a[0] == '-':
			err = p.shorts(a[1:])
		default:
			p.rest = append(p.rest, a)
		}
		if err != nil {
			return nil, err
		}
	}
	return p.rest, nil
}

type optionParser struct {
	args, rest []string
	list       []option
}

// long reads "name", "name=value" or, for what takes one, "name" and the next word. A name may be cut short where that
// is not ambiguous.
func (p *optionParser) long(text string) error {
	name, value, given := strings.Cut(text, "=")
	var found *option
	for i := range p.list {
		if p.list[i].long == name {
			found = &p.list[i]
			break
		}
	}
	if found == nil {
		return &usageError{"Unknown option --" + name}
	}
	if given && found.takes == none {
		return &usageError{fmt.Sprintf("Option --%s takes no argument", name)}
	}
	if !given {
		var err error
		if value, given, err = p.value(found, "--"+name); err != nil {
			return err
		}
	}
	found.set(value, given)
	return nil
}

// value is the next word for an option that takes one.
func (p *optionParser) value(o *option, name string) (string, bool, error) {
	next := len(p.args) > 0
	switch {
	case o.takes == required && !next:
		return "", false, &usageError{"Missing argument for " + name}
	case o.takes == required, o.takes == optional && next && (p.args[0] == "" || p.args[0][0] != '-'):
		v := p.args[0]
		p.args = p.args[1:]
		return v, true, nil
	}
	return "", false, nil
}

// shorts reads a bundle of short options.
func (p *optionParser) shorts(text string) error {
	for i := 0; i < len(text); i++ {
		var found *option
		for k := range p.list {
			if p.list[k].short == text[i] {
				found = &p.list[k]
			}
		}
		if found == nil {
			return &usageError{"Unknown option -" + text[i:i+1]}
		}
		if found.takes == none {
			found.set("", false)
			continue
		}
		if i+1 < len(text) {
			found.set(strings.TrimPrefix(text[i+1:], "="), true)
			return nil
		}
		value, given, err := p.value(found, "-"+text[i:i+1])
		if err != nil {
			return err
		}
		found.set(value, given)
	}
	return nil
}

// common are the options that all tools with structured output have.
type common struct {
	outputAs, outputTo string
	version, help      bool
	fancy              bool
	verbose            int
}

func (o *common) options() []option {
	list := []option{
		textTo(0, "output-as", &o.outputAs), textTo(0, "output-to", &o.outputTo), flagTo(0, "text-fancy", &o.fancy),
		flagTo('$', "version", &o.version), flagTo('?', "help", &o.help),
		{'V', "verbose", none, func(string, bool) { o.verbose++ }},
	}
	for _, topic := range []string{"all", "output", "selections", "command", "commands", "additional", "queries", "required",
		"locations", "advanced", "display", "deprecated", "definition", "fence"} {
		list = append(list, flagTo(0, "help-"+topic, &o.help))
	}
	return list
}

// parse reads the command line with the common options and the tool's own. done is true when there is nothing more to do.
func (c *call) parse(o *common, own []option) (rest []string, code int, done bool) {
	rest, err := parseOptions(c.args, append(own, o.options()...))
	switch {
	case err != nil:
		return nil, c.errorf(exitUsage, "%s", err), true
	case o.version:
		return nil, c.version(), true
	case o.help:
		c.help(own, o.options())
		return nil, exitOK, true
	case o.outputAs != "" && o.outputAs != "text" && o.outputAs != "xml" && o.outputAs != "console" && o.outputAs != "html":
		return nil, c.errorf(exitUsage, "Invalid value for --output-as: %s", o.outputAs), true
	}
	return rest, exitOK, false
}

// help lists the options.
func (c *call) help(own, all []option) {
	c.printf("Usage:\n  %s [OPTION...]\n\nAnswers like Pacemaker's tool of that name; its manual page tells what the options mean.\n\nOptions:\n", c.name)
	for _, o := range append(own, all...) {
		s := "      "
		if o.short != 0 {
			s = "  -" + string(o.short) + ", "
		}
		if strings.HasPrefix(o.long, "help-") {
			continue
		}
		arg := ""
		switch o.takes {
		case required:
			arg = "=VALUE"
		case optional, attached:
			arg = "[=VALUE]"
		}
		c.printf("%s--%s%s\n", s, o.long, arg)
	}
}
