package pcs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/declare"
	"github.com/cerco-ha/cerco/internal/secret"
)

func declareNouns() []*verb {
	return []*verb{
		{name: "apply", args: "FILE | -f FILE", ownFile: true, options: []string{"wait"}, run: apply,
			what: "Make the configuration what a file says, YAML or XML. It shows what that changes and what the cluster would do, asks, and does it " +
				"in one change; what the file says already changes nothing. --yes does not ask, --dry-run only shows. " +
				"'-f CIB apply FILE' works on the CIB in a file."},
		{name: "export", args: "[FILE | -o FILE]", options: []string{"output", "out"}, run: export,
			what: "Write the configuration as a file that 'apply' takes: --output=yaml (the default) or xml. It has the passwords of fence devices in it: " +
				"only you can read the FILE."},
	}
}

// declared reads the file that is to hold: the word, else the last -f, which then is none of the world's.
func (c *call) declared() (*declare.Declared, string, error) {
	name := ""
	switch files := c.options["f"]; {
	case len(c.words) > 1:
		return nil, "", c.misused("one file is applied at a time, and there are %d: %s", len(c.words), strings.Join(c.words, ", "))
	case len(c.words) == 1:
		name = c.words[0]
	case len(files) > 0:
		name = files[len(files)-1]
		c.options["f"] = files[:len(files)-1]
	default:
		return nil, "", c.misused("which file? '%s apply FILE.yaml'; '%s export' writes one to begin with", c.program, c.program)
	}
	var in io.Reader = c.Stdin
	if name == "-" {
		name = "standard input"
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, "", fmt.Errorf("unable to read what is to be applied: %w", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, declare.MostBytes+1))
	if err != nil {
		return nil, "", fmt.Errorf("unable to read what is to be applied: %s: %w", name, err)
	}
	d, err := declare.Parse(name, data)
	return d, name, err
}

func apply(c *call) error {
	d, name, err := c.declared()
	if err != nil {
		return err
	}
	if c.onFile() && c.has("wait") {
		return errors.New("cannot use '-f' together with '--wait': nothing happens that could be waited for")
	}
	w, err := c.world()
	if err != nil {
		return err
	}
	doc, err := w.read()
	if err != nil {
		return err
	}
	to, err := d.On(doc.Root, !c.onFile())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if cib.Equal(doc.Root, to) {
		c.note("The configuration is what %s says; nothing to do.", name)
		return nil
	}
	fmt.Fprintf(c.Stdout, "What %s changes\n", name)
	for _, line := range differences(doc.Root, to) {
		fmt.Fprintf(c.Stdout, "  %s\n", line)
	}
	fmt.Fprintln(c.Stdout)
	if c.has("dry-run") {
		return c.commit(w, doc, to)
	}
	if !c.has("yes") {
		if err := c.agreed(doc, to); err != nil {
			return err
		}
	}
	if err := c.commit(w, doc, to); err != nil {
		return err
	}
	c.note("The configuration is what %s says.", name)
	return nil
}

// agreed shows what the cluster would do about a change, and asks. What could not be committed is said before that.
func (c *call) agreed(doc *cib.CIB, to *cib.Element) error {
	dry := *c
	dry.options = map[string][]string{"dry-run": {""}}
	if err := dry.commit(nil, doc, to); err != nil {
		return err
	}
	fmt.Fprint(c.Stdout, "\nApply it? [y/N] ")
	if f, ok := c.Stdout.(interface{ Flush() error }); ok {
		if err := f.Flush(); err != nil {
			return err
		}
	}
	line, err := bufio.NewReader(c.Stdin).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); answer == "y" || answer == "yes" {
		return nil
	}
	fmt.Fprintln(c.Stdout)
	if err != nil && line == "" {
		return errors.New("nobody answers, so nothing was changed: --yes does not ask")
	}
	return errors.New("nothing was changed")
}

// differences tells, element by element, what makes one configuration of another. Secrets are masked.
func differences(from, to *cib.Element) []string {
	var out []string
	at := secret.InCIB(from)
	for _, ch := range cib.Diff(secret.InCIB(from), secret.InCIB(to)).Changes {
		switch path := strings.TrimPrefix(ch.Path, "/cib"); ch.Op {
		case cib.Create:
			out = append(out, "+ "+path+"/"+newStep(ch.Element))
		case cib.Delete:
			out = append(out, "- "+path)
		case cib.Move:
			out = append(out, "~ "+path+" comes elsewhere")
		default:
			out = append(out, "~ "+path+modified(at, ch))
		}
	}
	if len(out) == 0 {
		out = []string{"~ secrets: passwords and the like, which are not shown"}
	}
	return out
}

// newStep is an element as a step of a path, with the value of a pair.
func newStep(e *cib.Element) string {
	s := e.Name
	if id := e.ID(); id != "" {
		s += "[@id='" + id + "']"
	}
	if name := e.Attr("name"); name != "" {
		s += ": " + name
		if value, ok := e.Lookup("value"); ok {
			s += "=" + value
		}
	}
	return s
}

// modified tells which attributes an element has otherwise than before.
func modified(root *cib.Element, ch cib.Change) string {
	found, err := cib.Query(root, ch.Path)
	if err != nil || len(found) != 1 {
		return ""
	}
	was := found[0].Element()
	var parts []string
	for name, value := range ch.Element.Attrs() {
		if old, ok := was.Lookup(name); !ok {
			parts = append(parts, fmt.Sprintf("%s is now %s", name, value))
		} else if old != value {
			parts = append(parts, fmt.Sprintf("%s %s -> %s", name, old, value))
		}
	}
	for name, old := range was.Attrs() {
		if _, ok := ch.Element.Lookup(name); !ok {
			parts = append(parts, fmt.Sprintf("without %s, which was %s", name, old))
		}
	}
	return ": " + strings.Join(parts, ", ")
}

func export(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	write, ok := map[string]func(*cib.Element) ([]byte, error){"": declare.YAML, "yaml": declare.YAML, "xml": declare.XML}[c.option("output")]
	if !ok {
		return c.misused("the form '%s' is not known: it is --output=yaml or --output=xml", c.option("output"))
	}
	file := c.option("out")
	if len(c.words) == 1 {
		if file != "" {
			return c.misused("one file is written, and there are two: %s, %s", file, c.words[0])
		}
		file = c.words[0]
	}
	w, err := c.world()
	if err != nil {
		return err
	}
	doc, err := w.read()
	if err != nil {
		return err
	}
	data, err := write(doc.Root)
	if err != nil {
		return err
	}
	if file == "" {
		if !cib.Equal(secret.InCIB(doc.Root), doc.Root) {
			c.warnf("this shows passwords, since 'apply' needs them; '-o FILE' writes a file that only you can read")
		}
		_, err = c.Stdout.Write(data)
		return err
	}
	if err := private(file); err != nil {
		return err
	}
	if err := cibfile.Write(file, data); err != nil {
		return err
	}
	c.note("The configuration, version %s, is in %s", doc.Version, file)
	return nil
}

// private makes a file that only its owner can read, if it is not there.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}
