// Command cibgen writes a CIB: a random one of a seed, or a regular one of a given size.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of a random CIB")
	features := flag.String("features", "core", "what a random CIB may use")
	nodes := flag.Int("nodes", 8, "nodes of a regular CIB, most nodes of a random one")
	primitives := flag.Int("resources", 30, "primitives of a regular CIB, most primitives of a random one")
	regular := flag.String("regular", "", "write a regular CIB whose nodes remember this: unprobed, probed or running")
	flag.Parse()
	if *regular != "" {
		states := []string{"unprobed", "probed", "running"}
		shape := cibgen.Shape{Nodes: *nodes, Primitives: *primitives, State: cibgen.State(slices.Index(states, *regular))}
		if shape.State < 0 {
			fmt.Fprintf(os.Stderr, "cibgen: -regular is one of %v\n", states)
			os.Exit(1)
		}
		if err := cibgen.Regular(os.Stdout, shape); err != nil {
			fmt.Fprintln(os.Stderr, "cibgen:", err)
			os.Exit(1)
		}
		return
	}
	on, err := cibgen.Features(*features)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cibgen:", err)
		os.Exit(1)
	}
	fmt.Print(cibgen.Random(*seed, on, cibgen.Limits{Nodes: *nodes, Primitives: *primitives}))
}
