package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// reporter tells of differences in the order of seeds, as soon as all that come before are known.
type reporter struct {
	options options

	mu             sync.Mutex
	results        [][]found
	ended          []bool
	told           int // how many of them
	calls          int
	effect, stdout int
	meant          int // differences that are known
}

// end takes what a sequence has found.
func (r *reporter) end(i, calls int, all []found) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls += calls
	r.results[i], r.ended[i] = all, true
	for ; r.told < len(r.ended) && r.ended[r.told]; r.told++ {
		for k, f := range r.results[r.told] {
			if err := r.tell(k, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reporter) tell(k int, f found) error {
	if why := known(f.Call, f.Want, f.Got); why != "" {
		r.meant++
		fmt.Printf("\nmeant to be (%s): pcs %s\n", why, quote(f.Call.Args))
		return nil
	}
	if len(f.In) == 1 && f.In[0] == "stdout" {
		r.stdout++
	} else {
		r.effect++
	}
	data, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	name := filepath.Join(r.options.keep, fmt.Sprintf("%d-%d-%d.json", f.Seed, k, r.effect+r.stdout))
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return err
	}
	fmt.Printf("\n%s: %s\n  pcs %s\n", name, strings.Join(f.In, ", "), quote(f.Call.Args))
	fmt.Printf("  status %d, ours %d\n", f.Want.Code, f.Got.Code)
	for _, part := range f.In {
		switch part {
		case "status":
			fmt.Printf("    - %s\n    + %s\n", head(f.Want.Stderr, "\n    - "), head(f.Got.Stderr, "\n    + "))
		case "cib":
			fmt.Print(parted(canonical(f.Want.After.CIB), canonical(f.Got.After.CIB), 12))
		case "corosync":
			fmt.Print(parted(canonical(f.Want.After.Corosync), canonical(f.Got.After.Corosync), 12))
		case "stdout":
			fmt.Print(parted(masked(f.Want.Stdout), masked(f.Got.Stdout), 8))
		}
	}
	return nil
}

// conclude sums up. It is an error if too many calls differ.
func (r *reporter) conclude(took time.Duration) error {
	fmt.Printf("\n%d calls: %d with another effect, %d with another output alone, %d more meant to be; %s\n", r.calls, r.effect, r.stdout, r.meant, took.Round(time.Second))
	if n := r.effect + r.stdout; n > r.options.allow {
		return fmt.Errorf("%d of %d calls differ", n, r.calls)
	}
	return nil
}

// head is the beginning of a text, its lines joined otherwise.
func head(text, joint string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[:min(len(lines), 6)], joint)
}

func quote(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a
		if a == "" || strings.ContainsAny(a, " ()'\"<>&|;*?[]#\\$") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
