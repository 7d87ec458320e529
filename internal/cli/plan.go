package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
	"github.com/cerco-ha/cerco/internal/status"
)

const planHelp = `Usage:
  NAME --before=FILE --after=FILE [OPTION...]
  NAME --xml-file=FILE [OPTION...]

Show what a change of configuration would do: what is changed, what the cluster will do about it, in which order
and why, and who runs where before and after. The state of the cluster is that of the first file; of the second
only the configuration counts. With one file: what it would do now. Nothing is changed anywhere. The exit code is
78 when the change brings errors.

  -x, --xml-file=FILE           a CIB; nothing is changed in it
      --before=FILE             the CIB as it is
      --after=FILE              the CIB with the changed configuration
  -t, --set-datetime=DATETIME   the time (ISO 8601)
`

func planCommand(c *call) int {
	var before, after, only, date string
	var help bool
	f := pflag.NewFlagSet("plan", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&before, "before", "", "")
	f.StringVar(&after, "after", "", "")
	f.StringVarP(&only, "xml-file", "x", "", "")
	f.StringVarP(&date, "set-datetime", "t", "", "")
	f.BoolVarP(&help, "help", "h", false, "")
	if err := parseFlags(f, c.args); err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	switch {
	case help:
		fmt.Fprint(c.Stdout, strings.ReplaceAll(planHelp, "NAME", c.name))
		return exitOK
	case only != "" && before == "" && after == "":
		before, after = only, only
	case before == "" || after == "" || only != "":
		return c.errorf(exitUsage, "name both files: %s --before=FILE --after=FILE", c.name)
	}
	a, code := c.readCIB(before, false, false)
	if a == nil {
		return code
	}
	b, code := c.readCIB(after, false, false)
	if b == nil {
		return code
	}
	now, _, err := c.effectiveTime(date, a)
	if err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	b, err = withStateOf(b, a)
	if err != nil {
		return c.errorf(exitError, "%v", err)
	}
	ch := change{before: a, after: b, now: now, stamp: c.Now(), asItIs: only != ""}
	out := newOutline(c.Stdout, true)
	code, err = ch.tell(out)
	if err != nil {
		return c.errorf(code, "%v", err)
	}
	if err := out.flush(); err != nil {
		return c.errorf(exitIOErr, "%v", err)
	}
	return code
}

// withStateOf is a CIB with its own configuration and another's state.
func withStateOf(c, state *cib.CIB) (*cib.CIB, error) {
	root := state.Root
	conf := c.Root.Child("configuration")
	for i, e := range root.Children {
		if e.Kind == cib.KindElement && e.Name == "configuration" && conf != nil {
			root = root.Replace(i, conf)
			break
		}
	}
	return cib.DecodeRoot(c.File, root)
}

// change is a change of configuration, and what is made of it.
type change struct {
	before, after *cib.CIB
	now, stamp    time.Time
	asItIs        bool // nothing is changed: what would the cluster do now?
}

// tell writes everything; the errors that the change brings make it end with exitConfig.
func (ch *change) tell(out *outline) (code int, err error) {
	if !ch.asItIs {
		code = ch.tellChanges(out)
	}
	old := scheduler.Schedule(ch.before, scheduler.Options{Now: ch.now, Masked: true})
	plan := scheduler.Schedule(ch.after, scheduler.Options{Now: ch.now, Masked: true})
	res, err := simulate.Run(ch.after, plan.Graph, simulate.Options{Stamp: ch.stamp, NoCancels: true})
	if err != nil {
		return exitError, err
	}
	end := res.After
	if ch.asItIs {
		out.line("What the cluster will do")
		tellRows(out, plan.Summary, "nothing")
	} else {
		tellConsequences(out, old.Summary, plan.Summary)
	}
	if countTold(plan.Graph) > 0 {
		out.blank()
		out.line("In this order")
		if end, err = ch.tellOrder(out, plan, res.After); err != nil {
			return exitError, err
		}
	}
	out.blank()
	out.line("Who runs where (+ comes, - goes)")
	then := scheduler.Look(end, scheduler.Options{Now: ch.now})
	for _, l := range drawing(old.View, then) {
		out.line("  " + l)
	}
	return code, nil
}

// tellChanges writes what is changed, and what is wrong with that.
func (ch *change) tellChanges(out *outline) (code int) {
	out.line("Changes")
	lines := diffFacts(factsOf(ch.before), factsOf(ch.after))
	for _, l := range lines {
		out.line("  " + l)
	}
	if len(lines) == 0 {
		out.line("  none")
	}
	for _, p := range newProblems(cib.Check(ch.before), cib.Check(ch.after)) {
		if p.Severity == cib.Error {
			if code == exitOK {
				out.blank()
				out.line("Wrong with it")
			}
			code = exitConfig
			out.line("  " + p.String())
		}
	}
	return code
}

