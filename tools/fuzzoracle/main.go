// Command fuzzoracle looks for random CIBs that Pacemaker's crm_simulate and ours plan differently.
//
// It makes CIBs from seeds, runs both over each, compares graphs and scores, cuts every CIB that shows a
// difference down to what the difference needs, and writes it with both answers. Where crm_simulate is
// not installed it says so and succeeds. With -mutate it changes CIBs of others instead of making its own;
// with files as arguments it compares and shrinks those.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
	"github.com/cerco-ha/cerco/tools/internal/sim"
)

type options struct {
	count, jobs, shrink int
	seed                uint64
	limit               cibgen.Limits
	features            []string
	levels              []string
	keep                string
	budget              time.Duration
	settle              bool
	allow               int
	mutate              string
}

func main() {
	var o options
	oracle := flag.String("oracle", "crm_simulate", "the command that is right")
	command := flag.String("command", "bin/cerco crm_simulate", "the command that is judged")
	features := flag.String("features", "core", "what the CIBs use: a list such as core,+tickets,-clones (an unknown name lists them)")
	levels := flag.String("levels", "L1a,L2a,L3ta,Cs", "levels that count as a difference, of "+strings.Join(allLevels, ","))
	flag.IntVar(&o.count, "n", 2000, "how many CIBs")
	flag.Uint64Var(&o.seed, "seed", 1, "the first seed; CIB k has seed+k")
	flag.IntVar(&o.limit.Nodes, "nodes", 8, "most nodes")
	flag.IntVar(&o.limit.Primitives, "resources", 30, "most primitives")
	flag.IntVar(&o.jobs, "jobs", 2, "CIBs at a time")
	flag.IntVar(&o.shrink, "shrink", 10, "how many of the CIBs with a difference to shrink")
	flag.DurationVar(&o.budget, "time", 0, "stop after this long (0: never)")
	flag.IntVar(&o.allow, "allow", 0, "how many may differ all the same (docs/architecture.md lists the oracle's known slips)")
	flag.BoolVar(&o.settle, "settle", true, "let the oracle carry out its plan for every other CIB first, then make something happen")
	flag.StringVar(&o.mutate, "mutate", "", "a directory of CIBs: instead of making CIBs, change some of those here and there")
	flag.StringVar(&o.keep, "keep", "out/fuzz", "where to put CIBs with a difference")
	flag.Parse()
	err := start(o, *oracle, *command, *features, *levels, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "fuzzoracle:", err)
		os.Exit(1)
	}
}

