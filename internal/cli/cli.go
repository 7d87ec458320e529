// Package cli is the command line: cerco's own commands, and those of the field that it answers to by
// their names. It owns options, the text, XML and JSON that people and scripts read, and exit codes.
//
// It promises that a command prints what the command of the same name prints in Pacemaker 2.1.5, and that
// an error says what is wrong, where, and what to do. Everything a command needs from outside is in Env;
// it never looks at a clock, a stream or an environment variable of its own accord.
package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Env is the world as a command sees it.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time

	Context context.Context // ends the commands that wait; nil: nothing does
	Socket  string          // of the daemon of this node
	Others  []Command       // more commands, first in the list of them
}

// Exit codes, those of sysexits.h and Pacemaker.
const (
	exitOK      = 0
	exitError   = 1
	exitUsage   = 64
	exitNoInput = 66
	exitIOErr   = 74
	exitConfig  = 78
	exitCantOut = 73
	exitNoLive  = 69 // there is no cluster to talk to
	exitFormat  = 105
)

const versionLine = "Cerco; its commands are those of Pacemaker 2.1.5"

// command is one command: its name, a line about it, and what it does.
type command struct {
	name string
	what string
	run  func(c *call) int
}

// call is one call of a command.
type call struct {
	Env
	name string   // as it was called, for messages
	args []string // without the command's own name
}

func commands() []command {
	return []command{
		{"simulate", "plan with a CIB, and carry the plan out on a copy of it (crm_simulate)", simulateCommand},
		{"verify", "check a configuration (crm_verify)", verifyCommand},
		{"explain", "say why a resource is, or will be, where it is, and why not elsewhere", explainCommand},
		{"plan", "show what a change of configuration would do", planCommand},
		{"status", "show the cluster, and what it waits for", clusterStatusCommand},
		{"history", "list the plans that were made, show one, or make it again", historyCommand},
		{"events", "tell what happens, as it happens", eventsCommand},
		{"stonith", "cut a node off, confirm that one is off, and what was fenced", stonithCommand},
		{"crm_simulate", "the same as simulate", simulateCommand},
		{"crm_verify", "the same as verify", verifyCommand},
	}
}

// Command is a command that another package has, and that stands in the same table.
type Command struct {
	Name string
	What string
	Run  func(args []string) int // without the command's own name
}

// Main runs the command that args[0], the name the program was called by, or else the first argument
// names, and returns the exit code.
func Main(env Env, args []string) int {
	all := commands()
	find := func(name string) int {
		return slices.IndexFunc(all, func(c command) bool { return c.name == name })
	}
	if len(args) > 0 {
		if name := filepath.Base(args[0]); strings.HasPrefix(name, "crm_") {
			if i := find(name); i >= 0 {
				return all[i].run(&call{Env: env, name: name, args: args[1:]})
			}
			fmt.Fprintf(env.Stderr, "cerco: called as %s, which it does not know; it answers to crm_simulate and crm_verify\n", name)
			return exitUsage
		}
		args = args[1:]
	}
	if len(args) == 0 {
		usage(env.Stderr, all, env.Others)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "--help":
		usage(env.Stdout, all, env.Others)
		return exitOK
	}
	for _, c := range env.Others {
		if c.Name == args[0] {
			return c.Run(args[1:])
		}
	}
	i := find(args[0])
	if i < 0 {
		fmt.Fprintf(env.Stderr, "cerco: there is no command %q; cerco help lists them\n", args[0])
		return exitUsage
	}
	name := args[0]
	if !strings.HasPrefix(name, "crm_") {
		name = "cerco " + name
	}
	return all[i].run(&call{Env: env, name: name, args: args[1:]})
}

func usage(w io.Writer, all []command, others []Command) {
	fmt.Fprint(w, "Usage: cerco COMMAND [OPTION...]\n\nCommands:\n")
	for _, c := range others {
		fmt.Fprintf(w, "  %-14s %s\n", c.Name, c.What)
	}
	for _, c := range all {
		if !slices.ContainsFunc(others, func(o Command) bool { return o.Name == c.name }) { // or it is listed already
			fmt.Fprintf(w, "  %-14s %s\n", c.name, c.what)
		}
	}
	fmt.Fprint(w, "\ncerco COMMAND --help says more about one of them. Under the names of Pacemaker's tools (crm_mon, cibadmin,\n"+
		"crm_resource, crm_attribute, stonith_admin and more; cerco links makes them) it is those tools.\n")
}

// errorf prints an error and returns the exit code, so that a command can end with it.
func (c *call) errorf(code int, format string, args ...any) int {
	fmt.Fprintf(c.Stderr, "%s: %s\n", c.name, fmt.Sprintf(format, args...))
	return code
}

// Named lists the commands of this package: names, and what each does.
func Named() [][2]string {
	var list [][2]string
	for _, c := range commands() {
		list = append(list, [2]string{c.name, c.what})
	}
	return list
}
