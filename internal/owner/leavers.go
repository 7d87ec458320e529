package owner

import (
	"context"
	"sync"

	"github.com/cerco-ha/cerco/internal/hypervisor"
)

// leavers remembers which machines have left a hypervisor for another one. Libvirt tells it once: a definition that
// stays behind looks like that of a machine that was shut off, and of one without a definition nothing is left.
type leavers struct {
	host hypervisor.Host

	mu   sync.Mutex
	left map[string]bool // by UUID

	ctx  context.Context
	end  context.CancelFunc
	done sync.WaitGroup
}

func newLeavers(host hypervisor.Host) *leavers {
	l := &leavers{host: host, left: map[string]bool{}}
	l.ctx, l.end = context.WithCancel(context.Background())
	return l
}

func (l *leavers) start() {
	l.done.Go(func() {
		for e := range l.host.Events(l.ctx) {
			l.mu.Lock()
			switch e.Kind {
			case hypervisor.Moved:
				l.left[e.UUID] = true
			case hypervisor.Started, hypervisor.Resumed, hypervisor.Stopped: // it was here again
				delete(l.left, e.UUID)
			}
			l.mu.Unlock()
		}
	})
}

func (l *leavers) stop() {
	l.end()
	l.done.Wait()
}

func (l *leavers) has(uuid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left[uuid]
}
