// Command pcsoracle looks for calls that the installed pcs and ours answer differently.
//
// It says calls from a grammar of pcs 0.11, right ones and wrong ones, and variations of recorded calls; has pcs and ours carry
// each out upon a copy of the same CIB and corosync.conf; and compares exit status, the files that are left and standard output.
// Each call goes on from what pcs made of the one before. A difference is kept with all that is needed to repeat it. Where pcs is
// not installed it says so and succeeds. It never judges the texts of errors: ours are other ones.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed grammar.txt
var grammarText string

type options struct {
	calls, jobs, length, allow int
	seed                       uint64
	binary, corpus             string
	cache, keep                string
	budget                     time.Duration
	again                      bool
}

func main() {
	var o options
	shared := flag.String("shared", "../shared", "where the recorded calls are, if there are any")
	flag.StringVar(&o.binary, "cerco", "bin/cerco", "the program under test")
	flag.IntVar(&o.calls, "n", 300, "how many calls")
	flag.Uint64Var(&o.seed, "seed", 0, "the first seed; a sequence of calls has one (0: of the clock)")
	flag.IntVar(&o.length, "length", 12, "calls in a sequence")
	flag.IntVar(&o.jobs, "jobs", 2, "sequences at a time")
	flag.IntVar(&o.allow, "allow", 0, "how many may differ all the same (docs/pcs.md lists the known ones)")
	flag.DurationVar(&o.budget, "time", 0, "begin no sequence after this long (0: never mind)")
	flag.StringVar(&o.cache, "cache", "", "a directory to remember the answers of pcs in")
	flag.StringVar(&o.keep, "keep", "out/pcs-oracle", "where to put what differs")
	flag.BoolVar(&o.again, "again", false, "repeat what lies there from before")
	flag.Parse()
	o.corpus = filepath.Join(*shared, "corpus/pcs")
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "pcsoracle:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if version, err := exec.Command("pcs", "--version").Output(); err != nil {
		fmt.Println("skipped: pcs is not installed (Debian: apt-get install pcs)")
		return nil
	} else if v := strings.TrimSpace(string(version)); !strings.HasPrefix(v, "0.11.") {
		fmt.Printf("skipped: this is pcs %s, and the commands here are those of 0.11\n", v)
		return nil
	}
	var err error
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	b := bout{length: o.length, command: []string{o.binary, "pcs"}}
	if b.grammar, err = parseGrammar(grammarText); err != nil {
		return fmt.Errorf("grammar.txt: %w", err)
	}
	if b.corpus, err = readCorpus(o.corpus); err != nil {
		return err
	}
	for _, dir := range []string{o.cache, o.keep} {
		if dir != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
	}
	if o.again {
		return again(o, b)
	}
	return hunt(o, b)
}

// hunt makes calls until there are enough, and reports in the order of seeds.
func hunt(o options, b bout) error {
	began := time.Now()
	if o.seed == 0 {
		o.seed = uint64(began.UnixMilli())
	}
	fmt.Printf("seed %d\n", o.seed)
	bouts := (o.calls + o.length - 1) / o.length
	r := &reporter{options: o, results: make([][]found, bouts), ended: make([]bool, bouts)}
	failures := make([]error, o.jobs)
	next := make(chan int)
	var workers sync.WaitGroup
	for w := range o.jobs {
		workers.Go(func() {
			mine := b
			if mine.oracle, failures[w] = startOracle(o.cache); failures[w] != nil {
				for range next {
				}
				return
			}
			for i := range next {
				calls, all, err := mine.run(o.seed + uint64(i))
				failures[w] = errors.Join(failures[w], err, r.end(i, calls, all))
			}
			failures[w] = errors.Join(failures[w], mine.oracle.stop())
		})
	}
	for i := range bouts {
		if o.budget == 0 || time.Since(began) < o.budget {
			next <- i
		}
	}
	close(next)
	workers.Wait()
	return errors.Join(append(failures, r.conclude(time.Since(began)))...)
}

// again repeats what was kept, and forgets what does not differ any more.
func again(o options, b bout) error {
	files, err := filepath.Glob(filepath.Join(o.keep, "*.json"))
	if err != nil {
		return err
	}
	r := &reporter{options: o, results: make([][]found, len(files)), ended: make([]bool, len(files))}
	for i, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var f found
		if err := json.Unmarshal(data, &f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if f.Got, err = ours(b.command, f.Call); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil {
			return err
		}
		var still []found
		if f.In = difference(f.Want, f.Got); len(f.In) > 0 {
			still = append(still, f)
		}
		if err := r.end(i, 1, still); err != nil {
			return err
		}
	}
	return r.conclude(0)
}
