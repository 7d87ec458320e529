package watchdog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bomb is a device that notes when it would have gone off.
type bomb struct {
	timer    *time.Timer
	feeds    int
	reset    atomic.Bool
	disarmed bool
	closed   bool
}

func (b *bomb) Timeout() time.Duration { return 10 * time.Second }

func (b *bomb) Feed() error {
	b.feeds++
	b.timer.Reset(b.Timeout())
	return nil
}

func (b *bomb) Close(disarm bool) error {
	b.closed, b.disarmed = true, disarm
	if disarm {
		b.timer.Stop()
	}
	return nil
}

func newBomb() *bomb {
	b := &bomb{}
	b.timer = time.AfterFunc(b.Timeout(), func() { b.reset.Store(true) })
	return b
}

func TestFedOnlyWhileTheLeaseHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lease atomic.Bool
		var b *bomb
		var armed []time.Duration
		w := New(Config{Open: func() (Device, error) { b = newBomb(); return b, nil }, Lease: lease.Load,
			Armed: func(_ context.Context, d time.Duration) error { armed = append(armed, d); return nil }})
		w.Start()
		time.Sleep(time.Minute)
		synctest.Wait()
		if b != nil || w.Timeout() != 0 {
			t.Fatal("armed before the first lease")
		}
		lease.Store(true)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if b == nil || b.reset.Load() || w.Timeout() != 10*time.Second || len(armed) != 1 {
			t.Fatalf("not fed: %+v, told %v", b, armed)
		}
		lease.Store(false)
		time.Sleep(8 * time.Second)
		lease.Store(true) // in time
		time.Sleep(time.Minute)
		synctest.Wait()
		if b.reset.Load() {
			t.Fatal("reset though the lease came back in time")
		}
		lease.Store(false)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if b.reset.Load() {
			t.Error("reset too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !b.reset.Load() {
			t.Error("fed without a lease")
		}
		if err := w.Stop(t.Context(), false); err != nil || b.disarmed {
			t.Error("disarmed without being told to", err)
		}
	})
}

func TestDisarmedOnlyWhenAllKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := true
		var b *bomb
		w := New(Config{Open: func() (Device, error) { b = newBomb(); return b, nil }, Lease: func() bool { return true },
			Armed: func(_ context.Context, d time.Duration) error {
				if d == 0 && fail {
					return errors.New("nobody listens")
				}
				if d == 0 && (b.disarmed || b.reset.Load()) {
					t.Error("told too late")
				}
				return nil
			}})
		w.Start()
		synctest.Wait()
		if err := w.Stop(t.Context(), true); err == nil || b.disarmed {
			t.Errorf("disarmed (%v) though nobody could be told: %v", b.disarmed, err)
		}
		fail = false
		w.Start()
		synctest.Wait()
		if err := w.Stop(t.Context(), true); err != nil || !b.disarmed {
			t.Errorf("not disarmed: %v", err)
		}
		if err := w.Stop(t.Context(), true); err != nil {
			t.Error(err)
		}
	})
}

func TestAWatchdogThatCannotBeOpenedIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		w := New(Config{Lease: func() bool { return true }, Open: func() (Device, error) {
			if tries++; tries < 3 {
				return nil, errors.New("busy")
			}
			return newBomb(), nil
		}})
		w.Start()
		time.Sleep(time.Second)
		synctest.Wait()
		if tries != 3 || w.Timeout() == 0 {
			t.Errorf("%d tries, armed %s", tries, w.Timeout())
		}
		_ = w.Stop(t.Context(), true)
	})
}

func TestHardware(t *testing.T) {
	path := filepath.Join(t.TempDir(), "watchdog")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Hardware(path, 10*time.Second); err == nil {
		t.Error("a plain file passes for a watchdog")
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	asked := 0
	d, err := openHardware(path, 9500*time.Millisecond, func(_, seconds int) (int, error) { asked = seconds; return 16, nil })
	if err != nil || asked != 10 || d.Timeout() != 16*time.Second {
		t.Fatalf("asked for %d: %v", asked, err)
	}
	for range 3 {
		if err := d.Feed(); err != nil {
			t.Fatal(err)
		}
	}
	want := func(text string) {
		t.Helper()
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("the device got %q, wanted %q", got, text)
		}
	}
	if err := d.Close(false); err != nil {
		t.Fatal(err)
	}
	want("\x00\x00\x00")
	_ = os.Truncate(path, 0)
	d, _ = openHardware(path, time.Second, func(_, seconds int) (int, error) { return seconds, nil })
	if err := d.Close(true); err != nil {
		t.Fatal(err)
	}
	want("V")
	if _, err := Hardware(filepath.Join(t.TempDir(), "none"), time.Second); err == nil || !strings.Contains(err.Error(), "softdog") {
		t.Errorf("the error does not help: %v", err)
	}
}

func TestGuard(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	starts := 0
	reset := make(chan struct{}, 1)
	ended := make(chan error, 4)
	start := func() error {
		starts++
		g := &Guard{Socket: socket, Reset: func() { reset <- struct{}{} }}
		go func() { ended <- g.Run(t.Context()) }()
		return nil
	}
	d, err := Guarded(socket, time.Minute, start)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(false); err != nil { // the daemon is killed
		t.Fatal(err)
	}
	if d, err = Guarded(socket, time.Minute, start); err != nil || starts != 1 { // and comes back
		t.Fatalf("%d guards: %v", starts, err)
	}
	if err := (&Guard{Socket: socket}).Run(t.Context()); err == nil {
		t.Error("two guards at once")
	}
	if err := d.Close(true); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("an orderly end: %v", err)
	}
	if d, err = Guarded(socket, time.Millisecond, start); err != nil || starts != 2 {
		t.Fatalf("%d guards: %v", starts, err)
	}
	<-reset
	if err := <-ended; err == nil {
		t.Error("a reset goes unnoticed")
	}
	_ = d.Close(false)
}

func FuzzGuard(f *testing.F) {
	for _, s := range []string{"feed 10000", "bye", "feed -1", "feed 99999999999999999999", "", "fe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseGuard(s)
		if err == nil && (d < 0 || d > maxGuarded || d == 0 && s != "bye") {
			t.Errorf("%q feeds for %s", s, d)
		}
	})
}
