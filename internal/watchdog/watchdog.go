package watchdog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Device is something that resets this node unless it is fed. Opening it arms it.
type Device interface {
	Timeout() time.Duration // within which it must be fed
	Feed() error
	// Close ends the use of the device. With disarm it is switched off; else it goes on counting.
	Close(disarm bool) error
}

// Config is what a Watchdog works with.
type Config struct {
	Open  func() (Device, error) // Hardware or Guarded
	Lease func() bool            // may this node act just now?
	// Armed is told the device's time when it is armed, and 0 before it is disarmed. It returns when everybody
	// knows. An error at disarming keeps it armed.
	Armed func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// Watchdog feeds a device while a lease holds. It is armed with the first lease: a node that was never part
// of the cluster has nothing to be reset for.
type Watchdog struct {
	cfg Config

	mu     sync.Mutex
	stop   context.CancelFunc
	done   chan struct{}
	device Device
}

// New makes a Watchdog.
func New(cfg Config) *Watchdog {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Armed == nil {
		cfg.Armed = func(context.Context, time.Duration) error { return nil }
	}
	return &Watchdog{cfg: cfg}
}

// Start begins to look at the lease.
func (w *Watchdog) Start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	w.stop, w.done = cancel, done
	go func() {
		defer close(done)
		w.run(ctx)
	}()
}

// Stop ends the feeding. disarm is for a node on which nothing runs any more; without it the node is reset
// unless another process feeds the watchdog in time. Stop may be called more than once.
func (w *Watchdog) Stop(ctx context.Context, disarm bool) error {
	w.mu.Lock()
	stop, done := w.stop, w.done
	w.stop = nil
	w.mu.Unlock()
	if stop == nil {
		return nil
	}
	if !disarm {
		stop()
		<-done
		return w.close(false)
	}
	// It is fed until everybody knows that it is no proof any more.
	err := w.cfg.Armed(ctx, 0)
	stop()
	<-done
	if err != nil {
		return errors.Join(fmt.Errorf("the watchdog stays armed, since the cluster could not be told: %w", err), w.close(false))
	}
	return w.close(true)
}

func (w *Watchdog) close(disarm bool) error {
	w.mu.Lock()
	d := w.device
	w.device = nil
	w.mu.Unlock()
	if d == nil {
		return nil
	}
	return d.Close(disarm)
}

// Timeout is the time of the armed device; 0 while it is not armed.
func (w *Watchdog) Timeout() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.device == nil {
		return 0
	}
	return w.device.Timeout()
}

// idle is how often an unarmed watchdog looks for a lease.
const idle = 100 * time.Millisecond

func (w *Watchdog) run(ctx context.Context) {
	tick := time.NewTicker(idle)
	defer tick.Stop()
	var d Device
	var complained, held, told bool
	for {
		lease := w.cfg.Lease()
		if lease && d == nil {
			opened, err := w.cfg.Open()
			switch {
			case err == nil:
				d, complained = opened, false
				w.mu.Lock()
				w.device = d
				w.mu.Unlock()
				tick.Reset(min(max(d.Timeout()/10, 10*time.Millisecond), time.Second))
				w.cfg.Log.Info("the watchdog is armed", "timeout", d.Timeout())
			case !complained:
				complained = true
				w.cfg.Log.Error("the watchdog cannot be armed; it is tried again", "error", err)
			}
		}
		if d != nil {
			w.feed(d, lease, held)
			if lease && !told {
				told = w.tell(ctx, d)
			}
		}
		held = lease
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (w *Watchdog) feed(d Device, lease, held bool) {
	if !lease {
		if held {
			w.cfg.Log.Error("the lease of this node is over: the watchdog is fed no more", "reset_in", d.Timeout())
		}
		return
	}
	if err := d.Feed(); err != nil {
		w.cfg.Log.Error("the watchdog could not be fed", "error", err)
	}
}

// tell has the cluster know that the watchdog is armed, without being late for feeding it.
func (w *Watchdog) tell(ctx context.Context, d Device) bool {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout()/4)
	defer cancel()
	err := w.cfg.Armed(ctx, d.Timeout())
	if err != nil && ctx.Err() == nil {
		w.cfg.Log.Debug("the cluster could not be told of the watchdog yet", "error", err)
	}
	return err == nil
}
