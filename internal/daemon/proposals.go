package daemon

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/store"
)

// proposals are the commands of the controller on their way into the log, in its order. Many are on their
// way at a time, so that they share writes to the disk.
type proposals struct {
	store *store.Store
	loop  *loop
	wg    sync.WaitGroup
}

// commitPatience is how long a command may be on its way; the controller proposes again what it still wants.
const commitPatience = 10 * time.Second

func (p *proposals) put(c cib.Command) {
	outcome := p.store.Begin(c)
	p.wg.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), commitPatience)
		defer cancel()
		_, err := outcome(ctx)
		elsewhere := (*store.NotLeaderError)(nil)
		if err != nil && !errors.As(err, &elsewhere) && !errors.Is(err, store.ErrUncertain) && !errors.Is(err, store.ErrClosed) {
			p.loop.put(controller.Refused{Command: c, Err: err.Error()})
		}
	})
}

func (p *proposals) stop() { p.wg.Wait() }

// fences are the fencings that run here and can be given up.
type fences struct {
	mu      sync.Mutex
	running map[string]context.CancelFunc
}

func (f *fences) begin(id string, cancel context.CancelFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running == nil {
		f.running = map[string]context.CancelFunc{}
	}
	f.running[id] = cancel
}

func (f *fences) end(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.running, id)
}

func (f *fences) cancel(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if cancel := f.running[id]; cancel != nil {
		cancel()
	}
}
