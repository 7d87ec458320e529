package cli

import (
	"fmt"
	"io"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
	"github.com/cerco-ha/cerco/internal/status"
)

// textReport writes crm_simulate's text.
type textReport struct {
	*outline
	c        *call
	o        *simulateOptions
	modified bool
}

var _ report = (*textReport)(nil)

func newTextReport(w io.Writer, c *call, o *simulateOptions) *textReport {
	return &textReport{outline: newOutline(w, o.fancy || !o.showScores && !o.showUtil), c: c, o: o}
}

func (t *textReport) date(line string) {
	if !t.o.quiet {
		t.line(line)
	}
}

func (t *textReport) status(v *scheduler.View, in *cib.CIB, revised bool) {
	if revised && (!t.o.quiet || t.modified || t.o.showScores || t.o.showUtil) {
		t.blank()
	}
	if t.o.quiet {
		return
	}
	if revised {
		t.heading("Revised Cluster Status")
	} else {
		status.Notes(t.w, v) // the buffer keeps the error until finish
		t.heading("Current cluster status")
	}
	t.block(statusText(v, in, t.o, !revised))
}

func (t *textReport) modifications(mods []simulate.Modification, o *simulateOptions) {
	t.modified = true
	if o.quiet {
		return
	}
	t.blank()
	t.heading("Performing Requested Modifications")
	for _, m := range mods {
		t.item(m.String())
	}
}

func (t *textReport) problem(err error) { fmt.Fprintln(t.c.Stderr, err) }

func (t *textReport) plan(p *scheduler.Plan) {
	if t.o.showScores || t.o.showUtil {
		t.scores(p)
	}
	if t.o.quiet {
		return
	}
	t.blank()
	t.heading("Transition Summary")
	for _, row := range status.Summary(status.ShownChanges(p.Summary)) {
		t.item(row)
	}
}

func (t *textReport) scores(p *scheduler.Plan) {
	if !t.o.quiet || t.modified {
		t.blank()
	}
	switch {
	case t.o.showScores && t.o.showUtil:
		t.heading("Allocation Scores and Utilization Information")
	case t.o.showScores:
		t.heading("Allocation Scores")
	default:
		t.heading("Utilization Information")
	}
	next := 0
	utilization := func(before int) {
		for ; t.o.showUtil && next < len(p.Utilization) && p.UtilizationAt[next] <= before; next++ {
			t.item(p.Utilization[next])
		}
	}
	for i := range p.Scores {
		utilization(i)
		if t.o.showScores {
			t.item(scoreLine(&p.Scores[i]))
		}
	}
	utilization(len(p.Scores))
}

func scoreLine(l *scheduler.ScoreLine) string {
	if l.Promotion {
		return fmt.Sprintf("%s promotion score on %s: %s", l.Resource, l.Node, cib.FormatScore(l.Score))
	}
	return fmt.Sprintf("%s: %s allocation score on %s: %s", l.By, l.Resource, l.Node, cib.FormatScore(l.Score))
}

func (t *textReport) transition(steps []simulate.Step) {
	if t.o.quiet {
		return
	}
	t.blank()
	t.heading("Executing Cluster Transition")
	for _, s := range steps {
		if s.Kind == simulate.FailureStep {
			t.line(s.String())
			continue
		}
		t.item(s.String())
	}
}

func (t *textReport) finish(int) error { return t.flush() }
