package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
	"github.com/cerco-ha/cerco/tools/internal/judge"
	"github.com/cerco-ha/cerco/tools/internal/sim"
)

// allLevels are what can be compared. St and Sr need a further run of each side.
var allLevels = []string{"L1a", "L2a", "L3ta", "Cs", "Cm", "St", "Sr"}

// bout sets the two sides against each other.
type bout struct {
	oracle, ours sim.Command
	levels       []string
	dir          string // scratch
}

// verdict is the first level at which the two part: empty if none does, "refused" if the oracle will not
// have the CIB, "error" if ours fails.
type verdict struct {
	level string
	kind  string // what differs, without names and numbers
	lines []string
	// expected is the oracle's answer, got is ours.
	expected, got answer
}

type answer struct{ graph, scores, text string }

// refusal is how crm_simulate words that it will not plan with a CIB.
var refusal = regexp.MustCompile(`(?i)not a valid|does not validate|schema|assert`)

func (b *bout) judge(cib *cibgen.Element) verdict {
	tmp, err := os.MkdirTemp(b.dir, "bout")
	if err != nil {
		return verdict{level: "error", kind: err.Error()}
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, "cib.xml")
	if err := os.WriteFile(file, []byte(cib.String()), 0o644); err != nil {
		return verdict{level: "error", kind: err.Error()}
	}
	v := verdict{}
	var run sim.Run
	if v.expected, run = b.ask(b.oracle, tmp, file); run.Err != nil || refusal.MatchString(run.Stderr) {
		v.level, v.kind = "refused", run.Complaint()
		v.lines = strings.Split(run.Stderr, "\n")
		return v
	}
	if v.got, run = b.ask(b.ours, tmp, file); run.Err != nil {
		v.level, v.kind, v.lines = "error", kindOf([]string{run.Complaint()}), strings.Split(run.Stderr, "\n")
		return v
	}
	want, err := judge.ParseGraph([]byte(v.expected.graph))
	if err != nil {
		v.level, v.kind = "refused", err.Error()
		return v
	}
	if want.HasCycle() {
		v.level, v.kind = "refused", "the oracle's own graph has a cycle"
		return v
	}
	got, err := judge.ParseGraph([]byte(v.got.graph))
	if err != nil {
		v.level, v.kind = "error", err.Error()
		return v
	}
	v.settle(b.levels, judge.Compare(want, got))
	return v
}

// settle lets the oracle bring the cluster to rest and then makes something happen to it. A CIB that the
// oracle cannot bring to rest is taken as it is.
func (b *bout) settle(cib *cibgen.Element, seed uint64, features []string) *cibgen.Element {
	tmp, err := os.MkdirTemp(b.dir, "settle")
	if err != nil {
		return cib
	}
	defer os.RemoveAll(tmp)
	for range 2 { // what was still pending after the first run is done in the second
		file, out := filepath.Join(tmp, "cib.xml"), filepath.Join(tmp, "out.xml")
		if os.WriteFile(file, []byte(cib.String()), 0o644) != nil || b.oracle.Run("-x", file, "-SQ", "-O", out).Err != nil {
			return cib
		}
		data, err := os.ReadFile(out)
		if err != nil {
			return cib
		}
		settled, err := cibgen.Parse(data)
		if err != nil {
			return cib
		}
		cib = settled
	}
	// A simulated cancellation is left in the history; no real node records one.
	drop := map[*cibgen.Element]bool{}
	cib.Walk(func(e *cibgen.Element) {
		if e.Name == "lrm_rsc_op" && e.Attr("operation") == "cancel" {
			drop[e] = true
		}
	})
	cib = cib.Without(drop)
	cibgen.Perturb(cib, seed, features)
	return cib
}