func start(o options, oracle, command, features, levels string, files []string) error {
	var err error
	if o.features, err = cibgen.Features(features); err != nil {
		return err
	}
	for _, l := range strings.Split(levels, ",") {
		if !slices.Contains(allLevels, l) {
			return fmt.Errorf("unknown level %q; there are %s", l, strings.Join(allLevels, ", "))
		}
		o.levels = append(o.levels, l)
	}
	b := &bout{levels: o.levels}
	if b.oracle, err = sim.Parse(oracle, 20*time.Second); err != nil {
		return err
	}
	if b.ours, err = sim.Parse(command, 20*time.Second); err != nil {
		return err
	}
	if !b.oracle.Installed() {
		fmt.Printf("skipped: %s is not installed (Debian: apt-get install pacemaker-cli-utils)\n", oracle)
		return nil
	}
	if b.dir, err = os.MkdirTemp("", "fuzzoracle"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if len(files) > 0 {
		return compareFiles(b, o, files)
	}
	return hunt(b, o)
}

// found is a CIB on which the two part.
type found struct {
	seed uint64
	from string // the CIB that it was made from, if any
	cib  *cibgen.Element
	verdict
}

// hunt goes through the seeds. What it finds is reported in the order of seeds.
func hunt(b *bout, o options) error {
	began := time.Now()
	produce, err := maker(b, o)
	if err != nil {
		return err
	}
	results := make([]*found, o.count)
	next := make(chan int)
	var wg sync.WaitGroup
	for range max(1, o.jobs) {
		wg.Go(func() {
			for i := range next {
				f := &found{seed: o.seed + uint64(i)}
				f.cib, f.from = produce(f.seed)
				f.verdict = b.judge(f.cib)
				if f.level == "" {
					f.cib = nil
				}
				results[i] = f
			}
		})
	}
	for i := range results {
		if o.budget > 0 && time.Since(began) > o.budget {
			results = results[:i]
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()

	var bad []*found
	refused := 0
	for _, f := range results {
		switch f.level {
		case "":
		case "refused":
			refused++
		default:
			bad = append(bad, f)
		}
	}
	if refused > 0 {
		fmt.Printf("%d CIBs were refused by the oracle and do not count\n", refused)
	}
	summarise(bad)
	if err := shrinkSome(b, o, bad); err != nil {
		return err
	}
	fmt.Printf("%d CIBs from seed %d in %s: %d differ\n", len(results)-refused, o.seed, time.Since(began).Round(time.Second), len(bad))
	if len(bad) > o.allow {
		return fmt.Errorf("%d of %d CIBs are planned differently, %d are allowed to be", len(bad), len(results)-refused, o.allow)
	}
	return nil
}

// maker returns what makes the CIB of a seed, and tells what it was made from.
func maker(b *bout, o options) (func(seed uint64) (*cibgen.Element, string), error) {
	if o.mutate == "" {
		return func(seed uint64) (*cibgen.Element, string) {
			cib := cibgen.Random(seed, o.features, o.limit)
			if o.settle && seed%2 == 0 {
				cib = b.settle(cib, seed, o.features)
			}
			return cib, ""
		}, nil
	}
	names, err := filepath.Glob(filepath.Join(o.mutate, "*.xml"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%s: no CIBs (*.xml) to change: %v", o.mutate, err)
	}
	var originals [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if _, err := cibgen.Parse(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		originals = append(originals, data)
	}
	return func(seed uint64) (*cibgen.Element, string) {
		i := cibgen.Choose(seed, len(originals))
		cib, err := cibgen.Parse(originals[i])
		if err != nil {
			panic("what was parsed before cannot be parsed: " + names[i])
		}
		cibgen.Mutate(cib, seed)
		return cib, strings.TrimSuffix(filepath.Base(names[i]), ".xml")
	}, nil
}

// summarise counts the kinds of difference, the commonest first.
func summarise(bad []*found) {
	kinds := map[string][]uint64{}
	var names []string
	for _, f := range bad {
		k := f.level + ": " + f.kind
		if kinds[k] == nil {
			names = append(names, k)
		}
		kinds[k] = append(kinds[k], f.seed)
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(kinds[b]) - len(kinds[a]) })
	for i, k := range names {
		if i == 40 {
			fmt.Printf("      and %d further kinds\n", len(names)-i)
			break
		}
		seeds := kinds[k]
		fmt.Printf("%5d  %s  (seeds %s)\n", len(seeds), k, strings.Trim(fmt.Sprint(seeds[:min(4, len(seeds))]), "[]"))
	}
}

// shrinkSome shrinks differences, each kind once before any kind twice.
func shrinkSome(b *bout, o options, bad []*found) error {
	var first, again []*found
	seen := map[string]bool{}
	for _, f := range bad {
		if k := f.level + f.kind; !seen[k] {
			seen[k] = true
			first = append(first, f)
		} else {
			again = append(again, f)
		}
	}
	for i, f := range append(first, again...) {
		if i >= o.shrink {
			break
		}
		small := shrink(b, f.cib, f.verdict)
		if f.from != "" {
			fmt.Printf("seed %d is made from %s\n", f.seed, f.from)
		}
		if err := b.keep(filepath.Join(o.keep, fmt.Sprintf("seed-%d", f.seed)), small); err != nil {
			return err
		}
	}
	return nil
}

func compareFiles(b *bout, o options, files []string) error {
	bad := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		cib, err := cibgen.Parse(data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		v := b.judge(cib)
		if v.level == "" {
			fmt.Printf("%s: no difference\n", name)
			continue
		}
		bad++
		fmt.Printf("%s: %s\n", name, v.level)
		for _, l := range v.lines {
			fmt.Println("   ", l)
		}
		if bad <= o.shrink && v.level != "refused" {
			dir := filepath.Join(o.keep, strings.TrimSuffix(filepath.Base(name), ".xml"))
			if err := b.keep(dir, shrink(b, cib, v)); err != nil {
				return err
			}
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d files are planned differently", bad, len(files))
	}
	return nil
}
