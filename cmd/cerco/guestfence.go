package main

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/guestfence/virtd"
	"github.com/cerco-ha/cerco/internal/guestfence/xvm"
)

// fenceNames are the names of guest fencing's two commands, the host's and the guest's.
func fenceNames() (host, guest []string) {
	return []string{"fence_virtd", "fence_xvmd"}, []string{xvm.NameXVM, xvm.NameVirt}
}

// guestFencing runs a command of guest fencing by the name that the program is called by, or by the first argument.
func guestFencing(ctx context.Context, args []string) (code int, known bool) {
	host, guest := fenceNames()
	for i := range min(2, len(args)) {
		name := filepath.Base(args[i])
		switch {
		case slices.Contains(host, name):
			return virtd.Command(ctx, name, args[i+1:], os.Stdin, os.Stdout, os.Stderr), true
		case slices.Contains(guest, name):
			return askHost(ctx, name, args[i+1:]), true
		}
	}
	return 0, false
}

func askHost(ctx context.Context, name string, args []string) int {
	out := bufio.NewWriter(os.Stdout)
	code := xvm.Run(ctx, xvm.Env{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now}, name, args)
	if out.Flush() != nil && code == 0 {
		code = 74 // the output is lost
	}
	return code
}

func guestCommands(ctx context.Context) []cli.Command {
	return []cli.Command{
		{Name: "fence-virtd", What: "serve virtual machines' requests to fence each other; also as fence_virtd", Run: func(args []string) int {
			return virtd.Command(ctx, "fence-virtd", args, os.Stdin, os.Stdout, os.Stderr)
		}},
		{Name: xvm.NameOurs, What: "inside a virtual machine: have another one fenced; also as fence_xvm and fence_virt", Run: func(args []string) int {
			return askHost(ctx, xvm.NameOurs, args)
		}},
	}
}