// tellConsequences writes what a change leads to, and what would happen without it.
func tellConsequences(out *outline, before, after []scheduler.Change) {
	because, anyway := splitSummary(before, after)
	out.blank()
	out.line("What the cluster will do about it")
	tellRows(out, because, "nothing")
	if len(anyway) > 0 {
		out.blank()
		out.line("What it would do in any case")
		tellRows(out, anyway, "")
	}
}

// newProblems are the problems that the change brings.
func newProblems(before, after []cib.Problem) []cib.Problem {
	known := map[string]bool{}
	for _, p := range before {
		known[p.ID+"\x00"+p.What] = true
	}
	return slices.DeleteFunc(after, func(p cib.Problem) bool { return known[p.ID+"\x00"+p.What] })
}

// splitSummary tells the rows that the change brings from those that would come without it.
func splitSummary(old, new []scheduler.Change) (because, anyway []scheduler.Change) {
	for _, c := range new {
		if slices.Contains(old, c) {
			anyway = append(anyway, c)
		} else {
			because = append(because, c)
		}
	}
	return because, anyway
}

func tellRows(out *outline, rows []scheduler.Change, none string) {
	for _, r := range status.Summary(rows) {
		out.line("  " + r)
	}
	if len(rows) == 0 && none != "" {
		out.line("  " + none)
	}
}

// manyNodes is how many nodes are drawn whether or not anything changes on them.
const manyNodes = 24

// lineWidth is where the lists of the drawing are broken.
const lineWidth = 78

// drawing tells of each node what stays on it, what comes (+) and what goes (-). In large clusters only
// nodes where something changes are drawn.
func drawing(before, after *scheduler.View) []string {
	was, will := running(before), running(after)
	var names []string
	for _, v := range []*scheduler.View{before, after} {
		for _, n := range v.Nodes {
			if !slices.Contains(names, n.Name) {
				names = append(names, n.Name)
			}
		}
	}
	slices.Sort(names)
	few := len(names) <= manyNodes
	var rows [][]string
	for _, n := range append(names, "") {
		a, b := was[n], will[n]
		same := slices.Equal(a, b)
		if same && (n == "" && len(a) == 0 || !few) {
			continue
		}
		mark := when(!same, ">")
		name := orDefault(n, "(nowhere)")
		for _, l := range wrap(movement(a, b), lineWidth) {
			rows = append(rows, []string{mark, name, l})
			mark, name = "", ""
		}
	}
	if len(rows) == 0 {
		return []string{"as before"}
	}
	return columns(rows, -1)
}

// movement is what stays, what comes and what goes.
func movement(a, b []string) []string {
	var stays, comes, goes []string
	for _, r := range a {
		if slices.Contains(b, r) {
			stays = append(stays, r)
		} else {
			goes = append(goes, "-"+r)
		}
	}
	for _, r := range b {
		if !slices.Contains(a, r) {
			comes = append(comes, "+"+r)
		}
	}
	all := slices.Concat(stays, comes, goes)
	if len(all) == 0 {
		return []string{"nothing"}
	}
	return all
}

// wrap joins words to lines of at most width.
func wrap(list []string, width int) []string {
	var lines []string
	for _, w := range list {
		if n := len(lines); n > 0 && len(lines[n-1])+1+len(w) <= width {
			lines[n-1] += " " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
}

// running lists what runs on each node; under the empty name what is stopped.
func running(v *scheduler.View) map[string][]string {
	out := map[string][]string{}
	var walk func(rs []*scheduler.ResourceView, inClone bool)
	walk = func(rs []*scheduler.ResourceView, inClone bool) {
		for _, r := range rs {
			if r == nil {
				continue
			}
			inClone := inClone || r.Kind == "clone" || r.Kind == "bundle"
			if r.Kind == "primitive" {
				name := r.Name
				if r.Role == "Promoted" {
					name += "(promoted)"
				}
				for _, n := range r.On {
					out[n.Name] = append(out[n.Name], name)
				}
				if len(r.On) == 0 && !inClone && !r.Orphaned {
					out[""] = append(out[""], name)
				}
			}
			walk(r.Children, inClone)
			for _, rep := range r.Replicas {
				walk([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child}, true)
			}
		}
	}
	walk(v.Resources, false)
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}
