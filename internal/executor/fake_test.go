package executor

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// fake is a driver whose agents are a function, and which notices when calls for one resource overlap.
type fake struct {
	t    testing.TB
	meta *driver.Metadata
	f    func(ctx context.Context, r driver.Request) driver.Result // nil: success

	mu      sync.Mutex
	calls   []string // "start a"
	busy    map[string]bool
	most    int // at one time
	current int
}

func (f *fake) Run(ctx context.Context, r driver.Request) driver.Result {
	f.mu.Lock()
	if f.busy == nil {
		f.busy = map[string]bool{}
	}
	if f.busy[r.Resource] {
		f.t.Errorf("%s of %s while another operation of it is going on", r.Action, r.Resource)
	}
	f.busy[r.Resource] = true
	f.current++
	f.most = max(f.most, f.current)
	f.calls = append(f.calls, r.Action+" "+r.Resource)
	do := f.f
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.busy[r.Resource] = false
		f.current--
	}()
	if do == nil {
		return driver.Result{}
	}
	return do(ctx, r)
}

func (f *fake) Metadata(context.Context, string, string, string) (*driver.Metadata, error) {
	if f.meta == nil {
		return nil, errors.New("none")
	}
	return f.meta, nil
}

func (f *fake) set(do func(ctx context.Context, r driver.Request) driver.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.f = do
}

func (f *fake) count(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == call {
			n++
		}
	}
	return n
}

// takes makes an agent that takes some time, and ends when it is told to.
func takes(d time.Duration, res driver.Result) func(context.Context, driver.Request) driver.Result {
	return func(ctx context.Context, _ driver.Request) driver.Result {
		select {
		case <-time.After(d):
			return res
		case <-ctx.Done():
			return driver.Result{RC: 1, Status: cib.OpCancelled}
		}
	}
}

func answers(rc int) func(context.Context, driver.Request) driver.Result {
	return func(context.Context, driver.Request) driver.Result { return driver.Result{RC: rc} }
}

// leader is who hears the results.
type leader struct {
	mu      sync.Mutex
	results []cib.OpResult
	err     error // what Report answers
	told    func([]cib.OpResult)
}

func (l *leader) report(_ context.Context, rs []cib.OpResult) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	l.results = append(l.results, rs...)
	if l.told != nil {
		l.told(rs)
	}
	return nil
}

// heard takes what has been reported since it was last called.
func (l *leader) heard() []cib.OpResult {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.results
	l.results = nil
	return r
}

func (l *leader) deaf(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

type node struct {
	t      testing.TB
	drv    *fake
	leader *leader
	cfg    Config
	*Executor
}

func newNode(t testing.TB) *node {
	t.Helper()
	n := &node{t: t, drv: &fake{t: t}, leader: &leader{}}
	n.cfg = Config{Dir: t.TempDir(), Node: "n1", BootID: "boot1", Driver: n.drv, Report: n.leader.report,
		Await: func(context.Context, driver.Process, time.Duration) bool { return true },
		Find:  func(string, string) (driver.Process, bool) { return driver.Process{}, false }}
	return n
}

func (n *node) start() *node {
	n.t.Helper()
	e, err := New(n.cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.Executor = e
	return n
}

func (n *node) do(ops ...cib.Operation) {
	n.t.Helper()
	for _, op := range ops {
		if err := n.Do(op); err != nil {
			n.t.Fatal(err)
		}
	}
}

// order makes an operation: plan, action, what, resource, and an interval in ms.
func order(plan uint64, action int, name, resource string, interval int64) cib.Operation {
	return cib.Operation{Epoch: cib.Epoch{Term: 1, Plan: plan}, Action: action, Node: "n1", Resource: resource, Class: "ocf", Provider: "test",
		Type: "agent", Name: name, IntervalMS: interval, TimeoutMS: 20000, Attrs: []cib.Attr{{Name: "p", Value: "1"}, {Name: "CRM_meta_timeout", Value: "20000"}}}
}
