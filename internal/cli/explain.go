package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
	"github.com/cerco-ha/cerco/internal/status"
)

const explainHelp = `Usage:
  NAME RESOURCE --xml-file=FILE [OPTION...]

Say why a resource is, or will be, where it is, and why not elsewhere: a sentence, and a table of the nodes
with the score of each and what it is made of. RESOURCE is a primitive, an instance (web:0), or a group,
clone or bundle, which stands for everything in it.

  -x, --xml-file=FILE           a CIB in a file
  -p, --xml-pipe                a CIB on standard input
  -t, --set-datetime=DATETIME   the time (ISO 8601)
      --output-as=FORMAT        text (default) or json

What if: -u, -d, -f, -i, -q, -w, -g, -r, -b and -e put events before planning, as in cerco simulate.
`

// explainOptions are the options of explain.
type explainOptions struct {
	file, setDate, outputAs string
	pipe, live, help        bool
	events                  simulate.Injections
}

func explainCommand(c *call) int {
	var o explainOptions
	f := pflag.NewFlagSet("explain", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVarP(&o.file, "xml-file", "x", "", "")
	f.BoolVarP(&o.pipe, "xml-pipe", "p", false, "")
	f.BoolVarP(&o.live, "live-check", "L", false, "")
	f.StringVarP(&o.setDate, "set-datetime", "t", "", "")
	f.StringVar(&o.outputAs, "output-as", "text", "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	eventFlags(f, &o.events)
	if err := parseFlags(f, c.args); err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	switch {
	case o.help:
		fmt.Fprint(c.Stdout, strings.ReplaceAll(explainHelp, "NAME", c.name))
		return exitOK
	case f.NArg() != 1:
		return c.errorf(exitUsage, "name one resource to explain: %s RESOURCE --xml-file=FILE", c.name)
	case o.outputAs != "text" && o.outputAs != "json":
		return c.errorf(exitFormat, "output format %q is unknown: it is text or json", o.outputAs)
	}
	in, code := c.readCIB(o.file, o.pipe, o.live)
	if in == nil {
		return code
	}
	now, _, err := c.effectiveTime(o.setDate, in)
	if err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	if !o.events.Empty() {
		after, _, errs := simulate.Inject(in, &o.events, c.Now(), resourceFinder(in, scheduler.Look(in, scheduler.Options{Now: now})))
		if len(errs) > 0 {
			return c.errorf(exitUsage, "%v", errs[0])
		}
		in = after
	}
	p := scheduler.Schedule(in, scheduler.Options{Now: now, Masked: true, Account: true})
	return c.explain(f.Arg(0), p, o.outputAs)
}

// explain writes what there is to say of a resource.
func (c *call) explain(name string, p *scheduler.Plan, format string) int {
	wanted := instancesOf(name, p)
	if len(wanted) == 0 {
		return c.errorf(exitNoInput, "there is no resource %q; there are: %s", name, strings.Join(topNames(p.View), ", "))
	}
	var found []scheduler.Placement
	for _, pl := range p.Placements {
		if wanted[pl.Resource] {
			found = append(found, pl)
		}
	}
	if format == "json" {
		enc := json.NewEncoder(c.Stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(found); err != nil {
			return c.errorf(exitIOErr, "%v", err)
		}
		return exitOK
	}
	out := newOutline(c.Stdout, true)
	for i := range found {
		if i > 0 {
			out.blank()
		}
		explainOne(out, p, &found[i])
	}
	if err := out.flush(); err != nil {
		return c.errorf(exitIOErr, "%v", err)
	}
	return exitOK
}

// instancesOf are the names of the primitives and instances that a name stands for.
func instancesOf(name string, p *scheduler.Plan) map[string]bool {
	out := map[string]bool{}
	var walk func(rs []*scheduler.ResourceView, inside bool)
	walk = func(rs []*scheduler.ResourceView, inside bool) {
		for _, r := range rs {
			if r == nil {
				continue
			}
			plain, _, _ := strings.Cut(r.ID, ":")
			hit := inside || r.ID == name || r.Name == name || plain == name
			if hit {
				out[r.ID] = true
			}
			walk(r.Children, hit)
			for _, rep := range r.Replicas {
				walk([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child}, hit)
			}
		}
	}
	walk(p.View.Resources, false)
	for _, pl := range p.Placements { // instances that the plan alone knows
		if plain, _, _ := strings.Cut(pl.Resource, ":"); plain == name || pl.Resource == name {
			out[pl.Resource] = true
		}
	}
	return out
}

func topNames(v *scheduler.View) []string {
	var out []string
	for _, r := range v.Resources {
		out = append(out, r.ID)
	}
	return out
}

// explainOne writes the sentence and the table for one primitive or instance.
func explainOne(out *outline, p *scheduler.Plan, pl *scheduler.Placement) {
	out.line(pl.Resource + " " + sentence(p, pl))
	out.line("Why: " + pl.Why + ".")
	out.blank()
	rows := [][]string{{"Node", "Score", "Made of"}}
	nodes := slices.Clone(pl.Nodes)
	slices.SortStableFunc(nodes, func(a, b scheduler.NodeAccount) int { return b.Score - a.Score })
	for _, n := range nodes {
		mark := "  "
		if n.Node == pl.Node {
			mark = "> "
		}
		score := cib.FormatScore(n.Score)
		if !n.In {
			score = "-"
		}
		rows = append(rows, []string{mark + n.Node, score, terms(&n)})
	}
	rows[0][0] = "  Node"
	for _, l := range columns(rows, 1) {
		out.line(l)
	}
}

// sentence says where a resource is and what will become of it.
func sentence(p *scheduler.Plan, pl *scheduler.Placement) string {
	now := "is stopped"
	if r := findView(p.View.Resources, pl.Resource); r != nil && len(r.On) > 0 {
		var on []string
		for _, n := range r.On {
			on = append(on, n.Name)
		}
		now = "is " + strings.ToLower(status.State(r)) + " on " + strings.Join(on, " and ")
	}
	for i := range p.Summary {
		if ch := &p.Summary[i]; ch.Resource == pl.Resource {
			return now + "; " + intention(ch) + "."
		}
	}
	if pl.Node == "" {
		return now + " and stays so."
	}
	return now + " and stays there."
}

// intention says in words what a row of the summary means.
func intention(c *scheduler.Change) string {
	var s string
	switch c.Verb {
	case "Start":
		s = "it will be started on " + c.To
	case "Stop":
		s = "it will be stopped"
	case "Move":
		s = "it will move to " + c.To
	case "Migrate":
		s = "it will migrate live to " + c.To
	case "Promote", "Demote", "Re-promote":
		s = "it will be " + strings.ToLower(c.Verb) + "d on " + c.To
	case "Recover", "Restart", "Reload":
		s = "it will be " + strings.TrimSuffix(strings.ToLower(c.Verb), "e") + "ed"
		if c.From != c.To && c.To != "" {
			s += " on " + c.To
		}
	default:
		s = strings.ToLower(c.Verb)
	}
	if c.Blocked {
		s = "it ought to be otherwise, but nothing can be done: " + s
	}
	if c.Reason != "" {
		s += " (" + c.Reason + ")"
	}
	return s
}

func findView(rs []*scheduler.ResourceView, id string) *scheduler.ResourceView {
	for _, r := range rs {
		if r == nil {
			continue
		}
		if r.ID == id {
			return r
		}
		inside := r.Children
		for _, rep := range r.Replicas {
			inside = append(slices.Clip(inside), rep.IP, rep.Container, rep.Remote, rep.Child)
		}
		if found := findView(inside, id); found != nil {
			return found
		}
	}
	return nil
}

// terms is what a score is made of: "location ban -INFINITY, stickiness +100".
func terms(n *scheduler.NodeAccount) string {
	var out []string
	for _, t := range n.Terms {
		s := words(when(t.Kind != "node", t.Kind), t.ID, when(t.Delta != 0, signed(t.Delta)))
		if t.Note != "" {
			s = words(s, when(s != "", "("+t.Note+")"), when(s == "", t.Note))
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		if !n.In {
			return "not a candidate"
		}
		return "nothing speaks for or against it"
	}
	return strings.Join(out, ", ")
}

func signed(n int) string {
	if n > 0 {
		return "+" + cib.FormatScore(n)
	}
	return cib.FormatScore(n)
}

// columns lays rows out as a table; the column with the index right is flush right.
func columns(rows [][]string, right int) []string {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	out := make([]string, len(rows))
	for i, r := range rows {
		var b strings.Builder
		for j, cell := range r {
			pad := strings.Repeat(" ", width[j]-len([]rune(cell)))
			if j > 0 {
				b.WriteString("  ")
			}
			if j == right {
				b.WriteString(pad + cell)
			} else {
				b.WriteString(cell + pad)
			}
		}
		out[i] = strings.TrimRight(b.String(), " ")
	}
	return out
}
