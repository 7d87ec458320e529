// Command cibgen writes a CIB: a random one of a seed, or a regular one of a given size.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of a random CIB")
	features := flag.String("features", "core", "what a random CIB may use")
	nodes := flag.Int("nodes", 8, "nodes of a regular CIB, most nodes of a random one")
	primitives := flag.Int("resources", 30, "primitives of a regular CIB, most primitives of a random one")
	flag.Parse()
	on, err := cibgen.Features(*features)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cibgen:", err)
		os.Exit(1)
	}
	fmt.Print(cibgen.Random(*seed, on, cibgen.Limits{Nodes: *nodes, Primitives: *primitives}))
}
