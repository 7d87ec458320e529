package cli

import (
	"encoding/json"
	"io"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
)

// jsonReport writes the results as one JSON document. Its field names are a promise to readers.
type jsonReport struct {
	w   io.Writer
	o   *simulateOptions
	doc struct {
		Code          int          `json:"code"`
		Errors        []string     `json:"errors,omitempty"`
		Modifications []string     `json:"modifications,omitempty"`
		Scores        []jsonScore  `json:"scores,omitempty"`
		Utilization   []string     `json:"utilization,omitempty"`
		Summary       []jsonChange `json:"summary"`
		Transition    []jsonStep   `json:"transition,omitempty"`
		Status        []string     `json:"status,omitempty"`
		Revised       []string     `json:"revised_status,omitempty"`
	}
}

type jsonScore struct {
	By        string `json:"by,omitempty"`
	Resource  string `json:"resource"`
	Promotion bool   `json:"promotion,omitempty"`
	Node      string `json:"node"`
	Score     string `json:"score"`
}

type jsonChange struct {
	Action   string `json:"action"`
	Node     string `json:"node,omitempty"`
	How      string `json:"how,omitempty"` // how a node is fenced
	Resource string `json:"resource,omitempty"`
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	FromRole string `json:"from_role,omitempty"`
	ToRole   string `json:"to_role,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Blocked  bool   `json:"blocked,omitempty"`
}

type jsonStep struct {
	Action     int    `json:"action,omitempty"` // id in the graph
	Task       string `json:"task"`
	Resource   string `json:"resource,omitempty"`
	Node       string `json:"node,omitempty"`
	IntervalMS int64  `json:"interval_ms,omitempty"`
	Failed     bool   `json:"failed,omitempty"`
	RC         int    `json:"rc,omitempty"`
}

var _ report = (*jsonReport)(nil)

func newJSONReport(w io.Writer, o *simulateOptions) *jsonReport {
	j := &jsonReport{w: w, o: o}
	j.doc.Summary = []jsonChange{}
	return j
}

func (j *jsonReport) date(string) {}

func (j *jsonReport) status(v *scheduler.View, in *cib.CIB, revised bool) {
	if v == nil {
		return
	}
	if revised {
		j.doc.Revised = splitLines(statusText(v, in, j.o, false))
		return
	}
	j.doc.Status = splitLines(statusText(v, in, j.o, true))
}

func (j *jsonReport) modifications(mods []simulate.Modification, _ *simulateOptions) {
	for _, m := range mods {
		j.doc.Modifications = append(j.doc.Modifications, m.String())
	}
}

func (j *jsonReport) problem(err error) { j.doc.Errors = append(j.doc.Errors, err.Error()) }

func (j *jsonReport) plan(p *scheduler.Plan) {
	if j.o.showScores {
		for _, l := range p.Scores {
			j.doc.Scores = append(j.doc.Scores, jsonScore{l.By, l.Resource, l.Promotion, l.Node, cib.FormatScore(l.Score)})
		}
	}
	if j.o.showUtil {
		j.doc.Utilization = p.Utilization
	}
	for _, c := range p.Summary {
		j.doc.Summary = append(j.doc.Summary, jsonChange{c.Verb, c.Node, c.Detail, c.Resource, c.From, c.To, c.FromRole, c.ToRole, c.Reason, c.Blocked})
	}
}

func (j *jsonReport) transition(steps []simulate.Step) {
	for _, s := range steps {
		switch s.Kind {
		case simulate.FailureStep:
			last := &j.doc.Transition[len(j.doc.Transition)-1]
			last.Failed, last.RC = true, s.RC
		case simulate.AttrStep:
		case simulate.PseudoStep:
			j.doc.Transition = append(j.doc.Transition, jsonStep{Action: s.ID, Task: s.Key, Node: s.Node})
		default:
			j.doc.Transition = append(j.doc.Transition, jsonStep{s.ID, s.Task, s.Resource, s.Node, s.IntervalMS, false, 0})
		}
	}
}

func (j *jsonReport) finish(code int) error {
	j.doc.Code = code
	enc := json.NewEncoder(j.w)
	enc.SetIndent("", "  ")
	return enc.Encode(j.doc)
}
