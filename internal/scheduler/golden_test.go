package scheduler_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/transition"
)

var (
	rewrite = flag.Bool("rewrite", false, "record the golden cases anew")
	cibDir  = flag.String("cibs", "", "write the golden cases' CIBs into this directory, to show them to crm_simulate")
)

// TestGolden holds the scheduler to testdata/*.txt, one readable file a rule. testdata/README.md tells how a
// file is laid out; -rewrite records them anew, and the difference is to be read line by line.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := splitSections(string(data))
	i := slices.IndexFunc(sections, func(s section) bool { return s.name == "cluster" })
	if i < 0 || strings.TrimSpace(sections[0].text) == "" {
		t.Fatalf("%s must begin with the rule in words, then have a section -- cluster --", file)
	}
	text, err := parseCluster(sections[i].text)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if *cibDir != "" {
		name := filepath.Join(*cibDir, strings.TrimSuffix(filepath.Base(file), ".txt")+".xml")
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	in := decode(t, file, text)
	plan := scheduler.Schedule(in, scheduler.Options{Now: now, Scores: true, Account: true})
	if len(sections) == i+1 {
		sections = append(sections, section{name: "changes"}, section{name: "plan"})
	}
	for k := i + 1; k < len(sections); k++ {
		got, err := record(sections[k].name, plan)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if got != strings.TrimRight(sections[k].text, "\n")+"\n" && !*rewrite {
			t.Errorf("%s: -- %s -- is now\n%s\nand was\n%s", file, sections[k].name, got, sections[k].text)
		}
		sections[k].text = got + "\n"
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(joinSections(sections)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// section is a part of a golden file. The first has no name: it is the rule in words.
type section struct{ name, text string }

func splitSections(text string) []section {
	out := []section{{}}
	for _, l := range strings.SplitAfter(text, "\n") {
		if name, ok := strings.CutPrefix(strings.TrimSpace(l), "-- "); ok && strings.HasSuffix(name, " --") {
			out = append(out, section{name: strings.TrimSuffix(name, " --")})
			continue
		}
		out[len(out)-1].text += l
	}
	return out
}

func joinSections(sections []section) string {
	var b strings.Builder
	for _, s := range sections {
		if s.name != "" {
			fmt.Fprintf(&b, "-- %s --\n", s.name)
		}
		b.WriteString(s.text)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// record writes one aspect of a plan for people. It always ends in a line break.
func record(name string, plan *scheduler.Plan) (string, error) {
	var b strings.Builder
	switch name {
	case "changes":
		recordChanges(&b, plan)
	case "plan":
		recordGraph(&b, plan.Graph)
	case "status":
		if err := status.Text(&b, plan.View); err != nil {
			return "", err
		}
	case "scores":
		recordScores(&b, plan)
	case "why":
		recordAccounts(&b, plan)
	case "warnings":
		for _, w := range plan.Warnings {
			b.WriteString(w + "\n")
		}
	default:
		return "", fmt.Errorf("unknown section %q; there are cluster, status, changes, plan, scores, why, warnings", name)
	}
	if b.Len() == 0 {
		b.WriteString("nothing\n")
	}
	return b.String(), nil
}

func recordChanges(b *strings.Builder, plan *scheduler.Plan) {
	for _, c := range plan.Summary {
		if c.Node != "" {
			fmt.Fprintf(b, "%s %s %s", c.Verb, c.Node, c.Detail)
		} else {
			fmt.Fprintf(b, "%s %s", c.Verb, c.Resource)
		}
		at := func(role, node string) string {
			if !c.ShowRoles {
				role = ""
			}
			return strings.TrimSpace(role + " " + node)
		}
		from, to := at(c.FromRole, c.From), at(c.ToRole, c.To)
		switch {
		case from != "" && to != "" && from != to:
			fmt.Fprintf(b, " (%s -> %s)", from, to)
		case from+to != "":
			fmt.Fprintf(b, " (%s)", max(from, to))
		}
		if c.Reason != "" {
			fmt.Fprintf(b, " due to %s", c.Reason)
		}
		if c.Blocked {
			b.WriteString(" blocked")
		}
		b.WriteString("\n")
	}
}

// recordScores writes a line a resource: the scores of its nodes as last printed.
func recordScores(b *strings.Builder, plan *scheduler.Plan) {
	type row struct{ name, text string }
	var rows []row
	for _, s := range plan.Scores {
		name := s.Resource
		if s.Promotion {
			name += " promotion"
		}
		entry := fmt.Sprintf("  %s %s", s.Node, score(s.Score))
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
		switch {
		case i < 0:
			rows = append(rows, row{name, entry})
		case !strings.Contains(rows[i].text+" ", entry+" "):
			rows[i].text += entry
		}
	}
	for _, r := range rows {
		fmt.Fprintf(b, "%s:%s\n", r.name, r.text)
	}
}

func recordAccounts(b *strings.Builder, plan *scheduler.Plan) {
	for _, p := range plan.Placements {
		fmt.Fprintf(b, "%s: %s\n", p.Resource, p.Why)
		for _, n := range p.Nodes {
			if !n.In {
				fmt.Fprintf(b, "    %s: not a candidate\n", n.Node)
				continue
			}
			fmt.Fprintf(b, "    %s: %s", n.Node, score(n.Score))
			for i, t := range n.Terms {
				sep := ", "
				if i == 0 {
					sep = " = "
				}
				fmt.Fprintf(b, "%s%s %s", sep, score(t.Delta), strings.TrimSpace(t.Kind+" "+t.ID))
			}
			b.WriteString("\n")
		}
	}
}

func score(n int) string {
	switch {
	case n >= 1000000:
		return "INFINITY"
	case n <= -1000000:
		return "-INFINITY"
	}
	return strconv.Itoa(n)
}

// recordGraph writes the real actions in an order in which they could be carried out. After each comes what
// it waits for; what follows from something else it waits for is left out.
func recordGraph(b *strings.Builder, g *transition.Graph) {
	o := newOrdering(g)
	for _, i := range o.sorted() {
		fmt.Fprintf(b, "%s", o.names[i])
		for k, before := range o.direct(i) {
			sep := ", "
			if k == 0 {
				sep = "\n    after "
			}
			fmt.Fprintf(b, "%s%s", sep, o.names[before])
		}
		b.WriteString("\n")
	}
	for _, a := range g.Actions {
		for _, m := range a.Maintenance {
			fmt.Fprintf(b, "record of %s that it is in maintenance: %t\n", m.ID, m.InMaintenance)
		}
	}
}
