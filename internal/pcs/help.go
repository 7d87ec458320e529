package pcs

import (
	"fmt"
	"io"
	"strings"
)

// top prints what there is.
func (c *call) top(w io.Writer) {
	fmt.Fprintf(w, "Usage: %s [-f FILE] [--dry-run] COMMAND...\n\nCommands:\n", c.program)
	for _, n := range nouns() {
		fmt.Fprintf(w, "  %-12s %s\n", n.name, firstSentence(n.what))
	}
	fmt.Fprintf(w, "\n'%s help COMMAND' says more. Options of all commands:\n"+
		"  -f FILE      work on the CIB in a file instead of on the cluster\n"+
		"  --dry-run    show what the cluster would do, and change nothing\n"+
		"  --force      do what is only doubtful\n"+
		"  --help, --version\n", c.program)
}

// helpOn prints the usage of what words name.
func (c *call) helpOn(words []string) error {
	if len(words) == 0 {
		c.top(c.Stdout)
		return nil
	}
	var rest []string
	c.path, c.verb, rest = follow(words)
	if c.verb == nil || len(rest) > 0 {
		return c.unknown(words[len(words)-1], names(nouns()))
	}
	c.usage(c.Stdout)
	return nil
}

// usage prints how the verb of the call, and those below it, are called.
func (c *call) usage(w io.Writer) {
	fmt.Fprintf(w, "\nUsage: %s %s...\n", c.program, strings.Join(c.path, " "))
	printUsage(w, c.verb, strings.Join(c.path[1:], " "))
}

func printUsage(w io.Writer, v *verb, words string) {
	if v.run != nil {
		fmt.Fprintln(w)
		wrapped(w, usageLine(v, words), 4, 8)
		wrapped(w, v.what, 8, 8)
	}
	first := find(v.sub, v.bare) // what is meant when none is named
	for _, s := range v.sub {
		if s == first {
			printUsage(w, s, strings.TrimSpace(words+" "+s.name))
		}
	}
	for _, s := range v.sub {
		if s != first {
			printUsage(w, s, strings.TrimSpace(words+" "+s.name))
		}
	}
}

// usageLine is how a verb is called: words lead to it.
func usageLine(v *verb, words string) string {
	line := strings.TrimSpace(words + " " + v.args)
	for _, o := range v.options {
		line += " [--" + o + map[int]string{valued: "=VALUE", optional: "[=VALUE]"}[optionKinds()[o]] + "]"
	}
	return line
}

// wrapped prints a text in lines of up to 80 letters.
func wrapped(w io.Writer, text string, first, indent int) {
	line := strings.Repeat(" ", first)
	begun := false
	for _, word := range strings.Fields(text) {
		if begun && len(line)+1+len(word) > 80 {
			fmt.Fprintln(w, line)
			line, begun = strings.Repeat(" ", indent), false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	if begun {
		fmt.Fprintln(w, line)
	}
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}
