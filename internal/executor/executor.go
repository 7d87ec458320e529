package executor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/secret"
)

// What Do may answer.
var (
	// ErrStale refuses an order of a leader that is none any more.
	ErrStale = errors.New("the order is of an earlier epoch than one seen here")
	// ErrStopped says that this executor is not running.
	ErrStopped = errors.New("the executor is not running")
)

// Fencer takes over what is done to resources of class stonith: they are fence devices.
type Fencer interface {
	Register(ctx context.Context, device string) error   // this node may use it now
	Unregister(ctx context.Context, device string) error // and now not any more
	Monitor(ctx context.Context, device string) error    // the device answers
}

// Config is what an executor needs.
type Config struct {
	Dir    string // of the ledger; made when it is not there
	Node   string // uname of this node
	BootID string // of this host: with another one everything that ran has ended
	Driver driver.Driver
	Fencer Fencer // nil: resources of class stonith are not supported

	// Report takes results to whoever leads. nil means that they are committed; with an error they are reported
	// again, with whatever has come since.
	Report func(context.Context, []cib.OpResult) error

	// Lease reports whether this node may act. Where it may not, the leader may have given it up for lost, and nothing
	// is begun that could run elsewhere by now; what ends or looks is done all the same. nil: always.
	Lease func() bool

	Secrets []string // directories of secret files, in the format of cibsecret; nil: secret.Dirs()

	Limit int              // operations at one time, recurring ones not counted; 0: twice the number of cores
	Now   func() time.Time // default time.Now
	Log   *slog.Logger

	// Await waits for a process that is no child: driver.Await unless a test says otherwise.
	Await func(ctx context.Context, p driver.Process, timeout time.Duration) bool
	// Find looks for the process of an agent by its environment: driver.Find unless a test says otherwise.
	Find func(env, typ string) (driver.Process, bool)
}

// Executor carries out the operations of a node.
type Executor struct {
	cfg Config
	led *ledger

	mu       sync.Mutex
	started  bool
	stopped  bool
	lanes    map[string]*lane
	ready    []*lane // have something to do, and nothing going on; in the order in which they got so
	due      int     // of those, how many wait for a run of a recurring operation; never less
	running  int     // operations
	watching int     // runs of recurring operations
	outbox   []cib.OpResult

	wake   chan struct{} // there is something in the outbox
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
}

// New makes an executor and opens its ledger.
func New(cfg Config) (*Executor, error) {
	if cfg.Driver == nil || cfg.Report == nil || cfg.Node == "" || cfg.BootID == "" {
		return nil, errors.New("executor: Driver, Report, Node and BootID must be set")
	}
	if cfg.Limit <= 0 {
		cfg.Limit = 2 * runtime.NumCPU()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Secrets == nil {
		cfg.Secrets = secret.Dirs()
	}
	if cfg.Lease == nil {
		cfg.Lease = func() bool { return true }
	}
	if cfg.Await == nil {
		cfg.Await = driver.Await
	}
	if cfg.Find == nil {
		cfg.Find = driver.Find
	}
	led, err := openLedger(cfg.Dir, cfg.BootID, cfg.Log)
	if err != nil {
		return nil, err
	}
	e := &Executor{cfg: cfg, led: led, lanes: map[string]*lane{}, wake: make(chan struct{}, 1)}
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	return e, nil
}

// Start takes up what an earlier executor of the same boot has left, and takes orders from then on.
func (e *Executor) Start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.started || e.stopped {
		return nil
	}
	e.started = true
	if err := e.resume(); err != nil {
		return err
	}
	e.wg.Add(1)
	go e.reporter()
	e.pump()
	return nil
}

// Stop ends the executor and leaves everything else as it is: agents that are at work go on by themselves, and
// the next executor looks at what they have done.
func (e *Executor) Stop() {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		e.wg.Wait()
		return
	}
	e.stopped = true
	e.cancel(driver.ErrAbandoned)
	for _, l := range e.lanes {
		l.halt()
	}
	e.mu.Unlock()
	e.wg.Wait()
	e.led.close()
}

