package fencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/secret"
)

// Service is the name under which Serve is to be offered to the other nodes.
const Service = "fence-try"

// Config is what a Fencer works with. Node and State are needed; all else has a default.
type Config struct {
	Node  string           // our uname
	State func() cib.State // the newest that is known here

	Agents  Agents // default: the programs of AgentDirs
	Secrets []string
	// Remote asks the Fencer of another node: its Serve, by way of Service. Nil: no other node can be used.
	Remote func(ctx context.Context, node string, req []byte) ([]byte, error)
	// Reachable reports whether another node answers just now. Nil: those that the CIB calls online.
	Reachable func(node string) bool
	// Heard returns the last sign of life of a node; ok is false when there was none. Nil: nothing is known.
	Heard func(node string) (h Heard, ok bool)
	// Admit refuses the orders of leaders of the past. Nil: all are taken.
	Admit func(cib.Epoch) error
	// Ask tells people that they are waited for. Nil: the log alone.
	Ask func(ctx context.Context, q Question) error

	Now  func() time.Time
	Rand func(n int64) int64 // in [0,n)
	Log  *slog.Logger
}

// Heard is the last sign of life of a node.
type Heard struct {
	At     time.Time
	BootID string
}

// Fencer runs fence agents. It has no goroutine of its own but those of calls that are under way; Stop ends
// them.
type Fencer struct {
	cfg  Config
	base context.Context
	end  context.CancelCauseFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	flights map[string]*flight // by target
	slots   map[string]*slot   // by device
	lists   map[string]listed  // by device
	started map[string]bool    // devices whose resource is started here
}

// New makes a Fencer.
func New(cfg Config) *Fencer {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Int64N
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Agents == nil {
		cfg.Agents = NewPrograms(AgentDirs(), cfg.Now)
	}
	if cfg.Secrets == nil {
		cfg.Secrets = secret.Dirs()
	}
	f := &Fencer{cfg: cfg, flights: make(map[string]*flight), slots: make(map[string]*slot), lists: make(map[string]listed),
		started: make(map[string]bool)}
	f.base, f.end = context.WithCancelCause(context.Background())
	return f
}

// errStopped is why calls end when the Fencer does.
var errStopped = errors.New("the daemon of this node stops")

// Stop ends all calls, kills their agents, and waits for them.
func (f *Fencer) Stop() {
	f.end(errStopped)
	f.wg.Wait()
}

// Warm asks for the metadata of all configured agents and fills the caches of lists, so that a fencing does
// not have to wait for them. Call it when the configuration has changed.
func (f *Fencer) Warm(ctx context.Context) {
	for _, d := range f.devices() {
		meta, err := f.metadata(ctx, d.Agent)
		if err != nil {
			f.cfg.Log.Warn("a fence device cannot be used from here", "device", d.ID, "agent", d.Agent, "error", err)
			continue
		}
		if d.Unusable == "" && d.check(meta) == checkDynamic {
			if _, err := f.list(ctx, &d, meta); err != nil {
				f.cfg.Log.Warn("a fence device does not say whom it can fence", "device", d.ID, "error", err)
			}
		}
	}
}

func (f *Fencer) devices() []Device {
	return devices(f.cfg.State().CIB, f.cfg.Node, f.cfg.Now())
}

// device finds a device as this node sees it.
func (f *Fencer) device(id string) (Device, bool) {
	all := f.devices()
	i := slices.IndexFunc(all, func(d Device) bool { return d.ID == id })
	if i < 0 {
		return Device{}, false
	}
	return all[i], true
}

// metadata is an agent's, or that of a built-in one.
func (f *Fencer) metadata(ctx context.Context, agent string) (*Metadata, error) {
	if m := Builtin(agent); m != nil {
		return m, nil
	}
	return f.cfg.Agents.Metadata(ctx, agent)
}

// option is a cluster property.
func (f *Fencer) option(name string) string {
	return f.cfg.State().CIB.Option(name, f.cfg.Now())
}

// baseTimeout is what an action may take where the device does not say: stonith-timeout, 60 s.
func (f *Fencer) baseTimeout() time.Duration {
	for _, name := range []string{"fencing-timeout", "stonith-timeout"} {
		if d := duration(f.option(name), 0); d > 0 {
			return d
		}
	}
	return 60 * time.Second
}

// Fence cuts a node off (or lets it in again) and returns the record of it, which is final. progress, unless
// nil, is handed records before that: one when it begins, one after each failed try; it is called from one
// goroutine at a time and never after Fence has returned. A request for a target that is being dealt with
// joins what is under way, if that is at least as strong; otherwise it comes after it. When ctx ends, the
// request is withdrawn, and with the last request its agents are killed.
func (f *Fencer) Fence(ctx context.Context, req cib.FenceRequest, progress func(cib.FenceRecord)) cib.FenceRecord {
	if progress == nil {
		progress = func(cib.FenceRecord) {}
	}
	rec := cib.FenceRecord{FenceRequest: req, State: cib.FencePending, Requested: f.cfg.Now()}
	if err := checkRequest(req); err != nil {
		return f.failed(rec, err.Error())
	}
	if old, ok := f.tolerated(req); ok {
		rec.Evidence, rec.Node, rec.Devices = old.Evidence, old.Node, old.Devices
		return f.done(rec)
	}
	progress(rec)
	me := &listener{rec: rec, progress: progress}
	for {
		fl, before := f.join(me)
		if fl == nil { // something weaker is under way: after it
			select {
			case <-before:
				continue
			case <-ctx.Done():
				return f.failed(rec, withdrawn(ctx))
			}
		}
		select {
		case <-fl.done:
		case <-ctx.Done():
			if last := f.leave(fl, me, context.Cause(ctx)); !last || fl.outcome().State != cib.FenceDone {
				return f.failed(rec, withdrawn(ctx))
			}
		}
		return me.translate(fl.outcome())
	}
}

func withdrawn(ctx context.Context) string { return "withdrawn: " + context.Cause(ctx).Error() }

func checkRequest(req cib.FenceRequest) error {
	switch {
	case req.Target == "":
		return errors.New("no node is named that is to be fenced")
	case req.Action != "off" && req.Action != "reboot" && req.Action != "on":
		return fmt.Errorf("%q is no fencing: use off, reboot or on", req.Action)
	}
	return nil
}

// tolerated finds a success that the request is content with.
func (f *Fencer) tolerated(req cib.FenceRequest) (cib.FenceRecord, bool) {
	if req.Tolerance <= 0 {
		return cib.FenceRecord{}, false
	}
	for _, r := range slices.Backward(f.cfg.State().Fencing) {
		if strings.EqualFold(r.Target, req.Target) && r.State == cib.FenceDone && satisfies(r.Action, req.Action) {
			return r, f.cfg.Now().Sub(r.Completed) <= time.Duration(req.Tolerance)*time.Millisecond
		}
	}
	return cib.FenceRecord{}, false
}

// satisfies reports whether one action is as good as the other: who is off needs no reboot to be harmless.
func satisfies(have, want string) bool { return have == want || have == "off" && want == "reboot" }

func (f *Fencer) done(rec cib.FenceRecord) cib.FenceRecord {
	rec.State, rec.Error, rec.Completed = cib.FenceDone, "", f.cfg.Now()
	return rec
}

func (f *Fencer) failed(rec cib.FenceRecord, what string) cib.FenceRecord {
	rec.State, rec.Evidence, rec.Error, rec.Completed = cib.FenceFailed, "", what, f.cfg.Now()
	return rec
}
