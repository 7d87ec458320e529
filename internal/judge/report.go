package judge

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Gap is a time in which a resource was available nowhere.
type Gap struct {
	Resource string
	From, To time.Duration
	Why      string // "its host was lost"
	Open     bool   // it was not over at the end
}

// tally is what a run is worth.
type tally struct {
	from      time.Duration // when counting began: all was well for the first time
	faults    map[string]int
	gaps      []Gap
	converged []time.Duration // from the end of the faults until all was well
}

func newTally() tally { return tally{from: never, faults: map[string]int{}} }

func (t *tally) begin(at time.Duration) { t.from, t.gaps = at, nil }

// available notes whether a resource is available somewhere.
func (j *Judge) available(name string, at time.Duration, why string) {
	r := j.resources[name]
	up := false
	for node, run := range r.on {
		up = up || run.state == running && !j.node(node).paused
	}
	switch {
	case up && r.why != "":
		j.tally.gaps = append(j.tally.gaps, Gap{Resource: name, From: r.down, To: at, Why: r.why})
		r.why = ""
	case !up && r.why == "" && why != "":
		r.down, r.why = at, why
	}
}

// Report is what a run is worth.
type Report struct {
	From, To   time.Duration
	Resources  []Availability
	Gaps       []Gap
	Converged  []time.Duration // sorted
	Faults     map[string]int
	Violations []Violation
}

// Availability is that of one resource, from 0 to 1.
type Availability struct {
	Resource string
	Share    float64
	Down     time.Duration
}

// Report sums up what was seen until now.
func (j *Judge) Report() Report {
	rep := Report{From: max(j.tally.from, 0), To: j.last, Faults: maps.Clone(j.tally.faults), Violations: j.Violations()}
	rep.Converged = slices.Sorted(slices.Values(j.tally.converged))
	rep.Gaps = slices.Clone(j.tally.gaps)
	down := map[string]time.Duration{}
	for _, name := range slices.Sorted(maps.Keys(j.resources)) {
		down[name] = 0
		if r := j.resources[name]; r.why != "" {
			rep.Gaps = append(rep.Gaps, Gap{Resource: name, From: max(r.down, rep.From), To: j.last, Why: r.why, Open: true})
		}
	}
	for _, g := range rep.Gaps {
		down[g.Resource] += g.To - max(g.From, rep.From)
	}
	for _, name := range slices.Sorted(maps.Keys(down)) {
		a := Availability{Resource: name, Down: down[name], Share: 1}
		if all := rep.To - rep.From; all > 0 {
			a.Share = 1 - float64(a.Down)/float64(all)
		}
		rep.Resources = append(rep.Resources, a)
	}
	return rep
}

// Quantile is the value below which a share of a sorted list is; 0 for none.
func Quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// Write draws the report for a person.
func (r Report) Write(w io.Writer) {
	fmt.Fprintf(w, "%s, %d resources\n", (r.To - r.From).Round(time.Second), len(r.Resources))
	r.writeFaults(w)
	r.writeAvailability(w)
	r.writeRecoveries(w)
	fmt.Fprintf(w, "\nAfter the faults were over, all was well again (%d times): median %s, p95 %s, longest %s\n", len(r.Converged),
		seconds(Quantile(r.Converged, 0.5)), seconds(Quantile(r.Converged, 0.95)), seconds(Quantile(r.Converged, 1)))
	fmt.Fprintf(w, "\nViolations: %d\n", len(r.Violations))
	for _, v := range r.Violations {
		fmt.Fprintf(w, "  %s\n", v)
	}
}

func (r Report) writeFaults(w io.Writer) {
	all := 0
	for _, n := range r.Faults {
		all += n
	}
	fmt.Fprintf(w, "\nFaults: %d\n", all)
	for _, kind := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(w, "  %-22s %5d\n", kind, r.Faults[kind])
	}
}

// worst is how many of the resources are shown one by one.
const worst = 10

func (r Report) writeAvailability(w io.Writer) {
	if len(r.Resources) == 0 {
		return
	}
	list := slices.Clone(r.Resources)
	slices.SortStableFunc(list, func(a, b Availability) int { return int(b.Down - a.Down) })
	var down time.Duration
	for _, a := range list {
		down += a.Down
	}
	fmt.Fprintf(w, "\nAvailability: %.3f %% overall\n", 100*(1-down.Seconds()/(r.To-r.From).Seconds()/float64(len(list))))
	for i, a := range list {
		if i == worst && len(list) > worst+1 {
			fmt.Fprintf(w, "  and %d more, the best of them %s %.3f %%\n", len(list)-worst, list[len(list)-1].Resource, 100*list[len(list)-1].Share)
			break
		}
		fmt.Fprintf(w, "  %-12s %7.3f %%   down %s\n", a.Resource, 100*a.Share, seconds(a.Down))
	}
}

func (r Report) writeRecoveries(w io.Writer) {
	byWhy := map[string][]time.Duration{}
	for _, g := range r.Gaps {
		if !g.Open {
			byWhy[g.Why] = append(byWhy[g.Why], g.To-g.From)
		}
	}
	fmt.Fprintf(w, "\nRecoveries, from when a resource was lost until it was available again:\n")
	for _, why := range slices.Sorted(maps.Keys(byWhy)) {
		list := slices.Sorted(slices.Values(byWhy[why]))
		fmt.Fprintf(w, "  %-22s %5d times: median %s, p95 %s, longest %s\n", why, len(list),
			seconds(Quantile(list, 0.5)), seconds(Quantile(list, 0.95)), seconds(Quantile(list, 1)))
		histogram(w, list)
	}
}

// histogram draws how many recoveries took how long, in steps that double.
func histogram(w io.Writer, sorted []time.Duration) {
	const width = 40
	var steps []int
	limit, i := 250*time.Millisecond, 0
	for i < len(sorted) {
		n := 0
		for i < len(sorted) && sorted[i] < limit {
			n, i = n+1, i+1
		}
		steps, limit = append(steps, n), 2*limit
	}
	most := slices.Max(append(steps, 1))
	limit = 250 * time.Millisecond
	for _, n := range steps {
		fmt.Fprintf(w, "    under %7s %5d %s\n", seconds(limit), n, strings.Repeat("#", (n*width+most-1)/most))
		limit *= 2
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