// SetLimit changes how many operations may go on at one time (node-action-limit); 0 is twice the number of cores.
func (e *Executor) SetLimit(n int) {
	if n <= 0 {
		n = 2 * runtime.NumCPU()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cfg.Limit = n
	e.pump()
}

// Epoch is the highest epoch that has been seen here.
func (e *Executor) Epoch() cib.Epoch {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.led.epoch
}

// Do takes an order. nil means that it is on disk: it will be carried out once, and its result reported, whatever
// happens to the daemon meanwhile. An order that was taken before is not carried out again; if its result is there
// it is reported again. ErrStale refuses a new order of a lower epoch than the highest seen: it will never be
// carried out here.
func (e *Executor) Do(op cib.Operation) error {
	if op.Node != "" && op.Node != e.cfg.Node {
		return fmt.Errorf("operation %s of %s is for node %s; this is %s", op.Name, op.Resource, op.Node, e.cfg.Node)
	}
	if op.Resource == "" || op.Name == "" {
		return errors.New("operation without resource or name")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.started || e.stopped {
		return ErrStopped
	}
	if rec := e.led.find(op.Epoch, op.Action); rec != nil { // whatever its epoch: ErrStale must mean that it is not done
		if rec.State == opDone {
			e.resend(rec)
		}
		return nil
	}
	if op.Epoch.Less(e.led.epoch) {
		return fmt.Errorf("%w: %s, seen %s", ErrStale, op.Epoch, e.led.epoch)
	}
	rec, err := e.led.accept(op)
	if err != nil {
		return err
	}
	e.cfg.Log.Debug("operation accepted", "op", op.Name, "resource", op.Resource, "interval", op.IntervalMS, "plan", op.Epoch.String(), "call", rec.CallID)
	e.take(&task{op: op, callID: rec.CallID, queued: e.cfg.Now()})
	e.pump()
	return nil
}

// Active lists the resources that are active here as far as this node knows, and those of which it does not know.
func (e *Executor) Active() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for name, l := range e.lanes {
		if l.state != stopped || l.busy != nil || len(l.queue) > 0 {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Ledger is what a new leader must know of a node.
type Ledger struct {
	Epoch     cib.Epoch       `json:"epoch"`     // the highest seen: the caller's, unless the call came from an older leader
	InFlight  []cib.Operation `json:"in_flight"` // accepted, without a result yet
	Unacked   []cib.OpResult  `json:"unacked"`   // results that are no committed facts yet
	Recurring []cib.Operation `json:"recurring"` // that go on
}

// Ledger raises the epoch, so that no earlier leader is obeyed from here on, and tells what there is. The leader of
// the newest term may ask as often as it likes, whatever it has ordered already. ErrStale comes with the ledger
// when a later leader has been seen already.
func (e *Executor) Ledger(epoch cib.Epoch) (Ledger, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	switch {
	case epoch.Term < e.led.epoch.Term:
		err = fmt.Errorf("%w: %s, seen %s", ErrStale, epoch, e.led.epoch)
	case e.led.epoch.Less(epoch):
		err = e.led.raise(epoch)
	}
	l := Ledger{Epoch: e.led.epoch, InFlight: e.led.inFlight(), Unacked: slices.Clone(e.outbox)}
	for _, id := range e.laneNames() {
		for _, r := range e.lanes[id].sorted() {
			l.Recurring = append(l.Recurring, r.op)
		}
	}
	return l, err
}

// Ack says that a result is a committed fact. Report's nil says the same of all that it was given.
func (e *Executor) Ack(serial uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acked([]uint64{serial})
}

func (e *Executor) laneNames() []string {
	names := make([]string, 0, len(e.lanes))
	for name := range e.lanes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
