package ordeal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/judge"
)

// Config is what a run is made of.
type Config struct {
	Seed     uint64
	Faults   int           // how many; 0: as many as there is time for
	For      time.Duration // how long; 0: as long as the faults take
	Services int
	Monitor  time.Duration // between two monitors of a service
	Calm     time.Duration // up to so long nothing happens before the next faults
	Converge time.Duration // how soon all must be well after the faults are over
	Say      func(format string, args ...any)
}

// ErrViolated says that a promise was broken. The report and what was said tell which.
var ErrViolated = errors.New("a promise was broken")

// aloneMargin is how long after a cut a node may begin something: its lease, and a busy machine.
const aloneMargin = 2 * time.Second

// run is one run.
type run struct {
	Config
	site     Site
	rnd      *rand.Rand
	journal  *journal
	services []string
	links    Links
	frozen   map[string]bool
	alone    map[string]bool
	full     map[string]bool
	done     int                  // faults
	bag      []kind               // of those to come
	thaws    map[string]time.Time // when frozen nodes go on
	changes  *changes
}

// Run harms a cluster that has just been made, again and again, and lets it recover in between. It ends with
// ErrViolated at the first violation. The report is also there when there is an error.
func Run(ctx context.Context, site Site, cfg Config) (judge.Report, error) {
	j, err := openJournal(site.Journal(), judge.Rules{Alone: aloneMargin, Converge: cfg.Converge})
	if err != nil {
		return judge.Report{}, err
	}
	defer j.file.Close()
	r := &run{Config: cfg, site: site, rnd: rand.New(rand.NewPCG(cfg.Seed, 0)), journal: j, links: Links{}, frozen: map[string]bool{}, thaws: map[string]time.Time{},
		alone: map[string]bool{}, full: map[string]bool{}}
	r.changes = newChanges(r)
	err = r.all(ctx)
	if err != nil {
		r.tell(err)
	}
	rep := j.judge.Report()
	for _, k := range r.possible() {
		rep.Faults[k.name] += 0 // those that never happened are told of, too
	}
	return rep, err
}

func (r *run) all(ctx context.Context) error {
	if err := r.configure(ctx); err != nil {
		return err
	}
	if err := r.heal(ctx); err != nil {
		return err
	}
	r.Say("seed %d: %d nodes, %d services, all is well", r.Seed, len(r.site.Nodes()), len(r.services))
	r.changes.start(ctx)
	defer r.changes.stop()
	began, told := time.Now(), time.Now()
	for round := 1; !r.over(began); round++ {
		if err := r.round(ctx); err != nil {
			return err
		}
		if time.Since(told) > time.Minute || r.over(began) {
			told = time.Now()
			r.Say("%4.0f s: %d faults in %d rounds, no violation", time.Since(began).Seconds(), r.done, round)
		}
	}
	return nil
}

func (r *run) over(began time.Time) bool {
	return r.Faults > 0 && r.done >= r.Faults || r.For > 0 && time.Since(began) >= r.For
}

// round makes some faults, one upon the other, ends them, and waits until all is well.
func (r *run) round(ctx context.Context) error {
	for range 1 + r.rnd.IntN(4) {
		if err := r.fault(ctx); err != nil {
			return err
		}
		if err := r.pause(ctx, time.Duration(r.rnd.IntN(2500))*time.Millisecond); err != nil {
			return err
		}
		if err := r.verdict(); err != nil {
			return err
		}
	}
	if err := r.pause(ctx, time.Duration(r.rnd.IntN(3000))*time.Millisecond); err != nil {
		return err
	}
	if err := r.heal(ctx); err != nil || r.Calm == 0 {
		return err
	}
	return r.pause(ctx, time.Duration(r.rnd.Int64N(int64(r.Calm))))
}

// verdict is the judge's, so far.
func (r *run) verdict() error {
	if _, err := r.journal.follow(); err != nil {
		return err
	}
	if v := r.journal.judge.Violations(); len(v) > 0 {
		return fmt.Errorf("%w: %s", ErrViolated, v[0])
	}
	return nil
}

// tell shows what led to the end of a run.
func (r *run) tell(err error) {
	_, _ = r.journal.follow()
	r.Say("seed %d: %v\n\nFaults:\n%s", r.Seed, err, r.journal.faults())
	for i, v := range r.journal.judge.Violations() {
		if i == 3 {
			r.Say("and more")
			break
		}
		r.Say("%s", judge.Timeline(r.journal.events, v, 40*time.Second))
	}
	r.Say("%s", r.site.Keep(err.Error()))
}

// note writes into the journal.
func (r *run) note(node, resource, what string, rest ...string) error {
	return r.journal.note(node, resource, what, rest...)
}

// WriteReport draws a report for whoever runs it.
func WriteReport(w io.Writer, seed uint64, nodes int, rep judge.Report) {
	fmt.Fprintf(w, "\n%s\nseed %d, %d nodes, ", strings.Repeat("=", 60), seed, nodes)
	rep.Write(w)
}
