// Command corpus runs the scheduler over Pacemaker's regression corpus and says how much of it holds.
//
// The corpus itself is not part of this repository; -shared names the directory it is in. A floor file
// keeps the best counts so far: with -floor the command fails when any count is below it, with -raise it
// lifts the floor to what holds now.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/sim"
)

type options struct {
	shared, command, out, floor, only string
	tier, jobs                        int
	raise, list, referee, verbose     bool
	timeout                           time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.shared, "shared", "../shared", "directory that holds corpus/scheduler and tools/compare_graphs.py")
	flag.StringVar(&o.command, "command", "bin/cerco crm_simulate", "the crm_simulate to judge")
	flag.StringVar(&o.out, "out", "out/corpus", "where to put its results")
	flag.StringVar(&o.floor, "floor", "", "file of the counts that must hold")
	flag.StringVar(&o.only, "case", "", "run only cases whose name contains this")
	flag.IntVar(&o.tier, "tier", 0, "run only this tier")
	flag.IntVar(&o.jobs, "jobs", 2, "cases at a time")
	flag.BoolVar(&o.raise, "raise", false, "lift the floor file to the counts of this run")
	flag.BoolVar(&o.list, "list", false, "list the cases that fail, with the levels they fail at")
	flag.BoolVar(&o.verbose, "v", false, "print what differs")
	flag.BoolVar(&o.referee, "referee", false, "have compare_graphs.py judge too, and fail where it disagrees")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "for one run")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	dir := filepath.Join(o.shared, "corpus", "scheduler")
	cases, err := readCases(filepath.Join(dir, "cases.tsv"))
	if err != nil {
		return fmt.Errorf("%w: the corpus is not part of this repository, give its place with -shared", err)
	}
	cases = selectCases(cases, o)
	command, err := sim.Parse(o.command, o.timeout)
	if err != nil {
		return err
	}
	for _, sub := range []string{"exp", "scores", "summary"} {
		if err := os.MkdirAll(filepath.Join(o.out, sub), 0o755); err != nil {
			return err
		}
	}
	results := make([]*result, len(cases))
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, o.jobs) {
		wg.Go(func() {
			for i := range next {
				results[i] = runCase(command, dir, o.out, cases[i])
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	wg.Wait()
	return report(o, dir, results)
}

func selectCases(cases []testCase, o options) []testCase {
	var out []testCase
	for _, c := range cases {
		if (o.tier == 0 || c.tier == o.tier) && strings.Contains(c.name, o.only) {
			out = append(out, c)
		}
	}
	return out
}

func report(o options, dir string, results []*result) error {
	if o.list || o.verbose {
		for _, r := range results {
			r.print(os.Stdout, o.verbose)
		}
	}
	all, real := tally(results, false), tally(results, true)
	all.print(os.Stdout, "All cases")
	real.print(os.Stdout, "Cases whose expected graph has a real action")
	crashed := 0
	for _, r := range results {
		if r.complaint != "" {
			crashed++
		}
	}
	if crashed > 0 {
		fmt.Printf("%d runs ended in an error; -list names them.\n", crashed)
	}
	if o.referee {
		if err := referee(o, dir, results); err != nil {
			return err
		}
	}
	if o.floor == "" || o.only != "" || o.tier != 0 {
		return nil
	}
	if o.raise {
		return all.writeFloor(o.floor)
	}
	return all.checkFloor(o.floor)
}

// referee has the corpus's own judge look at the same results.
func referee(o options, dir string, results []*result) error {
	tsv := filepath.Join(o.out, "judge.tsv")
	tool := filepath.Join(o.shared, "tools", "compare_graphs.py")
	list := filepath.Join(o.out, "cases.tsv")
	var names strings.Builder
	names.WriteString("case\n")
	for _, r := range results {
		names.WriteString(r.name + "\n")
	}
	if err := os.WriteFile(list, []byte(names.String()), 0o644); err != nil {
		return err
	}
	cmd := exec.Command("python3", tool, "corpus", "--exp", dir, "--act", o.out, "--cases", list, "--tsv", tsv)
	cmd.Stderr = os.Stderr
	cmd.Run() // its exit status only tells whether everything holds; the table tells more
	theirs, err := readJudgement(tsv)
	if err != nil {
		return fmt.Errorf("%s gave no table: %w", tool, err)
	}
	var quarrels []string
	for _, r := range results {
		for _, l := range levels {
			if theirs[r.name][l] != r.holds[l] {
				quarrels = append(quarrels, fmt.Sprintf("%s at %s: compare_graphs.py says %v, we say %v",
					r.name, l, theirs[r.name][l], r.holds[l]))
			}
		}
	}
	if len(quarrels) > 0 {
		return fmt.Errorf("the two judges disagree:\n%s", strings.Join(quarrels, "\n"))
	}
	return nil
}
