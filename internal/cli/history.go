package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

const historyHelp = `Usage:
  NAME [PLAN] [OPTION...]

Lists the plans that the cluster has made, or shows one of them: PLAN is its name in the list, or "last".
What a plan was made from is kept, so that it can be made again: --explain does, and so does
NAME PLAN --cib > FILE; cerco simulate -S -x FILE; cerco explain RESOURCE -x FILE.

`

// historyCall is one call of cerco history.
type historyCall struct {
	*call
	number                    int
	graph, cib, explain, json bool
}

func historyCommand(c *call) int {
	h := &historyCall{call: c}
	f := pflag.NewFlagSet("history", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.IntVarP(&h.number, "number", "n", 20, "list so many; 0: all that are kept")
	f.BoolVar(&h.cib, "cib", false, "print the CIB that the plan was made from")
	f.BoolVar(&h.graph, "graph", false, "print the graph of its actions (XML)")
	f.BoolVar(&h.explain, "explain", false, "make the plan again, and show it as cerco simulate does")
	f.BoolVar(&h.json, "json", false, "print JSON")
	if code, ok := c.options(f, historyHelp); !ok {
		return code
	}
	d, ctx, err := c.daemon()
	if err != nil {
		return c.errorf(exitNoLive, "%v", err)
	}
	defer d.Close()
	switch f.NArg() {
	case 0:
		if h.cib || h.graph || h.explain {
			return c.errorf(exitUsage, "name the plan, or \"last\"")
		}
		return h.list(ctx, d)
	case 1:
		return h.one(ctx, d, f.Arg(0))
	}
	return c.errorf(exitUsage, "%q is too much", f.Arg(1))
}

func (h *historyCall) list(ctx context.Context, d *client.Client) int {
	list, err := d.Transitions(ctx, h.number)
	if err != nil {
		return h.failed(err)
	}
	if h.json {
		if writeJSON(h.Stdout, list) != nil {
			return exitCantOut
		}
		return exitOK
	}
	if len(list) == 0 {
		fmt.Fprintln(h.Stdout, "No plan has been made yet.")
	}
	for i := len(list) - 1; i >= 0; i-- {
		t := &list[i]
		outcome := t.Outcome
		if outcome == "" {
			outcome = "under way"
		}
		fmt.Fprintf(h.Stdout, "%-8s %s  %3d actions, %s: %s\n", t.ID, h.clock(t.At), t.Actions, outcome, t.Why)
		for _, line := range t.Summary {
			fmt.Fprintf(h.Stdout, "           %s\n", strings.TrimSpace(line))
		}
	}
	return exitOK
}

func (h *historyCall) clock(t time.Time) string {
	return t.In(h.Now().Location()).Format("2006-01-02 15:04:05.000")
}

// find is the plan of that name.
func (h *historyCall) find(ctx context.Context, d *client.Client, id string) (wire.Transition, error) {
	list, err := d.Transitions(ctx, 0)
	if err != nil {
		return wire.Transition{}, err
	}
	for _, t := range list {
		if id == "last" || t.ID == id || t.Epoch.String() == id {
			return t, nil
		}
	}
	return wire.Transition{}, fmt.Errorf("there is no plan %q, or it is no longer kept; %s lists what there is", id, h.name)
}

func (h *historyCall) one(ctx context.Context, d *client.Client, id string) int {
	t, err := h.find(ctx, d, id)
	if err != nil {
		return h.failed(err)
	}
	switch {
	case h.graph:
		data, err := d.TransitionGraph(ctx, t.ID)
		return h.write(data, err)
	case h.cib:
		data, err := d.TransitionCIB(ctx, t.ID)
		return h.write(data, err)
	case h.explain:
		data, err := d.TransitionCIB(ctx, t.ID)
		if err != nil {
			return h.failed(err)
		}
		again := *h.call
		again.Stdin = bytes.NewReader(data)
		again.args = []string{"--simulate", "--xml-pipe", "--set-datetime", t.At.UTC().Format("2006-01-02 15:04:05Z")}
		return simulateCommand(&again)
	case h.json:
		if writeJSON(h.Stdout, t) != nil {
			return exitCantOut
		}
		return exitOK
	}
	fmt.Fprintf(h.Stdout, "Plan %s of %s, made because: %s\n", t.ID, h.clock(t.At), t.Why)
	if t.Outcome == "" {
		fmt.Fprintf(h.Stdout, "It has %d actions and is under way.\n", t.Actions)
	} else {
		fmt.Fprintf(h.Stdout, "It had %d actions, and ended after %.3f s: %s.\n", t.Actions, t.Ended.Sub(t.At).Seconds(), t.Outcome)
	}
	for _, line := range t.Summary {
		fmt.Fprintf(h.Stdout, "  * %s\n", strings.TrimSpace(line))
	}
	return exitOK
}

func (h *historyCall) write(data []byte, err error) int {
	if err != nil {
		return h.failed(err)
	}
	if _, err := h.Stdout.Write(data); err != nil {
		return exitCantOut
	}
	return exitOK
}
