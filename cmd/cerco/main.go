// Command cerco is the one binary of the project: it picks what to do from the name it is called by or
// from its first argument, and leaves the rest to package cli.
package main

import (
	"bufio"
	"os"
	"time"

	"github.com/cerco-ha/cerco/internal/cli"
)

func main() {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	code := cli.Main(cli.Env{Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now}, os.Args)
	if out.Flush() != nil && code == 0 {
		code = 74 // the output is lost
	}
	os.Exit(code)
}
