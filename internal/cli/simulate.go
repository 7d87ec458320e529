package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
)

// simulation is one call of simulate: what it was asked, and what came of it so far.
type simulation struct {
	c    *call
	o    *simulateOptions
	in   *cib.CIB
	now  time.Time
	date string // the line that says which time it is; empty: the clock's
	out  report
}

// report takes in the results in the order in which they come, and writes them in one of the formats.
type report interface {
	date(line string)
	status(v *scheduler.View, in *cib.CIB, revised bool)
	modifications(mods []simulate.Modification, o *simulateOptions)
	problem(err error)
	plan(p *scheduler.Plan)
	transition(steps []simulate.Step)
	finish(code int) error
}

func simulateCommand(c *call) int {
	o := &simulateOptions{}
	if err := parseFlags(o.flags(), c.args); err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	switch {
	case o.help:
		fmt.Fprint(c.Stdout, helpText(c.name))
		return exitOK
	case o.version:
		fmt.Fprintln(c.Stdout, versionLine)
		return exitOK
	case o.profile != "":
		return profile(c, o)
	}
	in, code := c.readCIB(o.file, o.pipe, o.live)
	if in == nil {
		return code
	}
	w, closeOutput, err := c.output(o.outputTo)
	if err != nil {
		return c.errorf(exitCantOut, "%v", err)
	}
	if strings.HasSuffix(c.name, "crm_simulate") && o.events.QuorumAlone() {
		o.events.Quorum = "" // which is how crm_simulate treats it
	}
	s := &simulation{c: c, o: o, in: in}
	switch o.outputAs {
	case "text":
		s.out = newTextReport(w, c, o)
	case "xml":
		s.out = newXMLReport(w, c, o)
	case "json":
		s.out = newJSONReport(w, o)
	default:
		return c.errorf(exitFormat, "output format %q is unknown: it is text, xml or json", o.outputAs)
	}
	if err := s.setTime(); err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	code = s.run()
	if err := errors.Join(s.out.finish(code), closeOutput()); err != nil {
		return c.errorf(exitIOErr, "%v", err)
	}
	return code
}

// output opens where the results go.
func (c *call) output(to string) (io.Writer, func() error, error) {
	if to == "" || to == "-" {
		return c.Stdout, func() error { return nil }, nil
	}
	f, err := os.Create(to)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write the output: %w", err)
	}
	return f, f.Close, nil
}

// readCIB reads the input; with nil comes the exit code.
func (c *call) readCIB(file string, pipe, live bool) (*cib.CIB, int) {
	var data []byte
	var err error
	switch {
	case live:
		return nil, c.errorf(exitNoLive, "there is no running cluster to ask yet: name a CIB with --xml-file")
	case pipe:
		file = "standard input"
		data, err = io.ReadAll(c.Stdin)
	case file == "":
		return nil, c.errorf(exitUsage, "no CIB given: name one with --xml-file, or feed it with --xml-pipe")
	default:
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, c.errorf(exitNoInput, "cannot read the CIB: %v", err)
	}
	in, err := cib.Decode(file, data)
	if err != nil {
		return nil, c.errorf(exitConfig, "%v", err)
	}
	return in, exitOK
}

// setTime decides what time it is: the one that was asked for, the CIB's own, or the clock's.
func (s *simulation) setTime() error {
	now, asked, err := s.c.effectiveTime(s.o.setDate, s.in)
	s.now = now
	switch {
	case err != nil:
		return err
	case asked:
		s.date = "Setting effective cluster time: " + s.o.setDate
	case !s.in.ExecutionDate.IsZero():
		s.date = "Using the original execution date of: " + now.UTC().Format("2006-01-02 15:04:05Z")
	}
	return nil
}

// effectiveTime is the time to plan at; asked says that the option decided.
func (c *call) effectiveTime(option string, in *cib.CIB) (now time.Time, asked bool, err error) {
	switch {
	case option != "":
		t, ok := cib.ParseTime(option)
		if !ok {
			return t, true, fmt.Errorf("--set-datetime: %q is not a date and time: write it like \"2026-01-31 12:00:00\"", option)
		}
		return t, true, nil
	case !in.ExecutionDate.IsZero():
		return in.ExecutionDate, false, nil
	}
	return c.Now(), false, nil
}

