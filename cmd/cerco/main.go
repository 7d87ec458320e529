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
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/lab"
)

func main() { os.Exit(run()) }

func run() int {
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
		case "cluster":
			return daemon.ClusterCommand(ctx, args, os.Stdout, os.Stderr)
		case "lab":
			return lab.Command(ctx, args, os.Stdout, os.Stderr)
		}
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	code := cli.Main(cli.Env{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now}, os.Args)
	if out.Flush() != nil && code == 0 {
		code = 74 // the output is lost
	}
	return code
}
