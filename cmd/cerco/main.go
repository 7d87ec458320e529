// Command cerco is the one binary of the project: it picks what to do from the name it is called by or
// from its first argument, and leaves the rest to the package that knows.
package main

import (
	"bufio"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/compat"
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/lab"
)

func main() { os.Exit(run()) }

func run() int {
	if code, known := tool(os.Args); known {
		return code
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if filepath.Base(os.Args[0]) == lab.FenceAgent {
		return lab.Fence(ctx, os.Stdin, os.Stdout, os.Stderr)
	}
	if len(os.Args) > 1 {
		args := os.Args[2:]
		switch os.Args[1] {
		case "daemon":
			return daemon.Command(ctx, args, os.Stdout, os.Stderr, func(file string) daemon.Faults { return lab.Watch(file, time.Now) })
		case "watchdog-guard":
			return daemon.GuardCommand(ctx, args)
		case "cluster":
			return daemon.ClusterCommand(ctx, args, os.Stdout, os.Stderr)
		case "lab":
			return lab.Command(ctx, args, os.Stdout, os.Stderr)
		case "links":
			self, err := os.Executable()
			if err != nil {
				self = os.Args[0]
			}
			return compat.LinksCommand(args, self, []string{"crm_simulate", "crm_verify"}, os.Stdout, os.Stderr)
		}
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	code := cli.Main(cli.Env{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now, Context: ctx, Socket: socket()}, os.Args)
	if out.Flush() != nil && code == 0 {
		code = 74 // the output is lost
	}
	return code
}

// tool runs one of Pacemaker's tools: by the name that the program is called by, or by its first argument.
func tool(args []string) (code int, known bool) {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	env := compat.Env{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now, Getenv: os.Getenv, Hostname: os.Hostname}
	code, known = compat.Main(env, args)
	if !known && len(args) > 1 {
		code, known = compat.Main(env, args[1:])
	}
	if out.Flush() != nil && code == 0 {
		code = 74
	}
	return code, known
}

// socket is where the daemon of this node listens.
func socket() string {
	if path := os.Getenv("CERCO_SOCKET"); path != "" {
		return path
	}
	return client.DefaultSocket
}