// run goes through the steps: status, events, plan, transition, status again.
func (s *simulation) run() int {
	stamp := s.c.Now()
	s.tellDate()
	planned := s.o.processes()
	var p *scheduler.Plan
	if planned && s.o.events.Empty() { // one reading of the state will do
		p = s.schedule()
		s.out.status(p.View, s.in, false)
	}
	var view *scheduler.View
	if p == nil && (!s.o.quiet || len(s.o.events.Ops) > 0) {
		view = scheduler.Look(s.in, scheduler.Options{Now: s.now})
		s.out.status(view, s.in, false)
	}
	if !s.o.events.Empty() {
		after, mods, errs := simulate.Inject(s.in, &s.o.events, stamp, s.finder(view))
		s.out.modifications(mods, s.o)
		for _, err := range errs {
			s.out.problem(err)
		}
		s.in = after
		if planned {
			s.tellDate()
		}
	}
	if s.o.saveInput != "" {
		if err := s.c.writeCIB(s.o.saveInput, s.in); err != nil {
			return s.c.errorf(exitCantOut, "cannot save the input: %v", err)
		}
	}
	if !planned {
		return exitOK
	}
	if p == nil {
		p = s.schedule()
	}
	return s.planned(p, stamp)
}

// finder is resourceFinder where there are operations to look resources up for.
func (s *simulation) finder(v *scheduler.View) func(string) (simulate.ResourceType, bool) {
	if v == nil {
		return nil
	}
	return resourceFinder(s.in, v)
}

func (s *simulation) tellDate() {
	if s.date != "" {
		s.out.date(s.date)
	}
}

func (s *simulation) schedule() *scheduler.Plan {
	return scheduler.Schedule(s.in, scheduler.Options{Now: s.now, Masked: true, Scores: s.o.showScores || s.o.showUtil, Idle: s.o.saveDot != ""})
}

// planned shows and saves a plan, and carries it out if that is asked for.
func (s *simulation) planned(p *scheduler.Plan, stamp time.Time) int {
	if err := s.saveGraph(p); err != nil {
		return s.c.errorf(exitIOErr, "%v", err)
	}
	s.out.plan(p)
	if !s.o.simulates() {
		return exitOK
	}
	var fail []simulate.OpSpec
	for _, spec := range s.o.opFail {
		o, err := simulate.ParseOpSpec(spec)
		if err != nil {
			s.out.problem(err)
			continue
		}
		fail = append(fail, o)
	}
	res, err := simulate.Run(s.in, p.Graph, simulate.Options{Stamp: stamp, Fail: fail})
	if err != nil {
		return s.c.errorf(exitError, "%v", err)
	}
	s.out.transition(res.Steps)
	save := s.o.saveOutput
	if s.o.inPlace && save == "" {
		save = s.o.file
	}
	if save != "" {
		if err := s.c.writeCIB(save, res.After); err != nil {
			return s.c.errorf(exitCantOut, "cannot save the output: %v", err)
		}
	}
	s.tellDate()
	if s.o.quiet {
		s.out.status(nil, nil, true)
		return exitOK
	}
	s.out.status(scheduler.Look(res.After, scheduler.Options{Now: s.now}), res.After, true)
	return exitOK
}

func (s *simulation) saveGraph(p *scheduler.Plan) error {
	if s.o.saveGraph != "" {
		if err := writeFile(s.o.saveGraph, p.Graph.WriteXML); err != nil {
			return fmt.Errorf("cannot save the graph: %w", err)
		}
	}
	if s.o.saveDot != "" {
		dot := func(w io.Writer) error { return p.Graph.WriteDOT(w, s.o.allActions) }
		if err := writeFile(s.o.saveDot, dot); err != nil {
			return fmt.Errorf("cannot save the drawing: %w", err)
		}
	}
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// resourceFinder tells the agent of a primitive or instance by its name: an instance's own, or the plain
// one if histories know it by that.
func resourceFinder(in *cib.CIB, v *scheduler.View) func(string) (simulate.ResourceType, bool) {
	known := map[string]bool{}
	for _, n := range in.Status.Nodes {
		for _, h := range n.Lrm {
			known[h.ID] = true
		}
	}
	agents := map[string]simulate.ResourceType{}
	var walk func(rs []*scheduler.ResourceView)
	walk = func(rs []*scheduler.ResourceView) {
		for _, r := range rs {
			if r == nil {
				continue
			}
			if r.Kind == "primitive" {
				a := simulate.ResourceType{Class: r.Class, Provider: r.Provider, Type: r.Type}
				agents[r.ID] = a
				if known[r.Name] {
					agents[r.Name] = a
				}
			}
			walk(r.Children)
			for _, rep := range r.Replicas {
				walk([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child})
			}
		}
	}
	walk(v.Resources)
	return func(name string) (simulate.ResourceType, bool) {
		a, ok := agents[name]
		return a, ok
	}
}

// writeCIB writes a CIB to a file, "-" for standard output.
func (c *call) writeCIB(name string, in *cib.CIB) error {
	data := in.Root.AppendXML(nil)
	if name == "-" {
		_, err := c.Stdout.Write(data)
		return err
	}
	return os.WriteFile(name, data, 0o644)
}
