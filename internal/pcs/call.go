package pcs

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

// call is one call of a command.
type call struct {
	Env
	program string // as the user calls it: "pcs" or "cerco"
	verb    *verb
	path    []string // the words that lead to the verb
	words   []string // behind it
	options map[string][]string
	opened  world
}

// has reports whether an option was given.
func (c *call) has(option string) bool { return len(c.options[option]) > 0 }

// option is the value of an option, the last one if it was given several times.
func (c *call) option(name string) string {
	if list := c.options[name]; len(list) > 0 {
		return list[len(list)-1]
	}
	return ""
}

// allowed refuses options that the verb does not take.
func (c *call) allowed() error {
	if c.verb.loose {
		return nil
	}
	known := append(everywhere(), c.verb.options...)
	if c.verb.live {
		known = append(known, onCluster()...)
	}
	for _, name := range sortedKeys(c.options) {
		switch {
		case name == "f" && c.verb.ownFile:
		case len(c.options[name]) > 1 && name != "addr": // a node has one for each link
			return &usageError{fmt.Sprintf("%s can only be used once", spelled(name))}
		case name != "f" && !slices.Contains(known, name):
			return c.unsupported(name)
		}
	}
	if c.verb.live && c.has("f") {
		return &usageError{"Specified option '-f' is not supported in this command: it is about a running cluster"}
	}
	if c.verb.live && c.has("dry-run") && !slices.Contains(c.verb.options, "dry-run") {
		return &usageError{"Specified option '--dry-run' is not supported in this command: it acts at once, on what is no configuration"}
	}
	if c.has("f") && c.has("wait") && !c.verb.ownFile {
		return fmt.Errorf("cannot use '-f' together with '--wait': nothing happens that could be waited for")
	}
	return nil
}

// unsupported refuses an option that this form of the command does not take.
func (c *call) unsupported(option string) error {
	return &usageError{fmt.Sprintf("Specified option '%s' is not supported in this command", spelled(option))}
}

func spelled(option string) string {
	if len(option) == 1 {
		return "-" + option
	}
	return "--" + option
}

// usageFor is the error of words that the verb cannot make sense of.
func (c *call) misused(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// want checks the number of words; most < 0 stands for any number.
func (c *call) want(least, most int) error {
	switch {
	case len(c.words) < least:
		return c.misused("'%s' needs more words", strings.Join(c.path, " "))
	case most >= 0 && len(c.words) > most:
		return c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), strings.Join(c.words[most:], " "))
	}
	return nil
}

// pairs reads words of the form NAME=VALUE. A name that comes twice must have the same value.
func pairs(words []string) ([]configure.Pair, error) {
	var list []configure.Pair
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		switch {
		case !ok:
			return nil, fmt.Errorf("missing value of '%s' option", w)
		case name == "":
			return nil, fmt.Errorf("missing key in '%s' option", w)
		}
		if old, have := configure.Lookup(list, name); have {
			if old != value {
				return nil, fmt.Errorf("duplicate option '%s' with different values '%s' and '%s'", name, old, value)
			}
			continue
		}
		list = append(list, configure.Pair{Name: name, Value: value})
	}
	return list, nil
}

// section is a keyword and the words behind it.
type section struct {
	keyword string // empty: before the first keyword
	words   []string
}

// sections cuts words at keywords. The first section, without a keyword, is always there.
func sections(words []string, keywords ...string) []section {
	list := []section{{}}
	for _, w := range words {
		if slices.Contains(keywords, w) {
			list = append(list, section{keyword: w})
			continue
		}
		last := &list[len(list)-1]
		last.words = append(last.words, w)
	}
	return list
}

// show has f print what a configuration says.
func (c *call) show(f func(doc *cib.CIB, w io.Writer) error) error {
	doc, err := c.latest()
	if err != nil {
		return err
	}
	return f(doc, c.Stdout)
}

// attempts is how often a change is made anew because others were faster.
const attempts = 10

// change has f change the configuration, says what there is to say of it, and commits it. Where others have changed the
// configuration meanwhile, and nothing that f has changed, f is run again on what there is now.
func (c *call) change(f func(d *configure.Draft) error) error {
	w, doc, err := c.document()
	if err != nil {
		return err
	}
	var said []string
	for try := 1; ; try++ {
		d := configure.Of(doc)
		d.Force = c.has("force")
		err = f(d)
		said = c.tell(d, said)
		if err == nil {
			err = d.Refused()
		}
		if err != nil {
			return err
		}
		err = c.commit(w, doc, d.Root())
		var moved *movedError
		if !errors.As(err, &moved) || try == attempts {
			return err
		}
		if _, failed := merged(doc.Root, d.Root(), moved.now.Root); failed != nil {
			return failed
		}
		doc = moved.now
	}
}

// tell prints the notes of a draft but those that were said, and returns all that are now.
func (c *call) tell(d *configure.Draft, said []string) []string {
	now := said
	for _, n := range d.Notes() {
		prefix := map[configure.Kind]string{configure.Warning: "Warning: ", configure.Deprecation: "Deprecation Warning: "}[n.Kind]
		if line := prefix + n.Text; !slices.Contains(said, line) {
			now = append(now, line)
			fmt.Fprintln(c.Stderr, line)
		}
	}
	return now
}

// commit makes a change. With --dry-run it only shows what the cluster would do.
func (c *call) commit(w world, from *cib.CIB, to *cib.Element) error {
	if cib.Equal(from.Root, to) {
		return nil
	}
	after, err := cib.DecodeRoot(from.File, to)
	if err != nil {
		return err
	}
	if bad := cib.CheckSchema(from, after); len(bad) > 0 {
		r := &configure.Refusal{}
		for _, p := range bad {
			r.List = append(r.List, configure.Problem{Text: p.String()})
		}
		return r
	}
	if c.has("dry-run") {
		return c.preview(from, after)
	}
	return w.write(from, to)
}

// preview shows what the cluster would do about a change.
func (c *call) preview(before, after *cib.CIB) error {
	if c.Preview == nil {
		return fmt.Errorf("this program cannot show what a change would do")
	}
	return c.Preview(c.Stdout, before, after)
}

// deprecate says that there is a newer way.
func (c *call) deprecate(format string, args ...any) {
	fmt.Fprintf(c.Stderr, "Deprecation Warning: %s\n", fmt.Sprintf(format, args...))
}

// isPair reports whether a word is NAME=VALUE.
func isPair(word string) bool { return strings.Contains(word, "=") }
