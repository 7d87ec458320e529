package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/client"
)

// daemon is a client of this node's daemon, and the context of the call.
func (c *call) daemon() (*client.Client, context.Context, error) {
	ctx := c.Context
	if ctx == nil {
		ctx = context.Background()
	}
	d, err := client.Dial(c.Socket, nil)
	if err == nil {
		d.SetTool(strings.ReplaceAll(c.name, " ", "-"))
	}
	return d, ctx, err
}

// failed ends a call that the cluster has not answered as hoped.
func (c *call) failed(err error) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitOK // somebody has had enough
	case errors.Is(err, client.ErrNoDaemon):
		return c.errorf(exitNoLive, "%v", err)
	}
	return c.errorf(exitError, "%v", err)
}

// options reads a command line. ok is false when the call ends here, with the code.
func (c *call) options(f *pflag.FlagSet, text string) (code int, ok bool) {
	f.SortFlags = false
	help := f.BoolP("help", "h", false, "show this")
	if err := parseFlags(f, c.args); err != nil {
		return c.errorf(exitUsage, "%v; %s --help lists the options", err, c.name), false
	}
	if *help {
		fmt.Fprint(c.Stdout, strings.ReplaceAll(text, "NAME", c.name), f.FlagUsages())
		return exitOK, false
	}
	return exitOK, true
}
