package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/simulate"
)

// simulateOptions are the options of crm_simulate.
type simulateOptions struct {
	outputAs, outputTo string
	fancy              bool

	run, simulate, inPlace    bool
	showAttrs, showFailcounts bool
	showScores, showUtil      bool
	profile                   string
	repeat                    int
	events                    simulate.Injections
	opFail                    []string
	setDate                   string
	saveInput, saveOutput     string
	saveGraph, saveDot        string
	allActions                bool
	live, pipe                bool
	file                      string
	version, quiet, help      bool
	verbose                   int
}

func (o *simulateOptions) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("simulate", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	f.StringVar(&o.outputAs, "output-as", "text", "")
	f.StringVar(&o.outputTo, "output-to", "", "")
	f.BoolVar(&o.fancy, "text-fancy", false, "")

	f.BoolVarP(&o.run, "run", "R", false, "")
	f.BoolVarP(&o.simulate, "simulate", "S", false, "")
	f.BoolVarP(&o.inPlace, "in-place", "X", false, "")
	f.BoolVarP(&o.showAttrs, "show-attrs", "A", false, "")
	f.BoolVarP(&o.showFailcounts, "show-failcounts", "c", false, "")
	f.BoolVarP(&o.showScores, "show-scores", "s", false, "")
	f.BoolVarP(&o.showUtil, "show-utilization", "U", false, "")
	f.StringVarP(&o.profile, "profile", "P", "", "")
	f.IntVarP(&o.repeat, "repeat", "N", 1, "")

	f.StringArrayVarP(&o.opFail, "op-fail", "F", nil, "")
	f.StringVarP(&o.setDate, "set-datetime", "t", "", "")
	eventFlags(f, &o.events)

	f.StringVarP(&o.saveInput, "save-input", "I", "", "")
	f.StringVarP(&o.saveOutput, "save-output", "O", "", "")
	f.StringVarP(&o.saveGraph, "save-graph", "G", "", "")
	f.StringVarP(&o.saveDot, "save-dotfile", "D", "", "")
	f.BoolVarP(&o.allActions, "all-actions", "a", false, "")

	f.BoolVarP(&o.live, "live-check", "L", false, "")
	f.StringVarP(&o.file, "xml-file", "x", "", "")
	f.BoolVarP(&o.pipe, "xml-pipe", "p", false, "")

	f.BoolVarP(&o.version, "version", "$", false, "")
	f.CountVarP(&o.verbose, "verbose", "V", "")
	f.BoolVarP(&o.quiet, "quiet", "Q", false, "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	for _, topic := range []string{"all", "output", "operations", "synthetic", "artifact", "source"} {
		f.BoolVar(&o.help, "help-"+topic, false, "")
	}
	return f
}

// eventFlags are the options for events before planning.
func eventFlags(f *pflag.FlagSet, e *simulate.Injections) {
	f.StringArrayVarP(&e.NodesUp, "node-up", "u", nil, "")
	f.StringArrayVarP(&e.NodesDown, "node-down", "d", nil, "")
	f.StringArrayVarP(&e.NodesFail, "node-fail", "f", nil, "")
	f.StringArrayVarP(&e.Ops, "op-inject", "i", nil, "")
	f.StringVarP(&e.Quorum, "quorum", "q", "", "")
	f.StringVarP(&e.Watchdog, "watchdog", "w", "", "")
	f.StringArrayVarP(&e.TicketsGrant, "ticket-grant", "g", nil, "")
	f.StringArrayVarP(&e.TicketsRevoke, "ticket-revoke", "r", nil, "")
	f.StringArrayVarP(&e.TicketsStandby, "ticket-standby", "b", nil, "")
	f.StringArrayVarP(&e.TicketsActivate, "ticket-activate", "e", nil, "")
}

// parseFlags reads options and words an error the way the field's tools do.
func parseFlags(f *pflag.FlagSet, args []string) error {
	err := f.Parse(args)
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		if unknown.GetSpecifiedShortnames() != "" {
			//lint:ignore ST1005 the words of the command that this stands for
			return fmt.Errorf("Unknown option -%s", unknown.GetSpecifiedName())
		}
		//lint:ignore ST1005 the words of the command that this stands for
		return fmt.Errorf("Unknown option --%s", unknown.GetSpecifiedName())
	case errors.As(err, &missing):
		//lint:ignore ST1005 the words of the command that this stands for
		return fmt.Errorf("Missing argument for %s", optionName(missing.GetFlag()))
	}
	return err
}

func optionName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand
	}
	return "--" + f.Name
}

// processes reports whether the cluster's reaction is to be worked out.
func (o *simulateOptions) processes() bool {
	return o.run || o.simulates() || o.showScores || o.showUtil || o.saveGraph != "" || o.saveDot != ""
}

// simulates reports whether the reaction is to be carried out.
func (o *simulateOptions) simulates() bool { return o.simulate || o.inPlace || len(o.opFail) > 0 }

const simulateHelp = `Usage:
  NAME [OPTION...]

Simulate a cluster's response to events: plan with a CIB (-R), and carry the plan out on a copy of it (-S).

Output:
      --output-as=FORMAT        text (default), xml or json
      --output-to=FILE          where to write it, "-" for standard output
      --text-fancy              headings and bullets, also with -s and -U

Operations:
  -R, --run                     say what the cluster will do
  -S, --simulate                also carry it out, and show the status after it
  -X, --in-place                like -S, and store the result back to the input file
  -A, --show-attrs              show node attributes
  -c, --show-failcounts         show fail counts
  -s, --show-scores             show how nodes scored for resources
  -U, --show-utilization        show utilization
  -P, --profile=DIR             plan with every XML file of a directory and show the time it takes
  -N, --repeat=N                with -P: each of them N times

Events, before planning:
  -u, --node-up=NODE            a node comes online
  -d, --node-down=NODE          a node goes offline
  -f, --node-fail=NODE          a node fails
  -i, --op-inject=OPSPEC        an operation had this result
  -F, --op-fail=OPSPEC          an operation will fail when it comes to be carried out
  -t, --set-datetime=DATETIME   the time (ISO 8601)
  -q, --quorum=QUORUM           1: there is quorum, 0: there is none
  -w, --watchdog=DEVICE         1: there is a watchdog, 0: there is none
  -g, --ticket-grant=TICKET     a ticket is granted
  -r, --ticket-revoke=TICKET    a ticket is revoked
  -b, --ticket-standby=TICKET   a ticket is made standby
  -e, --ticket-activate=TICKET  a ticket is activated

Files:
  -I, --save-input=FILE         the CIB with the events
  -O, --save-output=FILE        the CIB after the simulation
  -G, --save-graph=FILE         the plan, as XML
  -D, --save-dotfile=FILE       the plan, for Graphviz
  -a, --all-actions             with -D: also actions that there is no need for

Input:
  -x, --xml-file=FILE           a CIB in a file
  -p, --xml-pipe                a CIB on standard input
  -L, --live-check              the running cluster's CIB

  -V, --verbose                 more, also on standard error
  -Q, --quiet                   only what is essential
  -$, --version                 the version

OPSPEC is RESOURCE_TASK_INTERVAL@NODE=RC with the interval in milliseconds: web_monitor_20000@node1=7 says
that the monitor of web found it stopped on node1.
`

func helpText(name string) string { return strings.ReplaceAll(simulateHelp, "NAME", name) }
