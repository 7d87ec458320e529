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

	"github.com/cerco-ha/cerco/internal/ccs"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/compat"
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/doctor"
	"github.com/cerco-ha/cerco/internal/lab"
)

func main() { os.Exit(run()) }

func run() int {
	if code, known := tool(os.Args); known {
		return code
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if filepath.Base(os.Args[0]) == "ccs" {
		return writeClusterConf(os.Args[1:])
	}
	if code, known := guestFencing(ctx, os.Args); known {
		return code
	}
	if filepath.Base(os.Args[0]) == lab.FenceAgent {
		return lab.Fence(ctx, os.Stdin, os.Stdout, os.Stderr)
	}
	if len(os.Args) > 1 && os.Args[1] == "watchdog-guard" { // the daemon starts it; nobody else has a use for it
		return daemon.GuardCommand(ctx, os.Args[2:])
	}
	if name, words, ok := treeCommand(os.Args); ok {
		return tree(ctx, name, words)
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	code := cli.Main(cli.Env{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now, Context: ctx, Socket: socket(), Others: commands(ctx)}, os.Args)
	if out.Flush() != nil && code == 0 {
		code = 74 // the output is lost
	}
	return code
}

// commands are those that are no part of package cli.
func commands(ctx context.Context) []cli.Command {
	return append(append(treeCommands(ctx), guestCommands(ctx)...), []cli.Command{
		{Name: "daemon", What: "run this node; systemd starts it", Run: func(args []string) int {
			return daemon.Command(ctx, args, os.Stdout, os.Stderr, func(file string) daemon.Faults { return lab.Watch(file, time.Now) })
		}},
		{Name: "doctor", What: "examine clusters of virtual machines against the rules of the field", Run: func(args []string) int {
			return doctor.Command(ctx, args, os.Stdin, os.Stdout, os.Stderr)
		}},
		{Name: "lab", What: "a cluster on this machine, to play with and to measure", Run: func(args []string) int {
			return lab.Command(ctx, args, os.Stdout, os.Stderr)
		}},
		{Name: "ccs", What: "write the cluster.conf of CMAN and rgmanager", Run: writeClusterConf},
		{Name: "links", What: "make links under the names of Pacemaker's tools", Run: func(args []string) int {
			self, err := os.Executable()
			if err != nil {
				self = os.Args[0]
			}
			return compat.LinksCommand(args, self, os.Stdout, os.Stderr)
		}},
	}...)
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

func writeClusterConf(args []string) int {
	return ccs.Main(ccs.Env{Stdout: os.Stdout, Stderr: os.Stderr, Read: os.ReadFile, Write: cibfile.Write}, args)
}

// socket is where the daemon of this node listens.
func socket() string {
	if path := os.Getenv("CERCO_SOCKET"); path != "" {
		return path
	}
	return client.DefaultSocket
}