// ask runs one side over the file.
func (b *bout) ask(c sim.Command, tmp, file string) (answer, sim.Run) {
	graph := filepath.Join(tmp, "graph.xml")
	os.Remove(graph)
	run := c.Run("-x", file, "-sQ", "-G", graph)
	data, _ := os.ReadFile(graph) // its absence shows when it is parsed
	a := answer{graph: string(data), scores: run.Stdout}
	if run.Err == nil && (slices.Contains(b.levels, "St") || slices.Contains(b.levels, "Sr")) {
		run = c.Run("-x", file, "-S")
		a.text = run.Stdout
	}
	return a, run
}

// settle finds the first level at which the answers part.
func (v *verdict) settle(levels []string, d *judge.Difference) {
	s := judge.CompareScores(v.expected.scores, v.got.scores)
	t := judge.CompareText(v.expected.text, v.got.text)
	holds := map[string]bool{"L1a": d.L1a(), "L2a": d.L2a(), "L3ta": d.L3ta(),
		"Cs": s.Set, "Cm": s.Every, "St": t.Transition, "Sr": t.Revised}
	for _, l := range allLevels {
		if holds[l] || !slices.Contains(levels, l) {
			continue
		}
		v.level = l
		break
	}
	v.lines = d.Lines()
	for _, l := range s.Missing {
		v.lines = append(v.lines, "missing score   "+l)
	}
	for _, l := range s.Extra {
		v.lines = append(v.lines, "extra score     "+l)
	}
	for _, section := range []string{"Transition Summary", "Revised Cluster Status"} {
		missing, extra := judge.SectionDifference(section, v.expected.text, v.got.text)
		for _, l := range missing {
			v.lines = append(v.lines, "missing text    "+l)
		}
		for _, l := range extra {
			v.lines = append(v.lines, "extra text      "+l)
		}
	}
	if v.level != "" {
		v.kind = kindOf(v.decisive(d, s))
	}
}

// decisive are the lines of the level at which the answers part.
func (v *verdict) decisive(d *judge.Difference, s judge.Scores) []string {
	switch v.level {
	case "L1a":
		return (&judge.Difference{Missing: d.Missing, Extra: d.Extra}).Lines()
	case "L2a":
		return (&judge.Difference{PseudoMissing: d.PseudoMissing, PseudoExtra: d.PseudoExtra}).Lines()
	case "L3ta":
		return (&judge.Difference{OrderMissing: d.OrderMissing, OrderExtra: d.OrderExtra, Cycle: d.Cycle}).Lines()
	}
	return v.lines
}

var (
	aName   = regexp.MustCompile(`\b(?:[bc]?[rgcb]\d+(?:m\d+)?|remote\d+|guest\d+|fence\d+|n\d+|gone)(?::\d+)?`)
	aNumber = regexp.MustCompile(`:\d+|[1-9]\d*`) // the interval 0 tells a probe from a monitor
)

// kindOf reduces differences to what they have in common with others of their kind.
func kindOf(lines []string) string {
	var kinds []string
	for _, l := range lines {
		k := strings.Join(strings.Fields(aNumber.ReplaceAllString(aName.ReplaceAllString(l, "_"), "")), " ")
		if len(k) > 90 {
			k = k[:90]
		}
		if !slices.Contains(kinds, k) && len(kinds) < 3 {
			kinds = append(kinds, k)
		}
	}
	return strings.Join(kinds, "; ")
}

// keep writes a CIB and what both sides made of it.
func (b *bout) keep(dir string, cib *cibgen.Element) error {
	v := b.judge(cib)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		"cib.xml":       cib.String(),
		"difference":    v.level + "\n" + strings.Join(v.lines, "\n") + "\n",
		"theirs.exp":    v.expected.graph,
		"ours.exp":      v.got.graph,
		"theirs.scores": v.expected.scores,
		"ours.scores":   v.got.scores,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s: %s\n", dir, v.level)
	for i, l := range v.lines {
		if i == 8 {
			fmt.Printf("    and %d more\n", len(v.lines)-i)
			break
		}
		fmt.Println("   ", l)
	}
	return nil
}
