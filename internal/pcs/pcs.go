// Package pcs is the command tree: Cerco speaks the language of pcs, of the dialects 0.9, 0.11 and 0.12, as `pcs`, as
// `cerco pcs` and as `cerco NOUN`.
//
// It owns the grammar, the options, help, the order in which things are said and on which stream, and the exit codes. It
// promises that a spelling of any of the three dialects works and that an older one is said to be one, that
// text which was damaged in print is understood or refused with the command that was meant, and that a change
// is made whole or not at all, on a file as on a cluster. What a command makes of a configuration is decided by package
// configure, never here.
package pcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/report"
	"github.com/cerco-ha/cerco/internal/wire"
)

// Env is the world as a command sees it.
type Env struct {
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Now      func() time.Time
	Getenv   func(string) string
	Hostname func() (string, error)
	Context  context.Context  // ends what waits
	Socket   string           // of the daemon of this node
	Agents   configure.Agents // of this host
	Host     report.Host      // this one, for a report
	// Dial connects to a peer, to see whether it can be reached; nil: by the network of this host.
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Others func() []Noun // commands that the program has besides the tree
	// Own runs a command of Cerco's own, as "cluster", "invite", and returns its exit code; nil: there is none.
	Own func(args []string) int
	// Preview shows what the cluster would do about a change of configuration.
	Preview func(w io.Writer, before, after *cib.CIB) error
}

// Version is the pcs whose language this is.
const Version = "0.11.5"

// exit is an error that has been reported already: it ends the call with a code.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Exit codes, those of pcs.
const (
	exitOK    = 0
	exitError = 1
)

// Main runs the command that args, without the program's own name, spell. name is what the program is called in
// messages: "pcs" or "cerco".
func Main(env Env, name string, args []string) int {
	c := &call{Env: env, program: name}
	if words, ok := completing(args); ok {
		return c.conclude(c.completions(words))
	}
	err := c.dispatch(args)
	return c.conclude(err)
}

// Noun is a word that a command can begin with.
type Noun struct{ Name, What string }

// Nouns lists those of the tree.
func Nouns() []Noun {
	var list []Noun
	for _, v := range nouns() {
		list = append(list, Noun{v.name, firstSentence(v.what)})
	}
	return list
}

// conclude reports an error, and returns the exit code.
func (c *call) conclude(err error) int {
	var code exit
	var usage *usageError
	var refusal *configure.Refusal
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		c.errorf("%s", usage.text)
		if at := c.verb; at != nil && !strings.Contains(usage.text, "help") {
			c.usage(c.Stderr)
		}
	case errors.As(err, &refusal):
		for _, p := range refusal.List {
			hint := ""
			if p.Forcible {
				hint = ", use --force to override"
			}
			c.errorf("%s%s", p.Text, hint)
		}
	case errors.Is(err, errNobody), client.HasCode(err, wire.CodeNoLeader):
		c.errorf("%v%s", err, c.whoIsMissing())
	default:
		c.errorf("%v", err)
	}
	return exitError
}

func (c *call) errorf(format string, args ...any) {
	fmt.Fprintf(c.Stderr, "Error: %s\n", fmt.Sprintf(format, args...))
}

func (c *call) warnf(format string, args ...any) {
	fmt.Fprintf(c.Stderr, "Warning: %s\n", fmt.Sprintf(format, args...))
}

// dispatch finds the verb that a command line means, and runs it.
func (c *call) dispatch(args []string) error {
	args, notes, err := repair(args)
	if err != nil {
		return err
	}
	for _, n := range notes {
		c.warnf("%s", n)
	}
	p, err := parse(args)
	if err != nil {
		return err
	}
	if err := c.rewrite(p); err != nil {
		return err
	}
	c.options = p.options
	if len(p.words) == 0 {
		return c.noWords()
	}
	if p.words[0] == "help" {
		return c.helpOn(p.words[1:])
	}
	c.path, c.verb, c.words = route(p.words)
	switch {
	case c.verb == nil:
		return c.unknown(p.words[0], names(nouns()))
	case c.has("help"), len(c.words) == 1 && c.words[0] == "help":
		c.path, c.verb, _ = follow(p.words)
		c.usage(c.Stdout)
		return nil
	case c.verb.run == nil && len(c.words) == 0:
		c.usage(c.Stderr)
		return exit(exitError)
	case c.verb.run == nil:
		return c.unknown(c.words[0], names(c.verb.sub))
	}
	if err := c.allowed(); err != nil {
		return err
	}
	return c.verb.run(c)
}

func (c *call) noWords() error {
	switch {
	case c.has("version"):
		fmt.Fprintln(c.Stdout, Version)
	case c.has("help"):
		c.top(c.Stdout)
	default:
		c.top(c.Stderr)
		return exit(exitError)
	}
	return nil
}

// unknown refuses a word that is no name of the tree.
func (c *call) unknown(word string, known []string) error {
	where := c.program
	if len(c.path) > 0 {
		where += " " + strings.Join(c.path, " ")
	}
	return &usageError{fmt.Sprintf("'%s' knows no command '%s'%s; '%s help' lists them", where, word, didYouMean(word, known), where)}
}
