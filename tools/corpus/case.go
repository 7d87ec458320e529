package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/tools/internal/judge"
	"github.com/cerco-ha/cerco/tools/internal/sim"
)

// levels are the columns of the table, as compare_graphs.py names them.
var levels = []string{"L1a", "L2a", "L3ta", "Cs", "Cm", "St", "Sr"}

// testCase is a row of cases.tsv.
type testCase struct {
	name string
	tier int
	args []string // extra arguments of the run that writes the graph
}

// result is what one case came to.
type result struct {
	testCase
	holds     map[string]bool
	hasReal   bool // the expected graph has something to do
	complaint string
	details   []string
}

func readCases(path string) ([]testCase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var out []testCase
	for i, l := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		f := strings.Split(l, "\t")
		if i == 0 {
			continue
		}
		if len(f) < 3 {
			return nil, fmt.Errorf("%s:%d: want case, tier and arguments, separated by tabs", path, i+1)
		}
		tier, err := strconv.Atoi(f[1])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: tier %q is not a number", path, i+1, f[1])
		}
		out = append(out, testCase{name: f[0], tier: tier, args: shellWords(f[2])})
	}
	return out, nil
}

// shellWords splits at blanks outside single quotes.
func shellWords(s string) []string {
	var out []string
	word, quoted, open := "", false, false
	for _, r := range s + " " {
		switch {
		case r == '\'':
			quoted, open = !quoted, true
		case r == ' ' && !quoted:
			if open {
				out = append(out, word)
			}
			word, open = "", false
		default:
			word, open = word+string(r), true
		}
	}
	return out
}

// runCase does the two runs of a case and judges them.
func runCase(command sim.Command, dir, out string, c testCase) *result {
	r := &result{testCase: c, holds: map[string]bool{}}
	xml := filepath.Join(dir, "xml", c.name+".xml")
	path := func(root, kind string) string { return filepath.Join(root, kind, c.name+"."+kind) }
	for _, kind := range []string{"exp", "scores", "summary"} {
		os.Remove(path(out, kind))
	}
	summary := command.Run("-x", xml, "-S")
	dot := filepath.Join(out, c.name+".dot")
	args := append([]string{"-x", xml, "-D", dot, "-G", path(out, "exp"), "-sSQ"}, c.args...)
	graph := command.Run(args...)
	os.Remove(dot)
	for _, run := range []sim.Run{summary, graph} {
		if r.complaint == "" {
			r.complaint = run.Complaint()
		}
	}
	text := normalise(summary.Stdout)
	lines := strings.Split(graph.Stdout, "\n")
	slices.Sort(lines)
	scores := strings.TrimLeft(strings.Join(lines, "\n"), "\n")
	if err := os.WriteFile(path(out, "summary"), []byte(text), 0o644); err != nil {
		r.complaint = err.Error()
	}
	if err := os.WriteFile(path(out, "scores"), []byte(scores), 0o644); err != nil {
		r.complaint = err.Error()
	}
	r.judge(path(dir, "exp"), path(out, "exp"))
	r.judgeText(read(path(dir, "summary")), text)
	r.judgeScores(read(path(dir, "scores")), scores)
	return r
}

// normalise maps the older names of 2.1.5's output to those that the corpus was recorded with.
func normalise(text string) string {
	return strings.NewReplacer("ocf::", "ocf:", "Masters:", "Promoted:", "Slaves:", "Unpromoted:",
		" Master ", " Promoted ", " Slave ", " Unpromoted ").Replace(text)
}

func (r *result) judge(want, got string) {
	w, err := judge.LoadGraph(want)
	if err != nil {
		r.complaint = err.Error()
		return
	}
	r.hasReal = w.RealActions() > 0
	g, err := judge.LoadGraph(got)
	if err != nil {
		if r.complaint == "" {
			r.complaint = err.Error()
		}
		return
	}
	d := judge.Compare(w, g)
	r.holds["L1a"], r.holds["L2a"], r.holds["L3ta"] = d.L1a(), d.L2a(), d.L3ta()
	r.details = append(r.details, d.Lines()...)
}

func (r *result) judgeText(want, got string) {
	t := judge.CompareText(want, got)
	r.holds["St"], r.holds["Sr"] = t.Transition, t.Revised
	for _, s := range []string{"Transition Summary", "Revised Cluster Status"} {
		missing, extra := judge.SectionDifference(s, want, got)
		for _, l := range missing {
			r.details = append(r.details, s+": missing "+l)
		}
		for _, l := range extra {
			r.details = append(r.details, s+": extra   "+l)
		}
	}
}

func (r *result) judgeScores(want, got string) {
	s := judge.CompareScores(want, got)
	r.holds["Cs"], r.holds["Cm"] = s.Set, s.Every
	for _, l := range s.Missing {
		r.details = append(r.details, "missing score  "+l)
	}
	for _, l := range s.Extra {
		r.details = append(r.details, "extra score    "+l)
	}
}

// print writes a line for a case that does not hold whole, and what differs when asked to.
func (r *result) print(w io.Writer, details bool) {
	var bad []string
	for _, l := range levels {
		if !r.holds[l] {
			bad = append(bad, l)
		}
	}
	if len(bad) == 0 && r.complaint == "" {
		return
	}
	fmt.Fprintf(w, "%d %-45s %s", r.tier, r.name, strings.Join(bad, " "))
	if r.complaint != "" {
		fmt.Fprintf(w, "  (%s)", r.complaint)
	}
	fmt.Fprintln(w)
	if details {
		for _, l := range r.details {
			fmt.Fprintln(w, "     ", l)
		}
	}
}

func read(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(data)
}
