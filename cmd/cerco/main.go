// Command cerco is the one binary of the project: it picks what to do from the name it is called by or
// from its first argument, and leaves the rest to package cli.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

func main() {
	var x, g, tm string
	for i := 1; i < len(os.Args); i++ {
		switch os.Args[i] {
		case "-x":
			i++
			x = os.Args[i]
		case "-G":
			i++
			g = os.Args[i]
		case "-t":
			i++
			tm = os.Args[i]
		}
	}
	data, err := os.ReadFile(x)
	if err != nil {
		panic(err)
	}
	in, err := cib.Decode(x, data)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	if !in.ExecutionDate.IsZero() {
		now = in.ExecutionDate
	}
	if tm != "" {
		now, _ = cib.ParseTime(tm)
	}
	p := scheduler.Schedule(in, scheduler.Options{Now: now, Scores: true})
	if g != "" {
		f, _ := os.Create(g)
		p.Graph.WriteXML(f)
		f.Close()
	}
	for _, s := range p.Scores {
		v := fmt.Sprint(s.Score)
		if s.Score >= 1000000 {
			v = "INFINITY"
		} else if s.Score <= -1000000 {
			v = "-INFINITY"
		}
		if s.Promotion {
			fmt.Printf("%s promotion score on %s: %s\n", s.Resource, s.Node, v)
		} else {
			fmt.Printf("%s: %s allocation score on %s: %s\n", s.By, s.Resource, s.Node, v)
		}
	}
}
